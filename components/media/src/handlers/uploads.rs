//! URLs that admit one upload each.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use shared::answer;
use shared::app::{App, Ctx};
use shared::auth::Bearer;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Json;
use shared::ids::Id;
use utoipa::ToSchema;

use super::original;
use crate::bucket::Store;
use crate::docs;
use crate::model::{Kind, MAX_OPEN, PARTS_TIME, Purpose, UPLOAD_TIME, Upload};
use crate::store::{self, NewUpload};

/// What is about to be uploaded.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadIn {
    /// Its media type: JPEG, PNG, WebP, GIF, AVIF or HEIC, MP4, QuickTime, WebM or Matroska.
    #[schema(examples("image/jpeg"))]
    content_type: String,
    /// Its size in bytes, exactly: images at most 16 MiB, videos 512 MiB.
    #[schema(minimum = 1)]
    size: i64,
    /// What it is, to be checked against the type.
    kind: Option<Kind>,
}

impl UploadIn {
    /// As [`Upload::check`].
    pub fn check(&self, purpose: Purpose) -> ApiResult<Upload> {
        Upload::check(&self.content_type, self.size, self.kind, purpose)
    }
}

/// Asks for a URL to upload one file to.
///
/// It admits exactly this size and type, once, for 15 minutes. `PUT` the bytes there with the headers named.
#[utoipa::path(post, path = "/upload-url", responses(
    (status = 201, description = "Where to put it.", body = docs::UploadUrl),
    (status = 403, description = "`upload_quota`: 20 uploads are open; use them, or wait until they end"),
    (status = 422, description = "`invalid`: a type or size that is not admitted"),
    (status = 503, description = "`unavailable`: there is no object store"),
))]
pub async fn create_upload(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Json(body): Json<UploadIn>,
) -> ApiResult {
    let upload = body.check(Purpose::Post)?;
    answer_upload(&app, &db, &caller, &upload, Purpose::Post).await
}

/// The picture about to be uploaded.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AvatarUploadIn {
    /// Its media type: JPEG, PNG, WebP, GIF, AVIF or HEIC.
    #[schema(examples("image/png"))]
    content_type: String,
    /// Its size in bytes, exactly: at most 5 MiB.
    #[schema(minimum = 1, maximum = 5_242_880)]
    size: i64,
}

/// Asks for a URL to upload a picture of oneself to; `POST /me/avatar` then shows it.
#[utoipa::path(post, path = "/avatar-url", responses(
    (status = 201, description = "Where to put it.", body = docs::UploadUrl),
    (status = 403, description = "`upload_quota`: 20 uploads are open; use them, or wait until they end"),
    (status = 422, description = "`invalid`: a type or size that is not admitted"),
    (status = 503, description = "`unavailable`: there is no object store"),
))]
pub async fn create_avatar_upload(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Json(body): Json<AvatarUploadIn>,
) -> ApiResult {
    let upload = Upload::check(&body.content_type, body.size, None, Purpose::Avatar)?;
    answer_upload(&app, &db, &caller, &upload, Purpose::Avatar).await
}

async fn answer_upload(app: &Ctx, db: &Db, caller: &Bearer, upload: &Upload, purpose: Purpose) -> ApiResult {
    let bucket = Store::of(app)?;
    let key = admit(app, db, caller, upload, purpose, None).await?;
    let (url, headers) = bucket.upload_url(&original(caller.id, key), upload.content_type, upload.size);
    let headers: serde_json::Map<_, _> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let expires = app.now().plus(UPLOAD_TIME).rfc3339();
    let answer = json!({ "key": key, "method": "PUT", "url": url, "headers": headers, "expiresAt": expires });
    Ok(answer::json(StatusCode::CREATED, &answer))
}

/// Admits an upload within the quota; its key.
pub async fn admit(
    app: &Ctx,
    db: &Db,
    caller: &Bearer,
    upload: &Upload,
    purpose: Purpose,
    part_size: Option<u64>,
) -> ApiResult<Id> {
    let now = app.now();
    let key = Id::new(now);
    let new = || NewUpload {
        owner: caller.id,
        key,
        purpose,
        upload,
        part_size,
        avatar_url: (purpose == Purpose::Avatar).then(|| avatar_url(app, key)),
        now,
        until: now.plus(if part_size.is_some() { PARTS_TIME } else { UPLOAD_TIME }),
    };
    if let Some(key) = store::create_upload(db, new()).await? {
        return Ok(key);
    }
    caller.settle(app).await?;
    store::create_upload(db, new()).await?.ok_or_else(|| {
        let detail = format!("{MAX_OPEN} uploads are open: use them, or wait until they end.");
        ApiError::forbidden("upload_quota", detail)
    })
}

fn avatar_url(app: &App, key: Id) -> String {
    format!("{}/avatars/{key}", app.config.public_url())
}
