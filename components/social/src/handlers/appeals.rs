//! What was decided against the caller, and appeals.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::Deserialize;
use shared::answer::json_text;
use shared::app::Ctx;
use shared::auth::{Admin, SignedIn};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::events::relay_through;
use shared::extract::{Json, Path, Query};
use shared::ids::Id;
use shared::page::Page;
use shared::trace::Trace;
use shared::wire;
use utoipa::IntoParams;

use super::cases::already_resolved;
use crate::docs::{Appeal, AppealStatus, AppealedReport, Decision};
use crate::model::{self, AppealIn, Verdict, VerdictIn};
use crate::store::{self, AppealError};

/// What was decided against the caller, newest first.
///
/// For the suspended as well.
#[utoipa::path(get, path = "/me/decisions", params(Page),
    responses((status = 200, description = "A page of decisions.", body = wire::Page<Decision>)))]
pub async fn list_decisions(caller: SignedIn, db: Db, page: Page) -> ApiResult {
    let after = page.after_integer()?;
    Ok(store::list_decisions(&db, caller.id, page.limit, after).await?.into_response())
}

/// Asks for another look at a decision against the caller, once.
///
/// For the suspended as well.
#[utoipa::path(post, path = "/me/appeals", responses(
    (status = 201, description = "The appeal; its outcome is at `/me/decisions`.", body = Appeal),
    (status = 404, description = "`not_found`: nothing was decided against the caller by this report"),
    (status = 409, description = "`already_appealed`: there is an appeal already"),
))]
pub async fn create_appeal(
    State(app): State<Ctx>,
    caller: SignedIn,
    db: Db,
    Json(body): Json<AppealIn>,
) -> ApiResult {
    let (report, text) = body.check()?;
    match store::create_appeal(&db, caller.id, report, &text, app.now()).await {
        Ok(made) => made.map(|json| json_text(StatusCode::CREATED, json)).ok_or_else(ApiError::not_found),
        Err(AppealError::Again) => {
            Err(ApiError::conflict("already_appealed", "There is an appeal against this already."))
        }
        Err(AppealError::Db(error)) => Err(error.into()),
    }
}

/// Which appeals.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AppealsQuery {
    /// How they stand; `open` unless told.
    #[param(value_type = AppealStatus, inline, required = false)]
    status: Option<String>,
}

/// Appeals, newest first.
///
/// For administrators.
#[utoipa::path(get, path = "/admin/appeals", params(AppealsQuery, Page),
    responses((status = 200, description = "A page of appeals.", body = wire::Page<AppealedReport>)))]
pub async fn list_appeals(_: Admin, db: Db, Query(query): Query<AppealsQuery>, page: Page) -> ApiResult {
    let status = model::status(query.status.as_deref(), &["open", "upheld", "overturned"])?;
    Ok(store::list_appeals(&db, status, page.limit, page.after_integer()?).await?.into_response())
}

/// Decides an appeal.
///
/// For administrators. Where a suspension is overturned, and there is no other, they are back when the answer arrives. What
/// was removed cannot come back; its author is told that it was wrong.
#[utoipa::path(post, path = "/admin/appeals/{id}/resolve", responses(
    (status = 200, description = "The appeal with its outcome.", body = AppealedReport),
    (status = 409, description = "`already_resolved`: it was decided before"),
))]
pub async fn resolve_appeal(
    State(app): State<Ctx>,
    Admin(admin): Admin,
    db: Db,
    trace: Trace,
    Path(appeal): Path<Id>,
    Json(body): Json<VerdictIn>,
) -> ApiResult {
    let note = body.note()?;
    let resolved =
        store::resolve_appeal(&db, admin.id, appeal, body.action, note.as_deref(), app.now()).await?;
    let now = store::get_appeal(&db, appeal).await?.ok_or_else(ApiError::not_found)?;
    if !resolved {
        return Err(already_resolved());
    }
    if body.action == Verdict::Overturn {
        relay_through(&app, &trace, "users").await;
    }
    Ok(json_text(StatusCode::OK, now))
}
