//! What a worker asks (docs/media.md). None of it is in the public document.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::answer;
use shared::app::Ctx;
use shared::auth::Worker;
use shared::error::{ApiError, ApiResult, Check};
use shared::extract::{Json, Path};
use shared::ids::Id;
use shared::platform::sleep;

use crate::bucket::Store;
use crate::model::{Kind, LEASE, LEASED_URLS, MAX_ATTEMPTS, Purpose, backoff, file_names};
use crate::results::{ImageResult, VideoResult};
use crate::store::{self, Job, Leased, Made};

/// How often a worker that waits is looked after.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The longest a worker may wait for a job, in seconds.
const MAX_WAIT: u64 = 20;

/// A worker that wants to work.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseIn {
    worker: String,
    kinds: Option<Vec<Kind>>,
    wait_seconds: Option<u64>,
}

/// `POST /worker/lease`: the next job, waited for as long as the worker says.
pub async fn lease_job(_: Worker, State(app): State<Ctx>, Json(body): Json<LeaseIn>) -> ApiResult {
    let wait = body.wait_seconds.unwrap_or(0);
    Check::default()
        .field((1..=200).contains(&body.worker.len()), "worker", "must be 1 to 200 characters")
        .field(wait <= MAX_WAIT, "waitSeconds", "must be 0 to 20")
        .finish()?;
    let kinds = body.kinds.unwrap_or_else(|| vec![Kind::Video, Kind::Image]);
    let kinds = json!(kinds).to_string();
    let until = app.now().plus(Duration::from_secs(wait));
    loop {
        if store::is_job_due(&app.db, &kinds, app.now()).await?
            && let Some(job) = store::lease_job(&app.db, &kinds, &body.worker, app.now()).await?
        {
            return Ok(answer::json(StatusCode::OK, &json!({ "job": describe(&app, &job)? })));
        }
        if app.now() >= until {
            return Ok(answer::json(StatusCode::OK, &json!({ "job": null })));
        }
        sleep(LOOK_EVERY).await;
    }
}

fn describe(app: &Ctx, job: &Leased) -> ApiResult<Value> {
    let prefix = format!("{}{}/", job.prefix, job.fence);
    let object = format!("{}original", job.prefix);
    let (source, urls) = Store::of(app)?.worker_urls(&object, &prefix, file_names(job.kind), LEASED_URLS);
    let urls: serde_json::Map<_, _> = urls.into_iter().map(|(name, url)| (name, url.into())).collect();
    let variants = match (job.kind, job.purpose.as_str()) {
        (Kind::Video, _) => json!([]),
        (Kind::Image, "avatar") => json!(Purpose::Avatar.variants()),
        (Kind::Image, _) => json!(Purpose::Post.variants()),
    };
    Ok(json!({
        "id": job.key, "kind": job.kind, "key": job.key, "attempt": job.attempt, "fence": job.fence,
        "leaseExpiresAt": app.now().plus(LEASE).rfc3339(),
        "source": { "url": source, "size": job.size, "contentType": job.content_type },
        "variants": variants,
        "upload": { "prefix": prefix, "urls": urls },
    }))
}

/// A sign of life.
#[derive(Deserialize)]
pub struct HeartbeatIn {
    fence: i64,
    progress: u32,
}

/// `POST /worker/jobs/{id}/heartbeat`: renews the lease.
pub async fn renew_lease(
    _: Worker,
    State(app): State<Ctx>,
    Path(id): Path<Id>,
    Json(body): Json<HeartbeatIn>,
) -> ApiResult {
    Check::default().field(body.progress <= 100, "progress", "must be 0 to 100").finish()?;
    let job = find(&app, id).await?;
    let until = app.now().plus(LEASE);
    let cancelled = job.state == "cancelled" && job.fence == body.fence;
    if !cancelled && !store::renew_lease(&app.db, id, body.fence, body.progress, until).await? {
        return Err(lease_lost());
    }
    let answer = json!({ "leaseExpiresAt": until.rfc3339(), "cancelled": cancelled });
    Ok(answer::json(StatusCode::OK, &answer))
}

/// What a worker made.
#[derive(Deserialize)]
pub struct CompleteIn {
    fence: i64,
    result: Value,
}

/// `POST /worker/jobs/{id}/complete`: publishes what an attempt made.
pub async fn complete_job(
    _: Worker,
    State(app): State<Ctx>,
    Path(id): Path<Id>,
    Json(body): Json<CompleteIn>,
) -> ApiResult<Response> {
    let job = find(&app, id).await?;
    if let Some(answer) = answer_ended(&app, id, &job, body.fence, "done").await? {
        return Ok(answer);
    }
    let prefix = format!("{}{}/", job.prefix, body.fence);
    let (made, files) = read_result(job.kind, &prefix, body.result, job.avatar_url.clone())?;
    let bucket = Store::of(&app)?;
    let (there, _) = bucket.list(&job.prefix, None).await?;
    let is_there = |file: &String| there.iter().any(|object| object.strip_prefix(&prefix) == Some(file));
    if let Some(missing) = files.iter().find(|file| !is_there(file)) {
        return Err(ApiError::invalid("result", format!("names {missing}, which was not uploaded")));
    }
    if !store::complete_job(&app.db, id, body.fence, made, app.now()).await? {
        return Err(lease_lost());
    }
    // What attempts before left; the media's own removal takes it at the latest.
    let kept = [format!("{}original", job.prefix)];
    for object in there.iter().filter(|object| !object.starts_with(&prefix) && !kept.contains(object)) {
        let _ = bucket.delete(object).await;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn read_result(
    kind: Kind,
    prefix: &str,
    result: Value,
    avatar: Option<String>,
) -> ApiResult<(Made, Vec<String>)> {
    let unreadable = |error: serde_json::Error| ApiError::invalid("result", error.to_string());
    match kind {
        Kind::Image => {
            serde_json::from_value::<ImageResult>(result).map_err(unreadable)?.check(prefix, avatar)
        }
        Kind::Video => serde_json::from_value::<VideoResult>(result).map_err(unreadable)?.check(prefix),
    }
}

/// Why a worker could not.
#[derive(Deserialize)]
pub struct FailIn {
    fence: i64,
    code: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    permanent: bool,
}

/// `POST /worker/jobs/{id}/fail`: gives a job up, for good or for another attempt.
pub async fn fail_job(
    _: Worker,
    State(app): State<Ctx>,
    Path(id): Path<Id>,
    Json(body): Json<FailIn>,
) -> ApiResult<Response> {
    let is_word = (1..=50).contains(&body.code.len())
        && body.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    Check::default()
        .field(is_word, "code", "must be a snake_case word")
        .field(body.detail.chars().count() <= 300, "detail", "must be at most 300 characters")
        .finish()?;
    let job = find(&app, id).await?;
    if let Some(answer) = answer_ended(&app, id, &job, body.fence, "dead").await? {
        return Ok(answer);
    }
    let now = app.now();
    let done = if body.permanent {
        store::fail_job(&app.db, id, body.fence, (&body.code, &body.detail), now).await?
    } else if body.code == "cancelled" {
        store::return_job(&app.db, id, body.fence, now, true).await?
    } else if job.attempt >= MAX_ATTEMPTS {
        let why = ("processing_failed", "It could not be processed, several times.");
        store::fail_job(&app.db, id, body.fence, why, now).await?
    } else {
        // The millisecond is random enough to keep attempts apart.
        let jitter = u8::try_from(now.millis().rem_euclid(256)).unwrap_or(0);
        store::return_job(&app.db, id, body.fence, now.plus(backoff(job.attempt, jitter)), false).await?
    };
    // Returned by this very request before, whose answer was lost.
    let again = !done && job.state == "waiting" && job.fence == body.fence && !body.permanent;
    if done || again { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(lease_lost()) }
}

/// The answer to who tells the end of a job that has ended: 204 again for the same word of the same lease, and for a
/// media that nobody wants any more, whose objects go.
async fn answer_ended(app: &Ctx, id: Id, job: &Job, fence: i64, state: &str) -> ApiResult<Option<Response>> {
    if job.fence != fence {
        return Err(lease_lost());
    }
    if job.state == "cancelled" {
        store::forget_cancelled(&app.db, id).await?;
    } else if job.state != state {
        return Ok(None);
    }
    Ok(Some(StatusCode::NO_CONTENT.into_response()))
}

async fn find(app: &Ctx, id: Id) -> ApiResult<Job> {
    store::find_job(&app.db, id).await?.ok_or_else(ApiError::not_found)
}

fn lease_lost() -> ApiError {
    ApiError::conflict("lease_lost", "Another worker may have the job.")
}

/// `POST /worker/redrive`: queues again what failed for reasons of ours.
pub async fn redrive_jobs(_: Worker, State(app): State<Ctx>) -> ApiResult {
    let redriven = store::redrive(&app.db, app.now()).await?;
    Ok(answer::json(StatusCode::OK, &json!({ "redriven": redriven })))
}

/// `GET /worker/queue`: how many jobs are in each state, and the oldest of them; how many removals wait.
pub async fn count_jobs(_: Worker, State(app): State<Ctx>) -> ApiResult {
    Ok(answer::json_text(StatusCode::OK, store::count_jobs(&app.db).await?))
}

/// `GET /worker/orphans`: objects of the store that belong to nothing, of the first hundred thousand.
pub async fn list_orphans(_: Worker, State(app): State<Ctx>) -> ApiResult {
    let orphans = super::sweeps::find_orphans(&app).await?;
    Ok(answer::json(StatusCode::OK, &json!({ "orphans": orphans })))
}
