//! `/me/notification-preferences`.

use axum::extract::State;
use http::StatusCode;
use shared::answer::{IfNoneMatch, json_text};
use shared::app::Ctx;
use shared::auth::Caller;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Json;
use shared::wire::NotificationPreferences;

use crate::model::PreferencesPatch;
use crate::store::Store;

/// What the caller wants to be told.
#[utoipa::path(get, path = "/me/notification-preferences", params(IfNoneMatch),
    responses((status = 200, description = "Their preferences.", body = NotificationPreferences)))]
pub async fn get_preferences(caller: Caller, db: Db, known: IfNoneMatch) -> ApiResult {
    let preferences = Store(db).get_preferences(caller.id).await?;
    Ok(known.answer(preferences.ok_or_else(ApiError::invalid_token)?))
}

/// Changes what the caller wants to be told.
///
/// What is left out stays; null ends the quiet hours.
#[utoipa::path(patch, path = "/me/notification-preferences",
    responses((status = 200, description = "Their preferences, changed.", body = NotificationPreferences)))]
pub async fn update_preferences(
    caller: Caller,
    State(app): State<Ctx>,
    db: Db,
    Json(body): Json<PreferencesPatch>,
) -> ApiResult {
    let patch = body.check()?;
    let preferences = Store(db).update_preferences(caller.id, &patch, app.now()).await?;
    Ok(json_text(StatusCode::OK, preferences.ok_or_else(ApiError::invalid_token)?))
}
