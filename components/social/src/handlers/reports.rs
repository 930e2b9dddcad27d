//! Reports.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use shared::answer::json_text;
use shared::app::{App, Ctx};
use shared::auth::Caller;
use shared::clients::{Client, ClientError};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Json;
use shared::ids::Id;
use shared::page::Page;
use shared::people;
use shared::trace::Trace;
use shared::wire;

use crate::docs::{self, ReportMade};
use crate::model::{self, Report, ReportIn, Seen, TargetType};
use crate::store;

/// Reports a person, a post, a comment or a scoop.
///
/// About what the caller may see and is not theirs. Again while the first is open: the same report.
#[utoipa::path(post, path = "/report", responses(
    (status = 201, description = "The report; its outcome is at `/me/reports`.", body = ReportMade),
    (status = 404, description = "`not_found`: there is no such thing, or it is not the caller's to see"),
    (status = 503, description = "`unavailable`: whose it is cannot be asked now"),
))]
pub async fn create_report(
    State(app): State<Ctx>,
    caller: Caller,
    db: Db,
    trace: Trace,
    Json(body): Json<ReportIn>,
) -> ApiResult {
    let report = body.check()?;
    let seen = find_target(&app, &trace, &caller, &report).await?;
    if seen.author_id == caller.id {
        return Err(ApiError::invalid("targetId", "must be another person's"));
    }
    let made = store::create_report(&db, caller.id, &seen, &report, app.now()).await?;
    made.map(|json| json_text(StatusCode::CREATED, json)).ok_or_else(ApiError::not_found)
}

/// The caller's reports with their outcome, newest first.
#[utoipa::path(get, path = "/me/reports", params(Page),
    responses((status = 200, description = "A page of reports.", body = wire::Page<docs::Report>)))]
pub async fn list_reports(caller: Caller, db: Db, page: Page) -> ApiResult {
    model::check_id_cursor(&page)?;
    Ok(store::list_reports(&db, caller.id, &page).await?.into_response())
}

/// Whose it is, and what it says; 404 where the caller may not see it.
async fn find_target(app: &App, trace: &Trace, caller: &Caller, report: &Report) -> ApiResult<Seen> {
    let (viewer, id) = (caller.id, report.target_id);
    let seen = match report.target_type {
        TargetType::User => {
            people::ensure(app, trace, id).await?;
            let found = store::may_find_person(&app.db, Some(viewer), id).await?;
            found.then_some(Seen { author_id: id, text: None })
        }
        TargetType::Post | TargetType::Comment => {
            ask(&Client::new(app, trace, "posts"), viewer, report).await?
        }
        TargetType::Scoop => ask(&Client::new(app, trace, "scoops"), viewer, report).await?,
    };
    let seen = seen.ok_or_else(ApiError::not_found)?;
    people::ensure(app, trace, seen.author_id).await?;
    Ok(seen)
}

/// What the service that has it says; `None` where the viewer may not see it.
async fn ask(service: &Client<'_>, viewer: Id, report: &Report) -> ApiResult<Option<Seen>> {
    let (kind, id) = (report.target_type.name(), report.target_id);
    let path = format!("/internal/visible?viewer={viewer}&type={kind}&id={id}");
    match service.get::<Seen>(&path).await {
        Ok(seen) => Ok(Some(seen)),
        Err(ClientError::Answered(problem)) if problem.status == 404 => Ok(None),
        Err(error) => Err(error.into()),
    }
}
