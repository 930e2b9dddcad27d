//! The queue. Who moves a job moves its media: triggers of 0002_jobs.sql keep the two together.

use serde::Deserialize;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use crate::model::{Kind, LEASE, MAX_ATTEMPTS};

/// Waits, or its lease ended with attempts left; pictures first, because they take a moment. Both halves by `jobs_by_due`.
pub const LEASE_JOB: &str = "update jobs set
        state = 'leased', attempt = attempt + 1, fence = fence + 1, worker = ?2, due_at = ?4
    where key = (select key from jobs
        where state in ('waiting', 'leased') and due_at <= ?3 and (state = 'waiting' or attempt < ?5)
          and kind in (select value from json_each(?1))
        order by kind, due_at limit 1)
    returning (select json_object('key', jobs.key, 'prefix', jobs.prefix, 'kind', jobs.kind, 'attempt', jobs.attempt,
        'fence', jobs.fence, 'purpose', m.purpose, 'contentType', m.content_type, 'size', m.size)
        from media as m where m.key = jobs.key)";

/// A job that was leased.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Leased {
    /// Of the media, and of the job.
    pub key: Id,
    /// Of its objects.
    pub prefix: String,
    /// What it is.
    pub kind: Kind,
    /// From 1.
    pub attempt: i64,
    /// Names the lease.
    pub fence: i64,
    /// `post` or `avatar`.
    pub purpose: String,
    /// As declared.
    pub content_type: String,
    /// As declared.
    pub size: u64,
}

/// Leases the next job of one of `kinds` until `LEASE` from now.
pub async fn lease_job(db: &Db, kinds: &str, worker: &str, now: Instant) -> Result<Option<Leased>, DbError> {
    let params = params![kinds, worker, now.millis(), now.plus(LEASE).millis(), MAX_ATTEMPTS];
    db.read_as(LEASE_JOB, params).await
}

const IS_DUE: &str = "select 1 from jobs where state in ('waiting', 'leased') and due_at <= ?2
    and (state = 'waiting' or attempt < ?3) and kind in (select value from json_each(?1)) limit 1";

/// Whether there is something to lease: asked often, by every worker that waits, so without a write.
pub async fn is_job_due(db: &Db, kinds: &str, now: Instant) -> Result<bool, DbError> {
    Ok(db.read(IS_DUE, params![kinds, now.millis(), MAX_ATTEMPTS]).await?.is_some())
}

/// A job as its worker may be told of it.
#[derive(Debug, Deserialize)]
pub struct Job {
    /// `waiting`, `leased`, `done`, `dead` or `cancelled`.
    pub state: String,
    /// Of the newest lease.
    pub fence: i64,
    /// Of that lease.
    pub attempt: i64,
    /// Of its objects.
    pub prefix: String,
    /// What it is.
    pub kind: Kind,
    /// Where an avatar will be shown.
    pub avatar_url: Option<String>,
}

const FIND_JOB: &str =
    "select json_object('state', state, 'fence', fence, 'attempt', attempt, 'prefix', prefix, 'kind', kind,
        'avatar_url', (select avatar_url from media where media.key = jobs.key))
    from jobs where key = ?1";

/// The job `key`.
pub async fn find_job(db: &Db, key: Id) -> Result<Option<Job>, DbError> {
    db.read_as(FIND_JOB, params![key]).await
}

const RENEW: &str =
    "update jobs set due_at = ?3 where key = ?1 and fence = ?2 and state = 'leased' returning 1";

const PROGRESS: &str =
    "update media set progress = max(progress, ?2) where key = ?1 and status = 'processing'";

/// Renews a lease and notes the progress; false where it is lost.
pub async fn renew_lease(
    db: &Db,
    key: Id,
    fence: i64,
    progress: u32,
    until: Instant,
) -> Result<bool, DbError> {
    if db.write(RENEW, params![key, fence, until.millis()]).await?.is_none() {
        return Ok(false);
    }
    db.rows(PROGRESS, params![key, progress]).await?;
    Ok(true)
}

/// What a worker made, as it goes into the row.
pub struct Made {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// In milliseconds.
    pub duration_ms: Option<u64>,
    /// Of the picture, or of the still.
    pub blurhash: String,
    /// What is shown.
    pub shown: String,
    /// The still of a video, the small size of an image.
    pub poster: String,
    /// Renditions, as JSON.
    pub stream: Option<String>,
    /// Where an avatar is shown.
    pub avatar_url: Option<String>,
}

/// The job's own columns move by the trigger `job_ended`.
const COMPLETE: &str = "update media set status = 'ready', progress = 100, error_code = null, error_detail = null,
        width = ?3, height = ?4, duration_ms = ?5, blurhash = ?6, shown_object = ?7, poster_object = ?8, stream = ?9,
        avatar_url = ?10, changed_at = ?11
    where key = ?1 and status = 'processing'
      and exists (select 1 from jobs where jobs.key = ?1 and jobs.fence = ?2 and jobs.state = 'leased')
    returning 1";

/// Publishes what an attempt made; false where its lease is lost.
pub async fn complete_job(db: &Db, key: Id, fence: i64, made: Made, now: Instant) -> Result<bool, DbError> {
    let params = params![
        key,
        fence,
        made.width,
        made.height,
        made.duration_ms.map(u64::cast_signed),
        made.blurhash,
        made.shown,
        made.poster,
        made.stream,
        made.avatar_url,
        now.rfc3339()
    ];
    Ok(db.write(COMPLETE, params).await?.is_some())
}

/// As [`COMPLETE`].
const FAIL: &str = "update media set status = 'failed', error_code = ?3, error_detail = ?4, changed_at = ?5
    where key = ?1 and status = 'processing'
      and exists (select 1 from jobs where jobs.key = ?1 and jobs.fence = ?2 and jobs.state = 'leased')
    returning 1";

/// Gives a job up for good; false where its lease is lost.
pub async fn fail_job(
    db: &Db,
    key: Id,
    fence: i64,
    (code, detail): (&str, &str),
    now: Instant,
) -> Result<bool, DbError> {
    Ok(db.write(FAIL, params![key, fence, code, detail, now.rfc3339()]).await?.is_some())
}

const RETURN: &str = "update jobs set state = 'waiting', due_at = ?3, attempt = attempt - ?4
    where key = ?1 and fence = ?2 and state = 'leased' returning 1";

/// Puts a job back until `due`; `uncounted` where the attempt does not count. False where its lease is lost.
pub async fn return_job(
    db: &Db,
    key: Id,
    fence: i64,
    due: Instant,
    uncounted: bool,
) -> Result<bool, DbError> {
    Ok(db.write(RETURN, params![key, fence, due.millis(), uncounted]).await?.is_some())
}

/// A lease that ended after the last attempt: its worker died of it each time, most likely.
const BURY: &str = "update media set status = 'failed', error_code = 'processing_failed',
        error_detail = 'It could not be processed, several times.', changed_at = ?3
    where status = 'processing' and key in (
        select key from jobs where state = 'leased' and due_at <= ?1 and attempt >= ?2)";

const FORGET: &str = "delete from jobs where state in ('done', 'cancelled') and due_at <= ?1";

/// Gives up jobs whose last attempt ended without a word.
pub async fn bury_jobs(db: &Db, now: Instant) -> Result<(), DbError> {
    db.rows(BURY, params![now.millis(), MAX_ATTEMPTS, now.rfc3339()]).await.map(drop)
}

/// Forgets jobs whose lease ended before `before`: nobody asks about them any more, and no URL of theirs holds.
pub async fn forget_jobs(db: &Db, before: Instant) -> Result<(), DbError> {
    db.rows(FORGET, params![before.millis()]).await.map(drop)
}

const REDRIVE: &str = "update media set status = 'queued', progress = 0, queued_at = ?1, changed_at = ?2,
        error_code = null, error_detail = null
    where status = 'failed' and key in (select key from jobs where state = 'dead') and error_code = 'processing_failed'
    returning 1";

/// Queues again what failed for reasons of ours; how many.
pub async fn redrive(db: &Db, now: Instant) -> Result<usize, DbError> {
    Ok(db.rows(REDRIVE, params![now.millis(), now.rfc3339()]).await?.len())
}

const QUEUE: &str = "select json_group_object(state, json_object('count', n, 'oldest', oldest)) from (
    select state, count(*) as n, min(created_at) as oldest from jobs group by state)";

/// How many jobs are in each state, and since when the oldest.
pub async fn count_jobs(db: &Db) -> Result<String, DbError> {
    Ok(db.read(QUEUE, params![]).await?.unwrap_or_else(|| "{}".to_owned()))
}

const FORGET_CANCELLED: &str = "delete from jobs where key = ?1 and state = 'cancelled'";

/// Forgets a cancelled job; what its worker wrote goes with it.
pub async fn forget_cancelled(db: &Db, key: Id) -> Result<(), DbError> {
    db.rows(FORGET_CANCELLED, params![key]).await.map(drop)
}
