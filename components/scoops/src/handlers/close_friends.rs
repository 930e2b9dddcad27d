//! Close friends: whom the caller shows what is for them alone.

use axum::extract::State;
use http::StatusCode;
use shared::app::Ctx;
use shared::auth::Caller;
use shared::db::{Db, PageOut};
use shared::error::{ApiError, ApiResult};
use shared::extract::Path;
use shared::ids::Id;
use shared::page::Page;
use shared::people;
use shared::trace::Trace;
use shared::wire::{self, User};

use crate::store;

/// The caller's close friends, newest first.
#[utoipa::path(get, path = "/close-friends", params(Page),
    responses((status = 200, description = "A page of people.", body = wire::Page<User>)))]
pub async fn list_close_friends(db: Db, caller: Caller, page: Page) -> ApiResult<PageOut> {
    let after = page.after_integer()?;
    Ok(store::list_close_friends(&db, caller.id, after, page.limit).await?)
}

/// Names somebody a close friend; again changes nothing.
///
/// They need not follow the caller, but then see only what is for close friends, and of a private person nothing. A block
/// between the two ends it.
#[utoipa::path(put, path = "/close-friends/{user_id}", responses(
    (status = 204, description = "They are one."),
    (status = 422, description = "`invalid`: it is the caller"),
    (status = 503, description = "`unavailable`: who that is cannot be asked now"),
))]
pub async fn add_close_friend(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    trace: Trace,
    Path(friend): Path<Id>,
) -> ApiResult<StatusCode> {
    require_other(&caller, friend)?;
    let add = || store::add_close_friend(&db, caller.id, friend, app.now());
    // Who registered a moment ago may not have been heard of here.
    if add().await? || (people::ensure(&app, &trace, friend).await? && add().await?) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found())
}

/// Takes somebody off the list; again changes nothing.
#[utoipa::path(delete, path = "/close-friends/{user_id}", responses(
    (status = 204, description = "They are none."),
    (status = 422, description = "`invalid`: it is the caller"),
    (status = 503, description = "`unavailable`: who that is cannot be asked now"),
))]
pub async fn remove_close_friend(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    trace: Trace,
    Path(friend): Path<Id>,
) -> ApiResult<StatusCode> {
    require_other(&caller, friend)?;
    let remove = || store::remove_close_friend(&db, caller.id, friend, app.now());
    if remove().await? || (people::ensure(&app, &trace, friend).await? && remove().await?) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found())
}

fn require_other(caller: &Caller, friend: Id) -> ApiResult<()> {
    if friend == caller.id {
        return Err(ApiError::invalid("userId", "must be another person's"));
    }
    Ok(())
}
