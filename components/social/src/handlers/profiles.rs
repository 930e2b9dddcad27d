//! Profiles by handle.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use shared::answer::IfNoneMatch;
use shared::app::{App, Ctx};
use shared::auth::MaybeCaller;
use shared::clients::{Client, ClientError};
use shared::error::{ApiError, ApiResult};
use shared::extract::Path;
use shared::ids::Id;
use shared::people;
use shared::trace::Trace;
use shared::wire::Profile;

use crate::{model, store};

/// What a handle that was given up leads to.
pub(super) const MOVED: &str = "The person has another handle; the old one leads there for 30 days.";

/// A person by their handle.
///
/// Open to all but whom the person blocks. Who blocks them still finds them, to unblock.
#[utoipa::path(get, path = "/u/{handle}", params(("handle" = String, Path, description = "A handle, in any case.", example = "alice"), IfNoneMatch), security((), ("bearerAuth" = [])), responses(
    (status = 200, description = "The profile.", body = Profile),
    (status = 308, description = MOVED, headers(("Location" = String, description = "The profile there."))),
    (status = 503, description = "`unavailable`: who has the handle cannot be asked now"),
))]
pub async fn show_profile(
    State(app): State<Ctx>,
    caller: MaybeCaller,
    trace: Trace,
    known: IfNoneMatch,
    Path(handle): Path<String>,
) -> ApiResult {
    let handle = model::handle(&handle).ok_or_else(ApiError::not_found)?;
    if let Some(profile) = store::show_profile(&app.db, caller.id(), &handle).await? {
        return Ok(known.answer(profile));
    }
    match find_whereabouts(&app, &trace, caller.id(), &handle).await? {
        Whereabouts::Moved(new) => Ok(moved(&format!("/u/{new}"))),
        Whereabouts::Here => {
            let profile = store::show_profile(&app.db, caller.id(), &handle).await?;
            profile.map(|profile| known.answer(profile)).ok_or_else(ApiError::not_found)
        }
    }
}

/// Where a person is whom this service does not find by their handle.
pub(super) enum Whereabouts {
    /// In the projection now.
    Here,
    /// Under another handle.
    Moved(String),
}

/// Who gave a handle up lately, as `GET /internal/handles/{handle}` of users tells.
#[derive(Deserialize)]
struct Holder {
    id: Id,
    handle: String,
}

/// Asks users who has or had the handle; 404 for nobody, and for whom `viewer` may not find.
pub(super) async fn find_whereabouts(
    app: &App,
    trace: &Trace,
    viewer: Option<Id>,
    handle: &str,
) -> ApiResult<Whereabouts> {
    // Somebody has it, and is hidden from the viewer: there is nothing to ask.
    if store::is_handle_known(&app.db, handle).await? {
        return Err(ApiError::not_found());
    }
    if people::find_by_handle(app, trace, handle).await?.is_some() {
        return Ok(Whereabouts::Here);
    }
    let users = Client::new(app, trace, "users");
    let holder: Holder = match users.get(&format!("/internal/handles/{handle}")).await {
        Ok(holder) => holder,
        Err(ClientError::Answered(problem)) if problem.status == 404 => return Err(ApiError::not_found()),
        Err(error) => return Err(error.into()),
    };
    people::ensure(app, trace, holder.id).await?;
    if store::may_find_person(&app.db, viewer, holder.id).await? {
        return Ok(Whereabouts::Moved(holder.handle));
    }
    Err(ApiError::not_found())
}

/// 308 to `location`.
pub(super) fn moved(location: &str) -> Response {
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
