//! `/me`: the caller.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::answer::{IfNoneMatch, json_text};
use shared::app::Ctx;
use shared::auth::{Bearer, Caller};
use shared::clients::{ClaimIn, ClaimedMedia, MediaStore};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Json;
use shared::trace::Trace;
use shared::wire::Me;
use utoipa::ToSchema;

use crate::model::ProfileIn;
use crate::store::{Lens, Store};

/// The caller.
// Hot, so where they stand is part of the one read.
#[utoipa::path(get, path = "/me", params(IfNoneMatch), responses((status = 200, description = "The caller.", body = Me)))]
pub async fn get_me(caller: Bearer, State(app): State<Ctx>, db: Db, known: IfNoneMatch) -> ApiResult {
    let (store, lens) = (Store(db), Lens::new(&app, Some(&caller.token)));
    if let Some(me) = store.get_me(caller.id, &lens).await? {
        return Ok(known.answer(me));
    }
    caller.settle(&app).await?;
    let me = store.get_me(caller.id, &lens).await?;
    Ok(known.answer(me.ok_or_else(ApiError::invalid_token)?))
}

/// Changes what others are shown of the caller.
///
/// What is left out stays, null clears. Who goes private is private everywhere by the time this answers.
#[utoipa::path(patch, path = "/me", responses((status = 200, description = "The caller, changed.", body = Me)))]
pub async fn update_me(
    caller: Caller,
    State(app): State<Ctx>,
    db: Db,
    Json(body): Json<ProfileIn>,
) -> ApiResult {
    let patch = body.check()?;
    let lens = Lens::new(&app, Some(&caller.token));
    answer_me(Store(db).update_me(caller.id, patch, app.now(), &lens).await?)
}

/// The version of the terms that somebody accepts.
#[derive(Deserialize, ToSchema)]
pub struct TermsIn {
    /// `terms.currentVersion` of `Me`.
    version: String,
}

/// The caller accepts the current terms.
#[utoipa::path(post, path = "/me/accept-terms", responses(
    (status = 200, description = "The caller. Accepted again, the first time stays.", body = Me),
    (status = 422, description = "`terms_outdated`: these are not the current terms"),
))]
pub async fn accept_terms(
    caller: Caller,
    State(app): State<Ctx>,
    db: Db,
    Json(body): Json<TermsIn>,
) -> ApiResult {
    let lens = Lens::new(&app, Some(&caller.token));
    if body.version != lens.terms {
        return Err(ApiError::unprocessable("terms_outdated", "These are not the current terms.")
            .field("version", format!("must be the current version, {}", lens.terms)));
    }
    answer_me(Store(db).accept_terms(caller.id, app.now(), &lens).await?)
}

/// The picture that somebody uploaded.
#[derive(Deserialize, ToSchema)]
pub struct AvatarIn {
    /// The key of an image uploaded by `/avatar-url`.
    key: String,
}

/// Gives the caller a picture they uploaded.
///
/// It is shown when it is ready, which mostly is before this answers; until then the one before stays.
#[utoipa::path(post, path = "/me/avatar", responses(
    (status = 200, description = "The caller, with the picture.", body = Me),
    (status = 422, description = "`media_not_found`: there is no such upload of the caller's; `not_uploaded`: it has not arrived; \
        the code of an image that failed"),
    (status = 503, description = "`unavailable`: what keeps uploads does not answer"),
))]
pub async fn set_avatar(
    caller: Caller,
    State(app): State<Ctx>,
    db: Db,
    trace: Trace,
    Json(body): Json<AvatarIn>,
) -> ApiResult {
    let (purpose, fields) = ("avatar".to_owned(), vec!["key".to_owned()]);
    let claim = ClaimIn { owner: caller.id, purpose, keys: vec![body.key], fields };
    let claimed = MediaStore::new(&app, &trace).claim(&claim).await?.into_iter().next();
    // It may have been deleted, or have failed, while it was waited for.
    let claimed = claimed.ok_or_else(|| {
        ApiError::unprocessable("media_not_found", "There is no such upload of yours.")
            .field("key", "is not an upload of yours")
    })?;
    if let Some(refusal) = refusal(&claimed) {
        return Err(refusal);
    }
    let lens = Lens::new(&app, Some(&caller.token));
    answer_me(Store(db).set_avatar(caller.id, &claimed, app.now(), &lens).await?)
}

/// 422 with the code of what failed.
fn refusal(claimed: &ClaimedMedia) -> Option<ApiError> {
    let code = claimed.media["error"]["code"].as_str()?.to_owned();
    let detail = claimed.media["error"]["detail"].as_str().unwrap_or("It cannot be used.").to_owned();
    Some(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail.clone()).field("key", detail))
}

/// 200 with `Me`; 401 where its owner was deleted or suspended between two statements.
pub fn answer_me(me: Option<String>) -> ApiResult {
    me.map(|me| json_text(StatusCode::OK, me)).ok_or_else(ApiError::invalid_token)
}
