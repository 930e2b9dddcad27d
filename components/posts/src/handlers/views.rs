//! Views of posts.

use axum::extract::State;
use http::StatusCode;
use shared::app::Ctx;
use shared::auth::Caller;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Path;
use shared::history;
use shared::ids::Id;

use crate::store;

/// Counts the caller as a viewer of a post.
///
/// Once in 24 h, and never its author.
#[utoipa::path(post, path = "/posts/{id}/view", responses((status = 204, description = "Counted, now or before.")))]
pub async fn view_post(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    Path(id): Path<Id>,
) -> ApiResult<StatusCode> {
    let noted = store::view_post(&db, id, caller.id, app.now()).await?;
    if noted || store::is_author(&db, id, caller.id).await? == Some(true) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found())
}

/// At every tick: forgets who looked more than 24 h ago, here and in what was told.
pub async fn forget_views(app: &Ctx) -> ApiResult<()> {
    store::forget_views(&app.db, app.now()).await?;
    history::tick(app).await
}
