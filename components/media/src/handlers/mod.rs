//! The handlers, by noun.

pub mod avatars;
pub mod internal;
pub mod media;
pub mod multipart;
pub mod streams;
pub mod sweeps;
pub mod uploads;
pub mod workers;

use serde_json::{Map, Value};
use shared::app::{App, Ctx};
use shared::auth::Bearer;
use shared::error::{ApiError, ApiResult};
use shared::ids::Id;
use shared::media::fill;
use shared::trace::log;

use crate::bucket::{Store, StoreError};
use crate::model::{Kind, is_of_type};
use crate::store::{self, Row};

/// Where the upload `key` of `owner` lies.
fn original(owner: Id, key: Id) -> String {
    format!("{owner}/{key}/original")
}

/// `Media` of the contract, with links.
fn shown(app: &App, mut media: Map<String, Value>) -> String {
    // What a media shows is said where it is used.
    media.insert("alt".to_owned(), Value::Null);
    fill(app, Value::Object(media).to_string())
}

/// 422 for a key that is not the caller's, as for one that is not there.
fn media_not_found(field: &str) -> ApiError {
    ApiError::unprocessable("media_not_found", "There is no such upload of yours.")
        .field(field, "is not an upload of yours")
}

/// 422 for an upload that has not arrived.
fn not_uploaded(field: &str) -> ApiError {
    ApiError::unprocessable("not_uploaded", "Nothing was uploaded there yet.")
        .field(field, "is not uploaded yet")
}

/// The media `key` where the caller may see it; who is new here is brought in first.
async fn find(app: &Ctx, caller: &Bearer, key: Id) -> ApiResult<Option<Row>> {
    if let Some(row) = store::find(&app.db, key, caller.id).await? {
        return Ok(Some(row));
    }
    caller.settle(app).await?;
    Ok(store::find(&app.db, key, caller.id).await?)
}

/// The media `key` of the person `owner`, looked for in the store where it has not arrived.
async fn find_arrived(app: &Ctx, owner: Id, key: Id, row: Row) -> ApiResult<Row> {
    if row.status != "pending" {
        return Ok(row);
    }
    look(app, key, &row).await?;
    store::find(&app.db, key, owner).await?.ok_or_else(ApiError::not_found)
}

/// Looks whether what was admitted has arrived, and is what was declared. An image goes into the queue at once.
async fn look(app: &Ctx, key: Id, row: &Row) -> ApiResult<()> {
    let (bucket, object) = (Store::of(app)?, original(row.owner, key));
    let Some(found) = bucket.find(&object).await? else { return Ok(()) };
    let now = app.now();
    let fault = if found.size != row.size {
        Some(("size_mismatch", "The file is not of the size that was declared."))
    } else if !is_of_type(&row.content_type, &found.head) {
        Some(("type_mismatch", "The file is not of the type that was declared."))
    } else {
        None
    };
    if let Some((code, detail)) = fault {
        store::reject(&app.db, key, code, detail, now).await?;
        // What was never admitted is not kept either; the sweep takes it where this fails.
        let _ = bucket.delete(&object).await;
        return Ok(());
    }
    store::note_arrival(&app.db, key, now).await?;
    if row.kind == Kind::Image {
        store::queue(&app.db, key, now).await?;
    }
    Ok(())
}

/// Deletes everything below `prefix` now, where the store is there; else the tick does.
async fn purge(app: &Ctx, removal: &store::Removal) -> Result<(), StoreError> {
    let Ok(bucket) = Store::of(app) else { return Err(StoreError::Down(anyhow::anyhow!("no object store"))) };
    if let Some(upload) = &removal.upload_id {
        bucket.abort_parts(&format!("{}original", removal.prefix), upload).await?;
    }
    bucket.delete_below(&removal.prefix).await.map(drop)
}

fn warn(app: &App, message: &str, error: &StoreError) {
    log("warn", app.service.name, message, serde_json::json!({ "error": error.to_string() }));
}
