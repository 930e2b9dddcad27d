//! What other services ask.

use http::StatusCode;
use shared::answer::json_text;
use shared::auth::Internal;
use shared::db::Db;
use shared::error::ApiResult;
use shared::extract::Path;
use shared::ids::Id;

use crate::store;

/// `GET /internal/export/{user_id}`: what is held about a person that is in no other service.
pub async fn export_person(_: Internal, db: Db, Path(person): Path<Id>) -> ApiResult {
    Ok(json_text(StatusCode::OK, store::export_person(&db, person).await?))
}
