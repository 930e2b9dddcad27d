//! How a post is received.

use axum::extract::State;
use serde::Deserialize;
use shared::answer::IfNoneMatch;
use shared::app::{App, Ctx};
use shared::auth::Bearer;
use shared::clients::{Client, ClientError};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Path;
use shared::ids::Id;
use shared::trace::Trace;

use crate::docs::PostAnalytics;
use crate::model::{day_of, with_unique_viewers};
use crate::store;

/// How a post of the caller's is received, day by day.
///
/// `uniqueViewers` is an estimate, within some 2 % of many and right for few.
#[utoipa::path(get, path = "/analytics/posts/{id}", params(IfNoneMatch), responses(
    (status = 200, description = "Every day since it came out, oldest first, today last.", body = PostAnalytics),
    (status = 403, description = "`not_author`: only its author may see this"),
    (status = 503, description = "`unavailable`: whose it is cannot be asked now"),
))]
pub async fn get_post_analytics(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    trace: Trace,
    known: IfNoneMatch,
    Path(post): Path<Id>,
) -> ApiResult {
    let today = day_of(app.now());
    let mut found = store::get_post_analytics(&db, post, caller.id, today).await?;
    if found.is_none() {
        caller.settle(&app).await?;
        require_author(&app, &trace, post, caller.id).await?;
        found = store::get_post_analytics(&db, post, caller.id, today).await?;
    }
    let found = match found {
        Some(found) => found,
        // It is so new that nobody told of it yet.
        None => store::empty_post_analytics(&db, today).await?,
    };
    Ok(known.answer(with_unique_viewers(found)))
}

/// An answer of `GET /internal/visible` of posts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Visible {
    author_id: Id,
}

/// 404 where the caller may not see the post, 403 where it is somebody else's. `posts` knows, and is asked by nobody but who
/// is not its author, or is so of a post that came out a moment ago.
async fn require_author(app: &App, trace: &Trace, post: Id, caller: Id) -> ApiResult<()> {
    let path = format!("/internal/visible?viewer={caller}&type=post&id={post}");
    match Client::new(app, trace, "posts").get::<Visible>(&path).await {
        Ok(visible) if visible.author_id == caller => Ok(()),
        Ok(_) => Err(ApiError::forbidden("not_author", "Only its author may see this.")),
        Err(ClientError::Answered(problem)) if problem.status == 404 => Err(ApiError::not_found()),
        Err(error) => Err(ApiError::unavailable(error)),
    }
}
