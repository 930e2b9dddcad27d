//! Scoops, one by one.

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
use shared::trace::Trace;
use utoipa::ToSchema;

use super::settled;
use crate::docs::Scoop;
use crate::links::fill;
use crate::model::{Audience, Terms};
use crate::store::{self, NewScoop};

/// A scoop about to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScoopIn {
    /// Of an upload.
    media_key: String,
    /// At most 150 graphemes.
    #[schema(examples("Look at this!"))]
    caption: Option<String>,
    /// Followers unless told.
    audience: Option<Audience>,
    /// 24 unless told.
    #[schema(minimum = 1, maximum = 24)]
    expires_in_hours: Option<i64>,
}

/// Makes a scoop.
///
/// Others see it when its media is ready. Its time counts from now all the same.
#[utoipa::path(post, path = "/scoops", responses(
    (status = 201, description = "The scoop.", body = Scoop,
        headers(("Location" = String, description = "The path of the scoop."))),
    (status = 409, description = "`scoop_limit`: 20 scoops of the caller's live already"),
    (status = 422, description = "`media_not_found`: there is no such upload of the caller's; `not_uploaded`: it has not arrived; \
        the code of a media that failed"),
    (status = 503, description = "`unavailable`: what keeps uploads does not answer"),
))]
pub async fn create_scoop(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    trace: Trace,
    Json(scoop): Json<ScoopIn>,
) -> ApiResult {
    let terms = Terms::check(scoop.caption.as_deref(), scoop.expires_in_hours)?;
    let claimed = claim_media(&app, &trace, caller.id, scoop.media_key).await?;
    let now = app.now();
    let new = NewScoop {
        author: caller.id,
        id: Id::new(now),
        media_key: claimed.key,
        media_status: &claimed.status,
        media: &claimed.media,
        caption: terms.caption.as_deref(),
        audience: scoop.audience.unwrap_or_default(),
        now,
        life: terms.life,
    };
    match store::create_scoop(&db, new).await? {
        Some(scoop) => Ok(created("/scoops", fill(&app, &scoop))),
        None if store::is_media_gone(&db, claimed.key).await? => Err(media_not_found()),
        None => Err(ApiError::conflict("scoop_limit", "20 scoops of yours live already.")),
    }
}

/// The media of a scoop, as far as it is.
async fn claim_media(app: &Ctx, trace: &Trace, author: Id, key: String) -> ApiResult<ClaimedMedia> {
    let (purpose, fields) = ("post".to_owned(), vec!["mediaKey".to_owned()]);
    let claim = ClaimIn { owner: author, purpose, keys: vec![key], fields };
    let claimed = MediaStore::new(app, trace).claim(&claim).await?;
    // It could be deleted between two statements of the claim.
    claimed.into_iter().next().ok_or_else(media_not_found)
}

fn media_not_found() -> ApiError {
    ApiError::unprocessable("media_not_found", "There is no such upload of yours.")
        .field("mediaKey", "is not an upload of yours")
}

/// A scoop, while it lives.
#[utoipa::path(get, path = "/scoops/{id}", params(IfNoneMatch),
    responses((status = 200, description = "The scoop.", body = Scoop)))]
pub async fn get_scoop(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Path(id): Path<Id>,
    known: IfNoneMatch,
) -> ApiResult {
    let find = || store::find_scoop(&db, id, caller.id, app.now());
    let scoop = settled(&app, &caller, find).await?.ok_or_else(ApiError::not_found)?;
    Ok(known.answer(fill(&app, &scoop)))
}

/// Deletes a scoop of the caller's, its media with it.
///
/// One that has ended goes from the archive by deleting its media.
#[utoipa::path(delete, path = "/scoops/{id}", responses(
    (status = 204, description = "It is gone."),
    (status = 403, description = "`not_author`: only its author may do this"),
))]
pub async fn delete_scoop(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    Path(id): Path<Id>,
) -> ApiResult<Response> {
    let now = app.now();
    if store::delete_scoop(&db, id, caller.id, now).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    match store::is_author(&db, id, caller.id, now).await? {
        Some(false) => Err(ApiError::forbidden("not_author", "Only its author may do this.")),
        _ => Err(ApiError::not_found()),
    }
}
