//! `/me/notification-preferences`.

use http::StatusCode;
use shared::answer::{IfNoneMatch, json_text};
use shared::auth::Caller;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Json;

use crate::model::PreferencesPatch;
use crate::store::Store;

/// `GET /me/notification-preferences`: the caller's.
pub async fn get_preferences(caller: Caller, db: Db, known: IfNoneMatch) -> ApiResult {
    let preferences = Store(db).get_preferences(caller.id).await?;
    Ok(known.answer(preferences.ok_or_else(ApiError::invalid_token)?))
}

/// `PATCH /me/notification-preferences`: changes what is given, keeps the rest.
pub async fn update_preferences(caller: Caller, db: Db, Json(body): Json<PreferencesPatch>) -> ApiResult {
    let patch = body.check()?;
    let preferences = Store(db).update_preferences(caller.id, &patch).await?;
    Ok(json_text(StatusCode::OK, preferences.ok_or_else(ApiError::invalid_token)?))
}
