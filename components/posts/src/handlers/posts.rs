//! Posts, one by one.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use shared::answer::{IfNoneMatch, created};
use shared::app::Ctx;
use shared::auth::{Bearer, Caller};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Json, Path};
use shared::ids::Id;
use shared::trace::Trace;

use super::{meet_mentioned, settled};
use crate::model::{MediaIn, Text, Visibility, check_media};
use crate::store;

/// A post about to be published.
#[derive(Deserialize)]
pub struct PostIn {
    text: Option<String>,
    media: Option<Vec<MediaIn>>,
    visibility: Option<Visibility>,
}

/// `POST /posts`: anybody signed in.
pub async fn create_post(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    trace: Trace,
    Json(post): Json<PostIn>,
) -> ApiResult {
    check_media(&post.media.unwrap_or_default())?;
    let text = Text::parse(&post.text.unwrap_or_default())?;
    meet_mentioned(&app, &trace, &text).await?;
    let (now, visibility) = (app.now(), post.visibility.unwrap_or_default());
    let id = Id::new(now);
    let post = settled(&app, &caller, || store::create_post(&db, caller.id, id, &text, visibility, now));
    let post = post.await?.ok_or_else(ApiError::invalid_token)?;
    Ok(created(&location(&post, id), post))
}

/// A request that is sent again gets the post of the first run, whose id is not the one just made.
fn location(post: &str, id: Id) -> String {
    #[derive(Deserialize)]
    struct HasId {
        id: Id,
    }
    let id = serde_json::from_str::<HasId>(post).map_or(id, |post| post.id);
    format!("/posts/{id}")
}

/// `GET /posts/{id}`: who may see it.
pub async fn get_post(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Path(id): Path<Id>,
    known: IfNoneMatch,
) -> ApiResult {
    let post = settled(&app, &caller, || store::find_post(&db, id, caller.id)).await?;
    Ok(known.answer(post.ok_or_else(ApiError::not_found)?))
}

/// The change of a post.
#[derive(Deserialize)]
pub struct PostPatch {
    #[serde(default)]
    text: String,
}

/// `PATCH /posts/{id}`: its author.
pub async fn update_post(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    trace: Trace,
    Path(id): Path<Id>,
    Json(patch): Json<PostPatch>,
) -> ApiResult {
    let text = Text::parse(&patch.text);
    if let Ok(text) = &text {
        meet_mentioned(&app, &trace, text).await?;
        if store::update_post(&db, id, caller.id, text, app.now()).await? {
            let post = store::find_post(&db, id, caller.id).await?.ok_or_else(ApiError::not_found)?;
            return Ok(shared::answer::json_text(StatusCode::OK, post));
        }
    }
    Err(refusal(&db, id, caller.id, text.err()).await?)
}

/// `DELETE /posts/{id}`: its author.
pub async fn delete_post(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    Path(id): Path<Id>,
) -> ApiResult<Response> {
    if store::delete_post(&db, id, caller.id, app.now()).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Err(refusal(&db, id, caller.id, None).await?)
}

/// Why nothing changed: 404 for a post the caller does not see, 403 for one that is not theirs, else
/// what is wrong with the body.
async fn refusal(db: &Db, id: Id, caller: Id, invalid: Option<ApiError>) -> ApiResult<ApiError> {
    Ok(match store::is_author(db, id, caller).await? {
        None => ApiError::not_found(),
        Some(false) => ApiError::forbidden("not_author", "Only its author may do this."),
        Some(true) => invalid.unwrap_or_else(ApiError::not_found),
    })
}
