//! Requests to follow the caller, who is private.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use shared::app::Ctx;
use shared::auth::Caller;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Path;
use shared::ids::Id;
use shared::page::Page;
use shared::wire::{self, User};

use crate::model::Newest;
use crate::store;

/// Who asks to follow the caller, newest first.
#[utoipa::path(get, path = "/follow-requests", params(Page),
    responses((status = 200, description = "A page of people.", body = wire::Page<User>)))]
pub async fn list_follow_requests(caller: Caller, db: Db, page: Page) -> ApiResult {
    let requests = store::list_follow_requests(&db, caller.id, &Newest::of(&page)?).await?;
    Ok(requests.into_response())
}

/// Lets somebody who asked follow the caller.
#[utoipa::path(post, path = "/follow-requests/{user_id}/accept",
    responses((status = 204, description = "They follow from now on.")))]
pub async fn accept_follow_request(
    State(app): State<Ctx>,
    caller: Caller,
    db: Db,
    Path(requester): Path<Id>,
) -> ApiResult {
    done(store::accept_follow_request(&db, caller.id, requester, app.now()).await?)
}

/// Turns down somebody who asked to follow the caller.
#[utoipa::path(post, path = "/follow-requests/{user_id}/reject",
    responses((status = 204, description = "The request is gone; they may ask again.")))]
pub async fn reject_follow_request(
    State(app): State<Ctx>,
    caller: Caller,
    db: Db,
    Path(requester): Path<Id>,
) -> ApiResult {
    done(store::reject_follow_request(&db, caller.id, requester, app.now()).await?)
}

/// 204, or 404 where there was no request.
fn done(was_there: bool) -> ApiResult<Response> {
    if was_there { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(ApiError::not_found()) }
}
