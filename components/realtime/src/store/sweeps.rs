//! What time takes.

use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::params;

use crate::model::{LOG_LIVES, SESSIONS_REMEMBERED, SIGNALS_LIVE};

/// From the oldest up to the first that is younger: rows are in the order they were heard in. So only the oldest of a log go, and
/// what is left has no gap.
pub const FORGET_LOG: &str = "delete from log
    where pk < coalesce((select pk from log where at >= ?1 order by pk limit 1), (select max(pk) + 1 from log))";

/// Deletes what nobody may ask for any more.
pub async fn forget(db: &Db, now: Instant) -> Result<(), DbError> {
    db.rows(FORGET_LOG, params![now.minus(LOG_LIVES).rfc3339()]).await?;
    db.rows("delete from streams where until <= ?1", params![now.millis()]).await?;
    db.rows("delete from tickets where until <= ?1", params![now.millis()]).await?;
    db.rows("delete from signals where at < ?1", params![now.minus(SIGNALS_LIVE).rfc3339()]).await?;
    let sessions = params![now.minus(SESSIONS_REMEMBERED).rfc3339()];
    db.rows("delete from ended_sessions where at < ?1", sessions).await.map(drop)
}
