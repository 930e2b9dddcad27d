//! People, for the services that ask.

use http::StatusCode;
use shared::answer;
use shared::auth::Internal;
use shared::db::Db;
use shared::error::ApiResult;
use shared::extract::Path;
use shared::ids::Id;

use crate::store;

/// `GET /internal/export/{id}`: another service. What is kept here about a person.
pub async fn export_person(_: Internal, db: Db, Path(user): Path<Id>) -> ApiResult {
    Ok(answer::json_text(StatusCode::OK, store::export_person(&db, user).await?))
}
