//! `/me`: the caller.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::answer::{IfNoneMatch, json_text};
use shared::app::Ctx;
use shared::auth::{Bearer, Caller};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Json;
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
    /// The key of an uploaded image.
    #[expect(dead_code, reason = "only its form counts while no service stores pictures")]
    key: String,
}

/// Gives the caller a picture they uploaded.
///
/// Refused while no service stores pictures.
#[utoipa::path(post, path = "/me/avatar", responses(
    (status = 200, description = "The caller, with the picture.", body = Me),
    (status = 422, description = "`media_unavailable`: pictures cannot be used yet"),
))]
pub async fn set_avatar(_: Caller, Json(_body): Json<AvatarIn>) -> ApiResult {
    Err(ApiError::unprocessable("media_unavailable", "Pictures cannot be used yet.")
        .field("key", "is not an uploaded image of yours"))
}

/// 200 with `Me`; 401 where its owner was deleted or suspended between two statements.
pub fn answer_me(me: Option<String>) -> ApiResult {
    me.map(|me| json_text(StatusCode::OK, me)).ok_or_else(ApiError::invalid_token)
}
