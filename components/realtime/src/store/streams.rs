//! Streams that are open.

use serde::Deserialize;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use super::Opener;
use crate::model::MAX_STREAMS;

/// A stream that was given a place.
#[derive(Debug, Deserialize)]
pub struct Opened {
    /// Its row.
    pub stream: i64,
    /// The row of its person.
    pub person: i64,
}

/// Counted in the insert itself, so that of two for the last place one gets it. A trigger makes a listener of the person.
const OPEN_STREAM: &str = "insert into streams (person, session, until)
    select me.pk, ?2, ?4 from people as me
    where me.id = ?1 and me.status = 'active'
      and (?2 is null or not exists (select 1 from ended_sessions where id = ?2))
      and (select count(*) from streams where person = me.pk and until > ?3) < ?5
    returning json_object('stream', pk, 'person', person)";

/// Opens a stream that counts as open until `until`; `None` where all places are taken, or the session is over.
pub async fn open_stream(
    db: &Db,
    opener: &Opener,
    now: Instant,
    until: Instant,
) -> Result<Option<Opened>, DbError> {
    let params = params![opener.user, opener.session, now.millis(), until.millis(), MAX_STREAMS];
    db.write_as(OPEN_STREAM, params).await
}

const HAS_ALL_STREAMS: &str = "select count(*) >= ?3 from people as me join streams as s on s.person = me.pk
    where me.id = ?1 and s.until > ?2";

/// Whether all places of somebody are taken.
pub async fn has_all_streams(db: &Db, user: Id, now: Instant) -> Result<bool, DbError> {
    let found = db.read_as::<i64>(HAS_ALL_STREAMS, params![user, now.millis(), MAX_STREAMS]).await?;
    Ok(found == Some(1))
}

const ASK_STREAMS: &str = "insert into signals (stream, what, at)
    select s.pk, 'ask', ?2 from people as me join streams as s on s.person = me.pk where me.id = ?1";

const DOUBT_STREAMS: &str =
    "update streams set until = min(until, ?2) where person = (select pk from people where id = ?1)";

/// Asks whether anybody still reads the streams of somebody. Who serves one says again that it is open, writes to it, and closes it where
/// nobody reads; what nobody serves counts as open until `until`.
pub async fn ask_streams(db: &Db, user: Id, now: Instant, until: Instant) -> Result<(), DbError> {
    db.rows(DOUBT_STREAMS, params![user, until.millis()]).await?;
    db.rows(ASK_STREAMS, params![user, now.rfc3339()]).await.map(drop)
}

/// Where a stream begins.
#[derive(Debug, Deserialize)]
pub struct Place {
    /// The number of the person's last event.
    pub head: i64,
    /// The number after which it goes on without a gap; none where there is no such number.
    pub from: Option<i64>,
}

/// A number is good as long as nothing came after it, or what came next is still there: only the oldest go.
const FIND_PLACE: &str = "select json_object('head', head, 'from', iif(
        ?2 = head or exists (select 1 from log where person = ?1 and seq = ?2 + 1), ?2, null))
    from listeners where person = ?1";

/// Where a stream of `person` begins whose client has the event `last`.
pub async fn find_place(db: &Db, person: i64, last: Option<i64>) -> Result<Place, DbError> {
    let found = db.read_as(FIND_PLACE, params![person, last]).await?;
    Ok(found.unwrap_or(Place { head: 0, from: None }))
}

/// By the key of each. A trigger goes on keeping the log of who has one.
const RENEW_STREAMS: &str =
    "update streams set until = ?2 where pk in (select value from json_each(?1)) returning pk";

/// Says that these are still open; which of them there are.
pub async fn renew_streams(db: &Db, streams: &[i64], until: Instant) -> Result<Vec<i64>, DbError> {
    let rows = db.rows(RENEW_STREAMS, params![serde_json::json!(streams), until.millis()]).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.as_integer()).collect())
}

const CLOSE_STREAMS: &str = "delete from streams where pk in (select value from json_each(?1))";

/// These are closed.
pub async fn close_streams(db: &Db, streams: &[i64]) -> Result<(), DbError> {
    db.rows(CLOSE_STREAMS, params![serde_json::json!(streams)]).await.map(drop)
}
