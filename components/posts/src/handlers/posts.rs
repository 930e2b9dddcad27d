//! Posts, one by one.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use shared::answer::{IfNoneMatch, created};
use shared::app::Ctx;
use shared::auth::{Bearer, Caller};
use shared::clients::{ClaimIn, ClaimedMedia, MediaStore};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Json, Path};
use shared::ids::Id;
use shared::media::fill;
use shared::trace::Trace;
use utoipa::ToSchema;

use super::{meet_mentioned, settled};
use crate::docs;
use crate::model::{Attached, MediaIn, Text, Visibility, check_media};
use crate::store::{self, NewPost};

/// A post about to be published.
#[derive(Deserialize, ToSchema)]
pub struct PostIn {
    /// At most 500 graphemes, of which a URL counts 23. Needed where there are no media.
    #[schema(examples("Good morning! #tea"))]
    text: Option<String>,
    /// What was uploaded, in the order it is shown.
    #[schema(max_items = 4)]
    media: Option<Vec<MediaIn>>,
    /// Public unless told.
    visibility: Option<Visibility>,
}

/// Publishes a post.
#[utoipa::path(post, path = "/posts", responses(
    (status = 201, description = "The post.", body = docs::Post,
        headers(("Location" = String, description = "The path of the post."))),
    (status = 422, description = "`media_not_found`: there is no such upload of the caller's; `not_uploaded`: it has not arrived; \
        the code of a media that failed"),
    (status = 503, description = "`unavailable`: what keeps uploads does not answer"),
))]
pub async fn create_post(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    trace: Trace,
    Json(post): Json<PostIn>,
) -> ApiResult {
    let media = post.media.unwrap_or_default();
    check_media(&media)?;
    let text = Text::parse_beside(&post.text.unwrap_or_default(), !media.is_empty())?;
    meet_mentioned(&app, &trace, &text).await?;
    let media = claim_media(&app, &trace, caller.id, media).await?;
    let (now, visibility) = (app.now(), post.visibility.unwrap_or_default());
    let id = Id::new(now);
    let new = || NewPost { author: caller.id, id, text: &text, visibility, media: &media, now };
    let post = settled(&app, &caller, || store::create_post(&db, new())).await?;
    let post = post.ok_or_else(ApiError::invalid_token)?;
    Ok(created("/posts", fill(&app, post)))
}

/// The media a post is to show, as far as they are; nothing is asked where there are none.
async fn claim_media(app: &Ctx, trace: &Trace, author: Id, media: Vec<MediaIn>) -> ApiResult<Vec<Attached>> {
    if media.is_empty() {
        return Ok(Vec::new());
    }
    let keys = media.iter().map(|one| one.key.clone()).collect();
    let fields = (0..media.len()).map(|index| format!("media[{index}].key")).collect();
    let claim = ClaimIn { owner: author, purpose: "post".to_owned(), keys, fields };
    let claimed = MediaStore::new(app, trace).claim(&claim).await?;
    let attached = |(one, ClaimedMedia { key, status, media, .. }): (MediaIn, ClaimedMedia)| Attached {
        key,
        alt: one.alt.filter(|alt| !alt.is_empty()),
        status,
        media,
    };
    Ok(media.into_iter().zip(claimed).map(attached).collect())
}

/// A post.
#[utoipa::path(get, path = "/posts/{id}", params(IfNoneMatch),
    responses((status = 200, description = "The post.", body = docs::Post)))]
pub async fn get_post(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Path(id): Path<Id>,
    known: IfNoneMatch,
) -> ApiResult {
    let post = settled(&app, &caller, || store::find_post(&db, id, caller.id)).await?;
    Ok(known.answer(fill(&app, post.ok_or_else(ApiError::not_found)?)))
}

/// The change of a post.
#[derive(Deserialize, ToSchema)]
pub struct PostPatch {
    /// At most 500 graphemes, of which a URL counts 23. Empty only where the post shows something.
    #[schema(required = true)]
    #[serde(default)]
    text: String,
}

/// Changes the text of a post of the caller's.
#[utoipa::path(patch, path = "/posts/{id}", responses(
    (status = 200, description = "The post, changed.", body = docs::Post),
    (status = 403, description = "`not_author`: only its author may do this"),
))]
pub async fn update_post(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    trace: Trace,
    Path(id): Path<Id>,
    Json(patch): Json<PostPatch>,
) -> ApiResult {
    let text = Text::parse_beside(&patch.text, true);
    if let Ok(text) = &text {
        meet_mentioned(&app, &trace, text).await?;
        if store::update_post(&db, id, caller.id, text, app.now()).await? {
            let post = store::find_post(&db, id, caller.id).await?.ok_or_else(ApiError::not_found)?;
            return Ok(shared::answer::json_text(StatusCode::OK, fill(&app, post)));
        }
    }
    let invalid = text.err().unwrap_or_else(|| ApiError::invalid("text", "must not be empty"));
    Err(refusal(&db, id, caller.id, Some(invalid)).await?)
}

/// Deletes a post of the caller's, with all that is below it.
#[utoipa::path(delete, path = "/posts/{id}", responses(
    (status = 204, description = "It is gone."),
    (status = 403, description = "`not_author`: only its author may do this"),
))]
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
