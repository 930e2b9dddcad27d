//! Events that stay. `analytics` and `gamification` have their numbers from events alone, and can be made again of them: so
//! what they hear is history, which its source keeps without end, where other events go when all have confirmed them.
//!
//! Two things do not stay in it. Who looked at something is forgotten after the 24 h that counting once needs; and who was
//! erased, as soon as everybody has heard it. Both become [`NOBODY`], and the event stays: that something was looked at still
//! counts, and to who is told again, nobody is a person who was erased, of whom nothing counts anyhow.
//!
//! A rebuild (`POST /worker/rebuild` of `web`) has a service empty what it derived, the cursors of its inbox with it. A source asks
//! it at every tick how far it is, and so goes back to the first event; 200 a batch, as ever, they arrive again. Who was restored
//! from a backup catches up the same way.
//!
//! The code of this module is large, and components are small: only who tells history ticks it, and only who can be rebuilt has the
//! route.

use std::time::Duration;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::app::{App, Ctx, is_due};
use crate::auth::Internal;
use crate::clock::Instant;
use crate::db::{DbError, Value};
use crate::error::{ApiError, ApiResult};
use crate::events::{CATALOGUE, EventKind, subscribers_of, waiting_until};
use crate::migrate::Migration;
use crate::params;

/// For services that tell history, after [`crate::events::CORE`].
pub const HISTORY: Migration =
    Migration { name: "shared_history", sql: include_str!("../migrations/history.sql") };
/// For services that can be rebuilt, after [`crate::people::PEOPLE`].
pub const HISTORY_HEARD: Migration =
    Migration { name: "shared_history_heard", sql: include_str!("../migrations/history_heard.sql") };

/// Who is named in place of somebody who must not be named any more.
pub const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// The services whose numbers are made of events alone.
pub const HISTORIANS: &[&str] = &["analytics", "gamification"];

/// Events that name who looked at something, as `viewerId`.
const VIEWS: &str = r#"["post.viewed","scoop.viewed"]"#;

/// Events that tell all of something, so that the next about the same makes one needless: those of one list have one key.
const SNAPSHOTS: &[&str] = &[
    r#"["user.registered","user.updated","user.suspended","user.unsuspended"]"#,
    r#"["preferences.updated"]"#,
];

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How many events one statement looks through, so that no other write waits long.
const SLICE: i64 = 5_000;
/// How many slices at a time.
const SLICES: usize = 20;

fn is_history(kind: &EventKind) -> bool {
    kind.subscribers.iter().any(|subscriber| HISTORIANS.contains(subscriber))
}

/// Whether `source` tells anything that stays.
pub fn is_told_by(source: &str) -> bool {
    CATALOGUE.iter().any(|kind| kind.source == source && is_history(kind))
}

fn types_of(source: &str) -> String {
    let kinds = CATALOGUE.iter().filter(|kind| kind.source == source && is_history(kind));
    serde_json::json!(kinds.map(|kind| kind.name).collect::<Vec<_>>()).to_string()
}

/// The services that tell `subscriber` anything.
pub fn sources_of(subscriber: &str) -> Vec<&'static str> {
    let kinds = CATALOGUE.iter().filter(|kind| kind.subscribers.contains(&subscriber));
    let mut sources: Vec<&'static str> = kinds.map(|kind| kind.source).collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

/// Events from one mark to another.
#[derive(Deserialize)]
struct Slice {
    from: i64,
    upto: i64,
}

// From the mark `?1` on: at most `?4` events, all before the time `?2`, and confirmed by all of `?3`.
const NEXT_SLICE: &str = "select json_object('from', mark, 'upto', min(
        mark + ?4, head,
        coalesce((select seq - 1 from outbox where seq > mark and seq <= mark + ?4 and at >= ?2 order by seq limit 1), head),
        coalesce((select min(coalesce(max(c.seq, c.scanned), 0)) from json_each(?3) as s
            left join outbox_cursors as c on c.subscriber = s.value), head)))
    from (select coalesce((select seq from history_marks where name = ?1), 0) as mark,
        coalesce((select max(seq) from outbox), 0) as head)";

const SET_MARK: &str = "insert into history_marks (name, seq) values (?1, ?2)
    on conflict (name) do update set seq = max(seq, excluded.seq)";

async fn next_slice(
    app: &App,
    mark: &str,
    before: Instant,
    heard_by: &[&str],
) -> Result<Option<Slice>, DbError> {
    let heard_by = serde_json::json!(heard_by).to_string();
    let slice = app.db.read_as::<Slice>(NEXT_SLICE, params![mark, before.rfc3339(), heard_by, SLICE]).await?;
    Ok(slice.filter(|slice| slice.from < slice.upto))
}

const SWEEP: &str = "delete from outbox
    where seq > ?1 and seq <= ?2 and type not in (select value from json_each(?3))";

// By `outbox_by_key`, which `users` has, who alone tells such.
const SWEEP_SNAPSHOTS: &str = "delete from outbox
    where key in (select key from outbox where seq > ?1 and seq <= ?2 and type in (select value from json_each(?3)))
      and type in (select value from json_each(?3)) and seq < (select max(newer.seq) from outbox as newer
        where newer.key = outbox.key and newer.seq <= ?2 and newer.type in (select value from json_each(?3)))";

// The row changes once for each person it names, so it is done when it finds none.
const SCRUB: &str = "update outbox set
        key = iif(outbox.key = found.person, ?3, outbox.key), body = replace(outbox.body, found.person, ?3)
    from (select o.seq, named.value as person from outbox as o, json_tree(o.body) as named
        where o.seq > ?1 and o.seq <= ?2 and named.type = 'text'
          and named.value in (select person from history_erasures where upto is not null)) as found
    where outbox.seq = found.seq
    returning 1";

const FORGET_VIEWERS: &str = "update outbox set body = json_set(body, '$.viewerId', ?3)
    where seq > ?1 and seq <= ?2 and type in (select value from json_each(?4))";

// What was heard stays a while too: the newest thousand events of each source.
const FORGET_HEARD_VIEWERS: &str = "update inbox set body = json_set(body, '$.viewerId', ?2)
    where type in (select value from json_each(?3)) and at < ?1 and body ->> '$.viewerId' <> ?2";

/// What forgets who looked at what more than a day ago, where that was heard.
pub(crate) fn forget_heard_viewers(now: Instant) -> (&'static str, Vec<Value>) {
    (FORGET_HEARD_VIEWERS, params![now.minus(DAY).rfc3339(), NOBODY, VIEWS])
}

/// What a service that tells history does at every tick: once a minute, [`sweep`].
pub async fn tick(app: &App) -> ApiResult<()> {
    if is_due(app, "history", 60).await? {
        sweep(app).await?;
    }
    Ok(())
}

/// Deletes what is no history after a week, forgets who looked at what a day ago, and names nobody where the erased are named.
pub async fn sweep(app: &App) -> Result<(), DbError> {
    let (name, now) = (app.service.name, app.now());
    for _ in 0..SLICES {
        // Whether everybody has heard it or not: who has not counts the view and not the viewer.
        let Some(Slice { from, upto }) = next_slice(app, "viewers", now.minus(DAY), &[]).await? else {
            break;
        };
        app.db.rows(FORGET_VIEWERS, params![from, upto, NOBODY, VIEWS]).await?;
        app.db.rows(SET_MARK, params!["viewers", upto]).await?;
    }
    let everybody = subscribers_of(name);
    for _ in 0..SLICES {
        let Some(Slice { from, upto }) = next_slice(app, "swept", now.minus(DAY * 7), &everybody).await?
        else {
            break;
        };
        app.db.rows(SWEEP, params![from, upto, types_of(name)]).await?;
        for types in SNAPSHOTS.iter().filter(|_| name == "users") {
            app.db.rows(SWEEP_SNAPSHOTS, params![from, upto, *types]).await?;
        }
        app.db.rows(SET_MARK, params!["swept", upto]).await?;
    }
    scrub(app).await
}

// All who were erased until it begins, in one search. What names them was told before: they can do nothing any more.
const BEGIN_SEARCH: &str = "update history_erasures set upto = coalesce((select max(seq) from outbox), 0)
    where not exists (select 1 from history_erasures where upto is not null)";

const SEARCH: &str = "select json_object('upto', max(upto),
        'from', coalesce((select seq from history_marks where name = 'scrubbed'), 0))
    from history_erasures where upto is not null having count(*) > 0";

const PAUSE_SEARCH: &str = "insert into history_marks (name, seq) values ('scrubbed', ?1)
    on conflict (name) do update set seq = excluded.seq";

const END_SEARCH: &str = "delete from history_erasures where upto is not null";

/// Names nobody where the erased are named, once all have heard it.
async fn scrub(app: &App) -> Result<(), DbError> {
    app.db.rows(BEGIN_SEARCH, params![]).await?;
    let Some(Slice { mut from, upto }) = app.db.read_as::<Slice>(SEARCH, params![]).await? else {
        return Ok(());
    };
    if waiting_until(app, upto).await?.count > 0 {
        return Ok(());
    }
    for _ in 0..SLICES {
        let end = upto.min(from + SLICE);
        while !app.db.rows(SCRUB, params![from, end, NOBODY]).await?.is_empty() {}
        from = end;
        if from >= upto {
            app.db.rows(END_SEARCH, params![]).await?;
            from = 0;
        }
        app.db.rows(PAUSE_SEARCH, params![from]).await?;
        if from == 0 {
            break;
        }
    }
    Ok(())
}

/// `POST /internal/rebuild` of a service that has it among its routes: empties what it derived from events. Its sources begin anew
/// when the next tick asks how far it is.
pub async fn rebuild(_: Internal, State(app): State<Ctx>) -> ApiResult<StatusCode> {
    let statement = app.service.rebuild.ok_or_else(ApiError::not_found)?;
    app.db.rows(statement, params![app.now().rfc3339()]).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests;
