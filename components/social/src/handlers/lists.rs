//! Lists of people: whom the caller blocks and mutes, who follows a person and whom they follow.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use shared::app::Ctx;
use shared::auth::Caller;
use shared::db::{Db, PageOut};
use shared::error::{ApiError, ApiResult};
use shared::extract::Path;
use shared::page::Page;
use shared::trace::Trace;
use shared::wire::{self, Profile, User};

use super::profiles::{MOVED, Whereabouts, find_whereabouts, moved};
use crate::model::{self, Newest};
use crate::store::{self, Access, Side};

/// Whom the caller blocks, newest first.
#[utoipa::path(get, path = "/blocked", params(Page),
    responses((status = 200, description = "A page of people.", body = wire::Page<User>)))]
pub async fn list_blocked(caller: Caller, db: Db, page: Page) -> ApiResult {
    Ok(store::list_blocked(&db, caller.id, &Newest::of(&page)?).await?.into_response())
}

/// Whom the caller mutes, newest first.
#[utoipa::path(get, path = "/muted", params(Page),
    responses((status = 200, description = "A page of people.", body = wire::Page<User>)))]
pub async fn list_muted(caller: Caller, db: Db, page: Page) -> ApiResult {
    Ok(store::list_muted(&db, caller.id, &Newest::of(&page)?).await?.into_response())
}

/// Who follows a person, newest first.
///
/// For those who may see what the person publishes.
#[utoipa::path(get, path = "/u/{handle}/followers", params(("handle" = String, Path, description = "A handle, in any case.", example = "alice"), Page), responses(
    (status = 200, description = "A page of people.", body = wire::Page<Profile>),
    (status = 308, description = MOVED, headers(("Location" = String, description = "The same list there."))),
    (status = 403, description = "`private_account`: only followers see it"),
    (status = 503, description = "`unavailable`: who has the handle cannot be asked now"),
))]
pub async fn list_followers(
    State(app): State<Ctx>,
    caller: Caller,
    trace: Trace,
    Path(handle): Path<String>,
    page: Page,
    query: RawQuery,
) -> ApiResult {
    list_follows(&app, &caller, &trace, Side::Followers, &handle, &page, query).await
}

/// Whom a person follows, newest first.
///
/// For those who may see what the person publishes.
#[utoipa::path(get, path = "/u/{handle}/following", params(("handle" = String, Path, description = "A handle, in any case.", example = "alice"), Page), responses(
    (status = 200, description = "A page of people.", body = wire::Page<Profile>),
    (status = 308, description = MOVED, headers(("Location" = String, description = "The same list there."))),
    (status = 403, description = "`private_account`: only followers see it"),
    (status = 503, description = "`unavailable`: who has the handle cannot be asked now"),
))]
pub async fn list_following(
    State(app): State<Ctx>,
    caller: Caller,
    trace: Trace,
    Path(handle): Path<String>,
    page: Page,
    query: RawQuery,
) -> ApiResult {
    list_follows(&app, &caller, &trace, Side::Following, &handle, &page, query).await
}

async fn list_follows(
    app: &Ctx,
    caller: &Caller,
    trace: &Trace,
    side: Side,
    handle: &str,
    page: &Page,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let after = Newest::of(page)?;
    let handle = model::handle(handle).ok_or_else(ApiError::not_found)?;
    let people: PageOut = store::list_follows(&app.db, side, caller.id, &handle, &after).await?;
    // The statement answers nothing to who may not see; only then is the reason asked for.
    if people.items != "[]" {
        return Ok(people.into_response());
    }
    match store::list_access(&app.db, caller.id, &handle).await? {
        Access::Open => Ok(people.into_response()),
        Access::Private => Err(ApiError::forbidden("private_account", "This account is private.")),
        Access::Hidden => Err(ApiError::not_found()),
        Access::Unknown => match find_whereabouts(app, trace, Some(caller.id), &handle).await? {
            Whereabouts::Moved(new) => {
                let query = query.map(|query| format!("?{query}")).unwrap_or_default();
                Ok(moved(&format!("/u/{new}/{}{query}", side.path())))
            }
            // They came into the projection just now, and so did nobody who follows them.
            Whereabouts::Here => Ok(people.into_response()),
        },
    }
}
