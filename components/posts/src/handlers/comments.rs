//! Comments.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::answer::json_text;
use shared::app::Ctx;
use shared::auth::{Bearer, Caller};
use shared::db::{Db, PageOut};
use shared::error::{ApiError, ApiResult};
use shared::extract::{Json, Path, Query};
use shared::ids::Id;
use shared::page::Page;
use shared::trace::Trace;
use shared::wire;
use utoipa::{IntoParams, ToSchema};

use super::{meet_mentioned, settled};
use crate::docs::Comment;
use crate::model::{MAX_DEPTH, Text};
use crate::store::{self, NewComment};

/// Which comments of the post.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CommentsQuery {
    /// The comment whose replies are asked for.
    #[param(value_type = Option<Id>)]
    parent: Option<String>,
}

/// The comments on a post, or with `parent` the replies to one, oldest first.
#[utoipa::path(get, path = "/comments/{post_id}", params(CommentsQuery, Page),
    responses((status = 200, description = "A page of comments.", body = wire::Page<Comment>)))]
pub async fn list_comments(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Path(post): Path<Id>,
    Query(query): Query<CommentsQuery>,
    page: Page,
) -> ApiResult<PageOut> {
    let after = page.after_integer()?;
    let parent = match query.parent.as_deref() {
        None => None,
        Some(id) => Some(Id::parse(id).ok_or_else(|| ApiError::invalid("parent", "is not a UUID"))?),
    };
    let list = || store::list_comments(&db, post, caller.id, parent, after.clone(), page.limit);
    settled(&app, &caller, list).await?.ok_or_else(ApiError::not_found)
}

/// A comment about to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommentIn {
    /// 1 to 500 graphemes, of which a URL counts 23.
    #[schema(required = true, min_length = 1)]
    #[serde(default)]
    text: String,
    /// The comment it answers; null for one on the post itself.
    parent_id: Option<Id>,
}

/// Comments on a post, or answers a comment on it.
#[utoipa::path(post, path = "/comments/{post_id}", responses(
    (status = 201, description = "The comment.", body = Comment),
    (status = 422, description = "`too_deep`: replies go 50 deep"),
))]
pub async fn create_comment(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    trace: Trace,
    Path(post): Path<Id>,
    Json(comment): Json<CommentIn>,
) -> ApiResult {
    let text = Text::parse(&comment.text)?;
    meet_mentioned(&app, &trace, &text).await?;
    let now = app.now();
    let new = NewComment { post, author: caller.id, parent: comment.parent_id, text: &text };
    match store::create_comment(&db, Id::new(now), &new, now).await? {
        Some(comment) => Ok(json_text(StatusCode::CREATED, comment)),
        None => Err(refusal(&db, &new).await?),
    }
}

/// 404 for the post, 422 for the parent.
async fn refusal(db: &Db, new: &NewComment<'_>) -> ApiResult<ApiError> {
    let found = store::find_refusal(db, new).await?.filter(|found| found.published == 1);
    Ok(match found.map(|found| found.parent) {
        None => ApiError::not_found(),
        Some(Some(depth)) if depth >= MAX_DEPTH => {
            ApiError::unprocessable("too_deep", "Replies go 50 deep and no deeper.")
                .field("parentId", "is as deep as a comment may be")
        }
        Some(_) => ApiError::invalid("parentId", "is not a comment on this post"),
    })
}

/// Deletes a comment, with the replies to it.
///
/// For its author, and the post's.
#[utoipa::path(delete, path = "/comments/{post_id}/{comment_id}", responses(
    (status = 204, description = "It is gone."),
    (status = 403, description = "`not_author`: only its author or the post's may do this"),
))]
pub async fn delete_comment(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    Path((post, comment)): Path<(Id, Id)>,
) -> ApiResult<StatusCode> {
    if store::delete_comment(&db, post, caller.id, comment, app.now()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    if store::sees_comment(&db, post, caller.id, comment).await? {
        return Err(ApiError::forbidden("not_author", "Only its author or the post's may do this."));
    }
    Err(ApiError::not_found())
}
