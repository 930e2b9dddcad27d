//! How what the caller publishes is received.

use axum::extract::State;
use shared::answer::IfNoneMatch;
use shared::app::Ctx;
use shared::auth::Bearer;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};

use crate::docs::MyAnalytics;
use crate::model::Days;
use crate::store;

/// How what the caller publishes is received, day by day.
///
/// What is taken back is taken from the day it was counted on, and what is deleted takes all its numbers along.
#[utoipa::path(get, path = "/analytics/me", params(Days, IfNoneMatch),
    responses((status = 200, description = "Every day of the range, oldest first, today last.", body = MyAnalytics)))]
pub async fn get_my_analytics(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    days: Days,
    known: IfNoneMatch,
) -> ApiResult {
    let range = days.until(app.now());
    let mut found = store::get_my_analytics(&db, caller.id, range).await?;
    if found.is_none() {
        caller.settle(&app).await?;
        found = store::get_my_analytics(&db, caller.id, range).await?;
    }
    Ok(known.answer(found.ok_or_else(ApiError::invalid_token)?))
}
