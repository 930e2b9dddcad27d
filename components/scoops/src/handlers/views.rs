//! Who looked at a scoop.

use axum::extract::State;
use http::StatusCode;
use shared::app::Ctx;
use shared::auth::Caller;
use shared::db::{Db, PageOut};
use shared::error::{ApiError, ApiResult};
use shared::extract::Path;
use shared::ids::Id;
use shared::page::Page;
use shared::wire;

use crate::docs::ScoopViewer;
use crate::store;

/// Counts the caller as a viewer of a scoop.
///
/// Once, and never its author.
#[utoipa::path(post, path = "/scoops/{id}/view", responses((status = 204, description = "Counted, now or before.")))]
pub async fn view_scoop(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    Path(id): Path<Id>,
) -> ApiResult<StatusCode> {
    let now = app.now();
    let noted = store::view_scoop(&db, id, caller.id, now).await?;
    if noted || store::is_author(&db, id, caller.id, now).await? == Some(true) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found())
}

/// Who looked at a scoop of the caller's, newest first.
///
/// As long as the scoop lives.
#[utoipa::path(get, path = "/scoops/{id}/viewers", params(Page), responses(
    (status = 200, description = "A page of viewers.", body = wire::Page<ScoopViewer>),
    (status = 403, description = "`not_author`: only its author may see this"),
))]
pub async fn list_viewers(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    Path(id): Path<Id>,
    page: Page,
) -> ApiResult<PageOut> {
    let (after, now) = (page.after_integer()?, app.now());
    if let Some(viewers) = store::list_viewers(&db, id, caller.id, now, after, page.limit).await? {
        return Ok(viewers);
    }
    match store::is_author(&db, id, caller.id, now).await? {
        Some(false) => Err(ApiError::forbidden("not_author", "Only its author may see this.")),
        _ => Err(ApiError::not_found()),
    }
}
