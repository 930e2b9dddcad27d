//! Objects to delete, and deletions of people that wait for them.

use serde::Deserialize;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::params;

/// Objects below a prefix, and maybe an upload in parts.
#[derive(Debug, Deserialize)]
pub struct Removal {
    /// Of everything of one media.
    pub prefix: String,
    /// An upload that was not complete.
    pub upload_id: Option<String>,
}

const DUE: &str = "select json_group_array(json_object('prefix', prefix, 'upload_id', upload_id))
    from (select * from removals where due_at <= ?1 order by due_at limit 50)";

/// The removals that are due, at most 50.
pub async fn due_removals(db: &Db, now: Instant) -> Result<Vec<Removal>, DbError> {
    Ok(db.read_as(DUE, params![now.millis()]).await?.unwrap_or_default())
}

const DONE: &str = "delete from removals where prefix = ?1";

const LATER: &str = "update removals set attempts = attempts + 1,
        due_at = ?2 + min(1000 << min(attempts, 9), 300000)
    where prefix = ?1";

/// Everything below the prefix is gone.
pub async fn end_removal(db: &Db, prefix: &str) -> Result<(), DbError> {
    db.rows(DONE, params![prefix]).await.map(drop)
}

/// It did not work: once more after a while, up to 5 minutes.
pub async fn postpone_removal(db: &Db, prefix: &str, now: Instant) -> Result<(), DbError> {
    db.rows(LATER, params![prefix, now.millis()]).await.map(drop)
}

/// `0` is the character after `/`.
const END_ERASURES: &str = "delete from erasures where not exists (
    select 1 from removals where prefix >= person || '/' and prefix < person || '0')";

/// Tells of every deleted person of whom no object is left; a trigger writes the event.
pub async fn end_erasures(db: &Db) -> Result<(), DbError> {
    db.rows(END_ERASURES, params![]).await.map(drop)
}

const KNOWN: &str = "select json_group_array(value) from json_each(?1) as named where not exists (
        select 1 from media as m join people as owner on owner.pk = m.owner
        where m.key = substr(named.value, 38, 36) and owner.id = substr(named.value, 1, 36))
    and not exists (select 1 from jobs where jobs.key = substr(named.value, 38, 36))
    and not exists (select 1 from removals where removals.prefix = substr(named.value, 1, 74))";

/// Those of `objects`, a JSON array, that belong to nothing here.
pub async fn find_orphans(db: &Db, objects: &str) -> Result<Vec<String>, DbError> {
    Ok(db.read_as(KNOWN, params![objects]).await?.unwrap_or_default())
}
