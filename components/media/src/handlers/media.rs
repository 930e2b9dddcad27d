//! One media.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use shared::answer::{IfNoneMatch, json_text};
use shared::app::Ctx;
use shared::auth::Bearer;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Json, Path};
use shared::ids::Id;
use shared::trace::log;
use shared::wire::Media;
use utoipa::ToSchema;

use super::{find, find_arrived, look, media_not_found, not_uploaded, purge, shown, warn};
use crate::model::Kind;
use crate::store::{self, Removal};

/// A media: the caller's own, or one in a post they may see.
#[utoipa::path(get, path = "/media/{key}", params(IfNoneMatch),
    responses((status = 200, description = "The media.", body = Media)))]
pub async fn get_media(
    State(app): State<Ctx>,
    caller: Bearer,
    Path(key): Path<Id>,
    known: IfNoneMatch,
) -> ApiResult {
    let mut row = find(&app, &caller, key).await?.ok_or_else(ApiError::not_found)?;
    if row.mine == 1 && row.status == "pending" {
        // A store that does not answer does not keep anybody from seeing how far it is.
        match look(&app, key, &row).await {
            Ok(()) => row = find(&app, &caller, key).await?.ok_or_else(ApiError::not_found)?,
            Err(error) => {
                let fields = serde_json::json!({ "error": error.source.map(|source| format!("{source:#}")) });
                log("warn", app.service.name, "an upload cannot be looked for", fields);
            }
        }
    }
    Ok(known.answer(shown(&app, row.json)))
}

/// A video to process.
#[derive(Deserialize, ToSchema)]
pub struct ProcessIn {
    /// Of the upload.
    key: String,
}

/// Puts an uploaded video into the queue; again, it is the same job.
#[utoipa::path(post, path = "/process-video", responses(
    (status = 202, description = "The media, on its way.", body = Media),
    (status = 422, description = "`media_not_found`: there is no such upload of the caller's; `not_uploaded`: it has not arrived; \
        `not_a_video`: it is an image"),
    (status = 503, description = "`unavailable`: the object store does not answer"),
))]
pub async fn process_video(State(app): State<Ctx>, caller: Bearer, Json(body): Json<ProcessIn>) -> ApiResult {
    let key = Id::parse(&body.key).ok_or_else(|| media_not_found("key"))?;
    let row = find(&app, &caller, key).await?.filter(|row| row.mine == 1);
    let row = row.ok_or_else(|| media_not_found("key"))?;
    if row.kind != Kind::Video {
        return Err(
            ApiError::unprocessable("not_a_video", "This is an image.").field("key", "is not a video")
        );
    }
    let mut row = find_arrived(&app, caller.id, key, row).await?;
    if row.status == "pending" {
        return Err(not_uploaded("key"));
    }
    if row.status == "uploaded" {
        store::queue(&app.db, key, app.now()).await?;
        row = store::find(&app.db, key, caller.id).await?.ok_or_else(ApiError::not_found)?;
    }
    Ok(json_text(StatusCode::ACCEPTED, shown(&app, row.json)))
}

/// Deletes a media of the caller's, its files included, wherever it is used.
#[utoipa::path(delete, path = "/media/{key}", responses(
    (status = 204, description = "It is gone."),
    (status = 403, description = "`not_owner`: it is somebody else's"),
))]
pub async fn delete_media(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Path(key): Path<Id>,
) -> ApiResult<Response> {
    let row = find(&app, &caller, key).await?.ok_or_else(ApiError::not_found)?;
    if row.mine == 0 {
        return Err(ApiError::forbidden("not_owner", "Only its owner may do this."));
    }
    if !store::delete(&db, key, caller.id, app.now()).await? {
        return Err(ApiError::not_found());
    }
    let removal = Removal { prefix: format!("{}/{key}/", caller.id), upload_id: row.upload_id };
    match purge(&app, &removal).await {
        Ok(()) => store::end_removal(&app.db, &removal.prefix).await?,
        Err(error) => warn(&app, "objects not deleted yet", &error),
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
