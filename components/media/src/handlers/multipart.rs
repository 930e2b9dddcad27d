//! Uploads in parts (S3 multipart), for large videos and bad networks.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use shared::answer;
use shared::app::Ctx;
use shared::auth::Bearer;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Json, Path};
use shared::ids::Id;
use shared::wire::Media;
use utoipa::ToSchema;

use super::uploads::{UploadIn, admit};
use super::{find, find_arrived, original, shown};
use crate::bucket::{Store, StoreError};
use crate::docs;
use crate::model::{PART, PARTS_TIME, Purpose, parts_of};
use crate::store::{self, Row};

/// Asks for URLs to upload one file to in parts.
///
/// `PUT` each part, of `partSize` bytes but the last; `GET /media/{key}/parts` tells what is missing, with new URLs;
/// `POST /media/{key}/complete` puts them together.
#[utoipa::path(post, path = "/upload-url/multipart", responses(
    (status = 201, description = "Where to put the parts.", body = docs::PartsUrl),
    (status = 403, description = "`upload_quota`: 20 uploads are open; use them, or wait until they end"),
    (status = 422, description = "`invalid`: a type or size that is not admitted"),
    (status = 503, description = "`unavailable`: the object store does not answer"),
))]
pub async fn create_parts(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Json(body): Json<UploadIn>,
) -> ApiResult {
    let upload = body.check(Purpose::Post)?;
    let bucket = Store::of(&app)?;
    let key = admit(&app, &db, &caller, &upload, Purpose::Post, Some(PART)).await?;
    let object = original(caller.id, key);
    let begun = bucket.begin_parts(&object, upload.content_type).await?;
    let Some(held) = store::note_parts(&db, key, &begun).await? else { return Err(ApiError::not_found()) };
    // A request that is sent again goes on with the upload of the first run.
    if held != begun {
        let _ = bucket.abort_parts(&object, &begun).await;
    }
    let parts = bucket.part_urls(&object, &held, upload.size, PART, |_| true);
    let expires = app.now().plus(PARTS_TIME).rfc3339();
    let answer = json!({ "key": key, "partSize": PART, "parts": parts, "expiresAt": expires });
    Ok(answer::json(StatusCode::CREATED, &answer))
}

/// Which parts of an upload arrived, and where to put those that did not.
#[utoipa::path(get, path = "/media/{key}/parts", responses(
    (status = 200, description = "What arrived and what is missing.", body = docs::Parts),
    (status = 503, description = "`unavailable`: the object store does not answer"),
))]
pub async fn list_parts(State(app): State<Ctx>, caller: Bearer, Path(key): Path<Id>) -> ApiResult {
    let (row, upload, part) = find_upload(&app, &caller, key).await?;
    let object = original(row.owner, key);
    let bucket = Store::of(&app)?;
    // Complete, or given up: nothing is missing any more.
    let received = match row.status.as_str() {
        "pending" => bucket.list_parts(&object, &upload).await?,
        _ => None,
    };
    let missing = match &received {
        None => Vec::new(),
        Some(received) => bucket.part_urls(&object, &upload, row.size, part, |number| {
            received.iter().all(|part| part.number != number)
        }),
    };
    let answer = json!({ "partSize": part, "received": received.unwrap_or_default(), "missing": missing });
    Ok(answer::json(StatusCode::OK, &answer))
}

/// A part that was uploaded.
#[derive(Deserialize, ToSchema)]
pub struct PartIn {
    /// From 1.
    number: u16,
    /// The `ETag` of the answer to its upload.
    etag: String,
}

/// All parts of an upload.
#[derive(Deserialize, ToSchema)]
pub struct CompleteIn {
    /// Each of them once, in order.
    parts: Vec<PartIn>,
}

/// Puts the parts of an upload together.
#[utoipa::path(post, path = "/media/{key}/complete", responses(
    (status = 200, description = "The media; again, the same.", body = Media),
    (status = 403, description = "`not_owner`: it is somebody else's"),
    (status = 422, description = "`invalid_parts`: parts are missing, or others than were uploaded"),
    (status = 503, description = "`unavailable`: the object store does not answer"),
))]
pub async fn complete_parts(
    State(app): State<Ctx>,
    caller: Bearer,
    Path(key): Path<Id>,
    Json(body): Json<CompleteIn>,
) -> ApiResult {
    let (row, upload, part) = find_upload(&app, &caller, key).await?;
    if row.status == "pending" {
        let numbers = parts_of(row.size, part).into_iter().map(|(number, _)| number);
        if !numbers.eq(body.parts.iter().map(|part| part.number)) {
            return Err(invalid_parts("must be every part once, in order"));
        }
        let etags: Vec<String> = body.parts.into_iter().map(|part| part.etag).collect();
        if etags.iter().any(|etag| !is_etag(etag)) {
            return Err(invalid_parts("has an etag that is none"));
        }
        let (bucket, object) = (Store::of(&app)?, original(row.owner, key));
        match bucket.complete_parts(&object, &upload, &etags).await {
            Ok(()) => {}
            // Its answer to the first try may have been lost.
            Err(StoreError::Refused(_)) if bucket.find(&object).await?.is_some() => {}
            Err(StoreError::Refused(_)) => return Err(invalid_parts("is not what was uploaded")),
            Err(error) => return Err(error.into()),
        }
    }
    let row = find_arrived(&app, caller.id, key, row).await?;
    Ok(answer::json_text(StatusCode::OK, shown(&app, row.json)))
}

fn invalid_parts(message: &str) -> ApiError {
    ApiError::unprocessable("invalid_parts", "These are not the parts of the upload.").field("parts", message)
}

/// It goes into XML.
fn is_etag(etag: &str) -> bool {
    (1..=128).contains(&etag.len())
        && etag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"\"-".contains(&byte))
}

/// An upload in parts of the caller's: 404 where it is none they may see, 403 where it is somebody else's.
async fn find_upload(app: &Ctx, caller: &Bearer, key: Id) -> ApiResult<(Row, String, u64)> {
    let row = find(app, caller, key).await?.ok_or_else(ApiError::not_found)?;
    if row.mine == 0 {
        return Err(ApiError::forbidden("not_owner", "Only its owner may do this."));
    }
    match (row.upload_id.clone(), row.part_size) {
        (Some(upload), Some(part)) => Ok((row, upload, part)),
        _ => Err(ApiError::not_found()),
    }
}
