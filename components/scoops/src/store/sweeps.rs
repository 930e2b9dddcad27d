//! What time takes. Each statement takes a few hundred rows, so that no other write waits long, and says how many.

use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::params;

use super::next_event;

/// Rows of one statement.
pub const BATCH: usize = 300;

/// By `scoops_by_end`. A trigger tells of each.
pub const END_SCOOPS: &str = "update scoops set ended = 1, changed_at = ?2
    where pk in (select pk from scoops where ended = 0 and expires_ms <= ?1 order by expires_ms limit ?3)
    returning 1";

/// Tells of scoops whose time is over.
pub async fn end_scoops(db: &Db, now: Instant) -> Result<usize, DbError> {
    let params = params![now.millis(), now.rfc3339(), limit()];
    Ok(db.rows(END_SCOOPS, params).await?.len())
}

/// By `scoops_by_end`: all but tombstones go with the rows before them.
pub const EMPTY_ARCHIVE: &str = concat!(
    "update scoops set changed_at = ?2, gone = ",
    next_event!(),
    " where pk in (select pk from scoops where ended = 1 and expires_ms <= ?1 and gone is null
        order by expires_ms limit ?3)
    returning 1"
);

/// Deletes scoops that ended before `before`, their media with them.
pub async fn empty_archive(db: &Db, before: Instant, now: Instant) -> Result<usize, DbError> {
    let params = params![before.millis(), now.rfc3339(), limit()];
    Ok(db.rows(EMPTY_ARCHIVE, params).await?.len())
}

/// By `scoops_to_archive`.
pub const DELETE_TOMBSTONES: &str = "delete from scoops
    where pk in (select pk from scoops indexed by scoops_to_archive where archived = 0 and ended = 1 and expires_ms <= ?1 and gone is not null
        order by expires_ms limit ?2)
    returning 1";

/// Deletes what is left of scoops that were deleted, where they would have ended before `before`.
pub async fn delete_tombstones(db: &Db, before: Instant) -> Result<usize, DbError> {
    Ok(db.rows(DELETE_TOMBSTONES, params![before.millis(), limit()]).await?.len())
}

/// By `scoops_to_archive`. A trigger forgets the viewers.
pub const ARCHIVE_SCOOPS: &str = "update scoops set archived = 1, linked = null, linked_for = null
    where pk in (select pk from scoops indexed by scoops_to_archive where archived = 0 and ended = 1 and expires_ms <= ?1 and gone is null
        order by expires_ms limit ?2)
    returning 1";

/// Forgets who looked at scoops that ended before `before`.
pub async fn archive_scoops(db: &Db, before: Instant) -> Result<usize, DbError> {
    Ok(db.rows(ARCHIVE_SCOOPS, params![before.millis(), limit()]).await?.len())
}

/// By `author_live_by_end`.
const FORGET_AUTHORS: &str = "delete from author_live where until <= ?1";

/// By `media_by_age`.
const FORGET_MEDIA: &str = "delete from media where at <= ?1";

/// Forgets which authors lived before `authors`, and what media told before `media`.
pub async fn forget(db: &Db, authors: Instant, media: Instant) -> Result<(), DbError> {
    db.rows(FORGET_AUTHORS, params![authors.millis()]).await?;
    db.rows(FORGET_MEDIA, params![media.rfc3339()]).await.map(drop)
}

fn limit() -> i64 {
    i64::try_from(BATCH).unwrap_or(i64::MAX)
}
