//! What other services ask.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::answer::json_text;
use shared::app::Ctx;
use shared::auth::Internal;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Path, Query};
use shared::ids::Id;
use shared::people;
use shared::trace::Trace;

use crate::store;

/// What is asked about.
#[derive(Deserialize)]
pub struct VisibleQuery {
    viewer: Id,
    #[serde(rename = "type")]
    kind: Kind,
    id: Id,
}

/// Things of this service that others name.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Post,
    Comment,
}

/// `GET /internal/visible?viewer=&type=post|comment&id=`: whose it is and what it says, where the viewer may see it.
pub async fn find_visible(
    _: Internal,
    State(app): State<Ctx>,
    db: Db,
    trace: Trace,
    Query(asked): Query<VisibleQuery>,
) -> ApiResult {
    people::ensure(&app, &trace, asked.viewer).await?;
    let found = match asked.kind {
        Kind::Post => store::find_visible_post(&db, asked.id, asked.viewer).await?,
        Kind::Comment => store::find_visible_comment(&db, asked.id, asked.viewer).await?,
    };
    Ok(json_text(StatusCode::OK, found.ok_or_else(ApiError::not_found)?))
}

/// `GET /internal/export/{user_id}`: everything held about a person.
pub async fn export_person(_: Internal, db: Db, Path(person): Path<Id>) -> ApiResult {
    let held = store::export_person(&db, person).await?;
    Ok(json_text(StatusCode::OK, held.unwrap_or_default()))
}
