//! Reports before administrators.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::Deserialize;
use shared::answer::json_text;
use shared::app::Ctx;
use shared::auth::Admin;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::events::relay_through;
use shared::extract::{Json, Path, Query};
use shared::ids::Id;
use shared::page::Page;
use shared::trace::Trace;
use shared::wire;
use utoipa::IntoParams;

use super::suspensions::check_suspicion;
use crate::docs::{GatheredReport, ReportStatus};
use crate::model::{self, Action, DecisionIn, TargetType};
use crate::store;

/// Which reports.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CasesQuery {
    /// How they stand; `open` unless told.
    #[param(value_type = ReportStatus, inline, required = false)]
    status: Option<String>,
}

/// What was reported, newest first.
///
/// For administrators. All open reports about one thing are one item, and are decided at once.
#[utoipa::path(get, path = "/admin/reports", params(CasesQuery, Page),
    responses((status = 200, description = "A page of what was reported.", body = wire::Page<GatheredReport>)))]
pub async fn list_cases(_: Admin, db: Db, Query(query): Query<CasesQuery>, page: Page) -> ApiResult {
    let known = ["open", "dismissed", "content_removed", "user_suspended"];
    let status = model::status(query.status.as_deref(), &known)?;
    Ok(store::list_cases(&db, status, page.limit, page.after_integer()?).await?.into_response())
}

/// Decides a report, and with it all open ones about the same thing.
///
/// For administrators. When the answer arrives it is so in every service. Whoever reported it is told the outcome; whose it
/// is is told the reason, and may appeal.
#[utoipa::path(post, path = "/admin/reports/{id}/resolve", responses(
    (status = 200, description = "The report with its outcome.", body = GatheredReport),
    (status = 409, description = "`already_resolved`: it was decided before; `target_is_admin`: administrators cannot be suspended"),
    (status = 503, description = "`unavailable`: it cannot be asked now whether they are an administrator"),
))]
pub async fn resolve_report(
    State(app): State<Ctx>,
    Admin(admin): Admin,
    db: Db,
    trace: Trace,
    Path(report): Path<Id>,
    Json(body): Json<DecisionIn>,
) -> ApiResult {
    let (action, note) = (body.action, body.note()?);
    let found = store::find_report(&db, report).await?.ok_or_else(ApiError::not_found)?;
    if !db.is_repeated() {
        if found.status != "open" {
            return Err(already_resolved());
        }
        model::check_action(action, found.target_type)?;
        if action == Action::SuspendUser {
            check_suspicion(&app, &trace, &admin, found.author_id).await?;
        }
    }
    if !store::resolve_report(&db, admin.id, report, action, note.as_deref(), app.now()).await? {
        return Err(already_resolved());
    }
    match (action, found.target_type) {
        (Action::Dismiss, _) => {}
        (Action::SuspendUser, _) => relay_through(&app, &trace, "users").await,
        (Action::RemoveContent, TargetType::Scoop) => relay_through(&app, &trace, "scoops").await,
        (Action::RemoveContent, _) => relay_through(&app, &trace, "posts").await,
    }
    let resolved = store::get_case(&db, report).await?;
    resolved.map(|json| json_text(StatusCode::OK, json)).ok_or_else(ApiError::not_found)
}

/// 409 for what was decided before.
pub(super) fn already_resolved() -> ApiError {
    ApiError::conflict("already_resolved", "This was decided before.")
}
