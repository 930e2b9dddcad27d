//! What other services ask.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::answer::json_text;
use shared::auth::Internal;
use shared::db::Db;
use shared::error::ApiResult;
use shared::extract::{Json, Path};
use shared::ids::Id;

use crate::store;

/// Whose notifications are asked for.
#[derive(Deserialize)]
pub struct TellIn {
    people: Vec<TellOf>,
}

/// Which of theirs.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TellOf {
    user_id: Id,
    ids: Vec<String>,
}

/// `POST /internal/notifications`: what people are told of these now, and how much they have not read, by person.
pub async fn tell_notifications(_: Internal, db: Db, Json(body): Json<TellIn>) -> ApiResult {
    let told = store::tell_notifications(&db, serde_json::json!(body.people)).await?;
    Ok(json_text(StatusCode::OK, told))
}

/// `GET /internal/export/{userId}`: everything held about a person.
pub async fn export_person(_: Internal, db: Db, Path(person): Path<Id>) -> ApiResult {
    Ok(json_text(StatusCode::OK, store::export_person(&db, person).await?))
}
