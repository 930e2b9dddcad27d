//! Suspensions without a report.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use shared::app::{App, Ctx};
use shared::auth::{Admin, Caller};
use shared::clients::{ClientError, Users};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::events::relay_through;
use shared::extract::{Json, Path};
use shared::ids::Id;
use shared::people;
use shared::trace::Trace;

use crate::model::SuspensionIn;
use crate::store;

/// Suspends a person.
///
/// For administrators. Their tokens are 403 and nobody sees anything of theirs when the answer arrives. It is a report of the
/// administrator's that is decided at once, so they are told the reason and may appeal. Again: nothing changes.
#[utoipa::path(post, path = "/admin/users/{id}/suspend", responses(
    (status = 204, description = "They are suspended."),
    (status = 409, description = "`target_is_admin`: administrators cannot be suspended"),
    (status = 503, description = "`unavailable`: it cannot be asked now whether they are one"),
))]
pub async fn suspend_user(
    State(app): State<Ctx>,
    Admin(admin): Admin,
    db: Db,
    trace: Trace,
    Path(whom): Path<Id>,
    Json(body): Json<SuspensionIn>,
) -> ApiResult {
    let reason = body.reason()?;
    people::ensure(&app, &trace, whom).await?;
    check_suspicion(&app, &trace, &admin, whom).await?;
    if !store::suspend_user(&db, admin.id, whom, &reason, app.now()).await? {
        return Err(ApiError::not_found());
    }
    relay_through(&app, &trace, "users").await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends the suspension of a person.
///
/// For administrators. Who is not suspended stays so.
#[utoipa::path(post, path = "/admin/users/{id}/unsuspend",
    responses((status = 204, description = "They are not suspended.")))]
pub async fn unsuspend_user(
    State(app): State<Ctx>,
    Admin(admin): Admin,
    db: Db,
    trace: Trace,
    Path(whom): Path<Id>,
) -> ApiResult {
    people::ensure(&app, &trace, whom).await?;
    if !store::unsuspend_user(&db, admin.id, whom, app.now()).await? {
        return Err(ApiError::not_found());
    }
    relay_through(&app, &trace, "users").await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// 409 where `whom` is an administrator, the caller above all. `users` alone knows; to it, who is suspended already or gone
/// is none.
pub(super) async fn check_suspicion(app: &App, trace: &Trace, admin: &Caller, whom: Id) -> ApiResult<()> {
    let is_admin = match Users::new(app, trace).me(whom).await {
        Ok(me) => me["roles"].as_array().is_some_and(|roles| roles.iter().any(|role| role == "admin")),
        Err(ClientError::Answered(problem)) if problem.status == 404 => false,
        Err(error) => return Err(error.into()),
    };
    if is_admin || whom == admin.id {
        return Err(ApiError::conflict("target_is_admin", "Administrators cannot be suspended."));
    }
    Ok(())
}
