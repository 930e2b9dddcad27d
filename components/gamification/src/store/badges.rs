//! Badges: who may have earned one, and who has.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value as Json;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::params;

use crate::streaks::Half;

/// By key, all of it. None while a rebuild goes on: what is counted then is a part of the past.
pub const LIST_CHECKS: &str = "select json_group_array(json_object(
        'person', c.person, 'version', c.version, 'at', c.at, 'timeZone', s.time_zone,
        'totals', json((select json_group_object(kind, n) from totals where person = c.person)),
        'activity', json((select json_group_array(json_array(half, mask))
            from (select half, mask from activity where person = c.person and c.active = 1 order by half))),
        'badges', json((select json_group_array(badge) from awards where person = c.person))))
    from (select * from checks where not exists (select 1 from rebuilds) order by person limit ?1) as c
    left join settings as s on s.person = c.person";

/// Somebody whose numbers changed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Their `pk`.
    pub person: i64,
    /// Counts the changes.
    pub version: i64,
    /// When the last one was.
    pub at: String,
    /// As they told `users`.
    pub time_zone: Option<String>,
    /// How many of each kind count for them.
    pub totals: HashMap<String, i64>,
    /// When they did something, in order; empty where nothing was added to it.
    pub activity: Vec<Half>,
    /// What they have.
    pub badges: Vec<String>,
}

/// Some whose numbers changed.
pub async fn list_checks(db: &Db, limit: i64) -> Result<Vec<Check>, DbError> {
    Ok(db.read_as(LIST_CHECKS, params![limit]).await?.unwrap_or_default())
}

/// By key. A trigger tells of each that is news.
pub const AWARD_BADGES: &str = "insert into awards (person, badge, name, at, news)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 from json_each(?1)
    where exists (select 1 from people where pk = value ->> 0 and status <> 'deleted')
    on conflict (person, badge) do nothing
    returning 1";

/// Gives badges, `[person, badge, name, at, news]` each; whether any was new.
pub async fn award_badges(db: &Db, given: &Json) -> Result<bool, DbError> {
    Ok(!db.rows(AWARD_BADGES, params![given.to_string()]).await?.is_empty())
}

/// By key. Who changed meanwhile stays.
pub const END_CHECKS: &str = "delete from checks
    where (person, version) in (select value ->> 0, value ->> 1 from json_each(?1))";

/// Those people, `[person, version]` each, were looked at.
pub async fn end_checks(db: &Db, seen: &Json) -> Result<(), DbError> {
    db.rows(END_CHECKS, params![seen.to_string()]).await.map(drop)
}

/// The statement that begins a rebuild at the time `?1`; a trigger of `migrations/0004_events.sql` does the rest.
pub const BEGIN_REBUILD: &str = "insert into rebuilds (begun_at) values (?1)";

/// Empty all but always.
const END_REBUILDS: &str = "delete from rebuilds
    where begun_at < ?1 or not exists (
        select 1 from json_each(awaited) as source
        where source.value > coalesce((select seq from inbox_cursors where inbox_cursors.source = source.key), 0))";

/// Ends rebuilds for which every source has told again what it had told, and those that began before `before`.
pub async fn end_rebuilds(db: &Db, before: Instant) -> Result<(), DbError> {
    db.rows(END_REBUILDS, params![before.rfc3339()]).await.map(drop)
}
