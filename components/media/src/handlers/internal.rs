//! What other services ask.

use std::time::Duration;

use axum::extract::State;
use http::StatusCode;
use serde_json::json;
use shared::answer::{json, json_text};
use shared::app::Ctx;
use shared::auth::Internal;
use shared::clients::{ClaimIn, ClaimedMedia};
use shared::error::{ApiError, ApiResult};
use shared::extract::{Json, Path};
use shared::ids::Id;
use shared::media::fill;
use shared::people;
use shared::platform::sleep;
use shared::trace::Trace;

use super::{find_arrived, media_not_found, not_uploaded};
use crate::model::Kind;
use crate::store;

/// How long a picture that is processed is waited for: most take a moment, and what shows them is there at once then.
const PICTURE_TIME: Duration = Duration::from_secs(3);
/// How long one that nobody processes yet.
const QUEUED_TIME: Duration = Duration::from_millis(1_200);
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// `POST /internal/claims`: somebody is about to use what they uploaded. Looks for what has not arrived, queues what has, and
/// answers how far each is, in the order asked.
pub async fn claim_media(
    _: Internal,
    State(app): State<Ctx>,
    trace: Trace,
    Json(body): Json<ClaimIn>,
) -> ApiResult {
    people::ensure(&app, &trace, body.owner).await?;
    let field = |index: usize| body.fields.get(index).map_or("key", String::as_str);
    let mut keys = Vec::new();
    for (index, key) in body.keys.iter().enumerate() {
        let key = Id::parse(key).ok_or_else(|| media_not_found(field(index)))?;
        let row = store::find(&app.db, key, body.owner).await?;
        let row = row.filter(|row| row.mine == 1 && row.purpose == body.purpose);
        let row = row.ok_or_else(|| media_not_found(field(index)))?;
        let row = find_arrived(&app, body.owner, key, row).await?;
        match row.status.as_str() {
            "pending" => return Err(not_uploaded(field(index))),
            "failed" => return Err(media_failed(field(index), &row)),
            "uploaded" if row.kind == Kind::Video => store::queue(&app.db, key, app.now()).await?,
            _ => {}
        }
        keys.push(key);
    }
    let keys = json!(keys).to_string();
    store::claim(&app.db, body.owner, &keys, &body.purpose, app.now()).await?;
    let items = wait_for_pictures(&app, body.owner, &keys, &body.purpose).await?;
    Ok(json(StatusCode::OK, &json!({ "items": items })))
}

async fn wait_for_pictures(app: &Ctx, owner: Id, keys: &str, purpose: &str) -> ApiResult<Vec<ClaimedMedia>> {
    let start = app.now();
    loop {
        let items = store::find_claimed(&app.db, owner, keys, purpose).await?;
        let waited = app.now();
        let is_worth_it = |item: &ClaimedMedia| {
            item.media["kind"] == "image"
                && match item.status.as_str() {
                    "queued" => waited < start.plus(QUEUED_TIME),
                    "processing" => waited < start.plus(PICTURE_TIME),
                    _ => false,
                }
        };
        if !items.iter().any(is_worth_it) {
            return Ok(items);
        }
        sleep(LOOK_EVERY).await;
    }
}

fn media_failed(field: &str, row: &store::Row) -> ApiError {
    let detail = row.json["error"]["detail"].as_str().unwrap_or("It cannot be used.").to_owned();
    let code = row.json["error"]["code"].as_str().unwrap_or("processing_failed").to_owned();
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail.clone()).field(field, detail)
}

/// `GET /internal/export/{userId}`: the uploads of a person, with links to them.
pub async fn export_person(_: Internal, State(app): State<Ctx>, Path(user): Path<Id>) -> ApiResult {
    let uploads = store::export(&app.db, user).await?;
    Ok(json_text(StatusCode::OK, fill(&app, format!("{{\"uploads\":{uploads}}}"))))
}
