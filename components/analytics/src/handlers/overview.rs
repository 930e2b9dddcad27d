//! How the whole is used.

use axum::extract::State;
use shared::answer::IfNoneMatch;
use shared::app::Ctx;
use shared::auth::Admin;
use shared::db::Db;
use shared::error::ApiResult;

use crate::docs::Overview;
use crate::model::Days;
use crate::store;

/// How the whole is used: for administrators.
///
/// Active is who did or looked at anything; `dau`, `wau` and `mau` are those of today, of the last 7 and of the last 30 days.
#[utoipa::path(get, path = "/analytics/overview", params(Days, IfNoneMatch), responses(
    (status = 200, description = "The numbers of now, and of every day of the range.", body = Overview),
    (status = 403, description = "`admin_required`: the caller is no administrator"),
))]
pub async fn get_overview(
    _: Admin,
    State(app): State<Ctx>,
    db: Db,
    days: Days,
    known: IfNoneMatch,
) -> ApiResult {
    Ok(known.answer(store::get_overview(&db, days.until(app.now())).await?))
}
