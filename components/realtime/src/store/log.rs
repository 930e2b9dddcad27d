//! News: the one statement that serves all streams of an instance.

use serde::Deserialize;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::params;

use crate::frames::Row;
use crate::model::{BATCH, PAGE};

/// What is told of the row `l`; null where its person may not see it (any more). What `notifications` knows is asked there.
macro_rules! told_json {
    () => {
        concat!(
            "case l.kind
                when 'notification' then json_quote(l.ref)
                when 'media' then json(l.ref)
                when 'feed' then (
                    select json_object('postId', l.ref, 'authorId', a.id) from people as a
                    where a.pk = l.author and ",
            shared::may_see!("l.person", "a"),
            " and ",
            shared::follows!("l.person", "a"),
            " and not ",
            shared::mutes!("l.person", "a"),
            ")
                when 'scoop' then (
                    select json_object('scoopId', l.ref, 'authorId', a.id) from people as a
                    where a.pk = l.author and l.until > ?6 and ",
            shared::may_see!("l.person", "a"),
            " and not ",
            shared::mutes!("l.person", "a"),
            " and iif(l.close, exists (select 1 from close_friends where owner = a.pk and friend = l.person), ",
            shared::follows!("l.person", "a"),
            "))
            end"
        )
    };
}

/// ?1 the last row looked at, ?2 whose are looked at, ?3 who is behind, as [person, number, stream], ?4 the last signal, ?5 how many
/// rows, ?6 the time, ?7 how many numbers a page has.
///
/// Where nothing happened it is three looks at the ends of tables: `fresh` goes on by the key of `log`, and only for a row that is
/// there it is asked whose it is (`+l.person` keeps it so). Who is behind is read by `unique (person, seq)`, a page each.
pub const POLL: &str = concat!(
    "with fresh (pk, person, seq) as materialized (
        select l.pk, l.person, l.seq from log as l
        where l.pk > coalesce(?1, 9223372036854775807) and +l.person in (select value from json_each(?2)) order by l.pk limit ?5
    ),
    due (pk) as (
        select pk from fresh
        union
        select l.pk from json_each(?3) as b cross join log as l
        where l.person = b.value ->> 0 and l.seq > b.value ->> 1 and l.seq <= (b.value ->> 1) + ?7
    )
    select json_object(
        'head', max(coalesce(?1, 0), coalesce(iif((select count(*) from fresh) < ?5,
            (select max(pk) from log), (select max(pk) from fresh)), 0)),
        'signal', max(coalesce(?4, 0), coalesce((select max(pk) from signals), 0)),
        'signals', json((select json_group_array(json_array(stream, what))
            from (select stream, what from signals where pk > coalesce(?4, 9223372036854775807) order by pk))),
        'heads', json((select json_group_array(json_array(b.value ->> 2, l.head))
            from json_each(?3) as b cross join streams as s cross join listeners as l
            where s.pk = b.value ->> 2 and l.person = b.value ->> 0)),
        'rows', json((select json_group_array(json_array(person, seq, kind, json(data)))
            from (select l.person, l.seq, l.kind, ",
    told_json!(),
    " as data from due cross join log as l where l.pk = due.pk order by l.person, l.seq))))"
);

/// The last row and the last signal there are.
pub const LOOK: &str =
    "select json_array(coalesce((select max(pk) from log), 0), coalesce((select max(pk) from signals), 0))";

/// Whether anything happened to anybody since. Most looks find nothing, and this one costs a tenth of [`POLL`].
pub async fn has_news(db: &Db, since: Cursor) -> Result<bool, DbError> {
    let there = db.read_as::<(i64, i64)>(LOOK, params![]).await?;
    Ok(there.is_none_or(|(row, signal)| {
        since.row.is_none_or(|since| row > since) || since.signal.is_none_or(|since| signal > since)
    }))
}

/// A stream that is behind: its person, the last number it has, and its row.
pub type Behind = (i64, i64, i64);

/// What there is.
#[derive(Deserialize)]
pub struct News {
    /// The last row looked at.
    pub head: i64,
    /// The last signal.
    pub signal: i64,
    /// What became of streams, of whatever instance: the stream and what is to be done.
    pub signals: Vec<(i64, String)>,
    /// Of each stream that is behind the last number there is; one that is missing is no more.
    pub heads: Vec<(i64, i64)>,
    /// What happened, in order of persons and numbers.
    pub rows: Vec<Row>,
}

/// How far an instance has looked; nowhere before the first look, when everybody is behind.
#[derive(Clone, Copy, Default)]
pub struct Cursor {
    /// In the log.
    pub row: Option<i64>,
    /// In the signals.
    pub signal: Option<i64>,
}

/// Looks for news of `people`, a JSON array of rows, and of who is behind.
pub async fn poll(
    db: &Db,
    at: Cursor,
    people: &str,
    behind: &[Behind],
    now: Instant,
) -> Result<News, DbError> {
    let behind = serde_json::json!(behind);
    let params = params![at.row, people, behind, at.signal, BATCH, now.rfc3339(), PAGE];
    let news = db.read_as(POLL, params).await?;
    news.ok_or_else(|| DbError::Failed("no news".to_owned()))
}
