//! All SQL of the service, by noun. Who may see what is inside each statement, and so is the time.

mod close_friends;
mod feed;
mod internal;
mod lists;
mod scoops;
mod sweeps;
mod views;

pub use close_friends::*;
pub use feed::*;
pub use internal::*;
pub use lists::*;
pub use scoops::*;
use shared::db::{Db, DbError, PageOut, Value};
pub use sweeps::*;
pub use views::*;

/// Whether `viewer` (a pk) is a close friend of the person `owner` (a pk).
macro_rules! is_close_friend {
    ($viewer:expr, $owner:expr) => {
        concat!("exists (select 1 from close_friends where owner = ", $owner, " and friend = ", $viewer, ")")
    };
}

/// Whether the person `viewer` (a pk) may see the scoop `s` of the person `a`, while it lives: the privacy rule, the scoop's
/// own audience, and nothing that waits for its media but to its author.
macro_rules! sees_scoop {
    ($viewer:expr, $s:expr, $a:expr) => {
        concat!(
            "(",
            shared::may_see!($viewer, $a),
            " and (",
            $s,
            ".author = ",
            $viewer,
            " or (",
            $s,
            ".shown is not null and iif(",
            $s,
            ".audience = 'followers', ",
            shared::follows!($viewer, $a),
            ", ",
            is_close_friend!($viewer, concat!($s, ".author")),
            "))))"
        )
    };
}

/// The live scoop whose id is the parameter `?1` with its author `a` and the caller `me`, whose id is `?2`, where they may see
/// it at the time `?3`. `+`: SQLite prepares some statements anew whenever a bare parameter changes.
macro_rules! seen_scoop {
    () => {
        concat!(
            "scoops as s cross join people as a cross join people as me
            where s.id = +?1 and s.gone is null and s.expires_ms > +?3 and a.pk = s.author
              and me.id = +?2 and me.status = 'active' and ",
            sees_scoop!("me.pk", "s", "a")
        )
    };
}

/// The media of the scoop `s`, marked for `crate::links`.
macro_rules! marked_media {
    ($s:expr) => {
        concat!("concat(char(30), ", $s, ".expires_ms, ' ', ", $s, ".pk, char(30), ", $s, ".media, char(30))")
    };
}

/// `Scoop` of the contract, as text, from the row `s`, the row `a` of its author, whether the viewer looked at it (`viewed`)
/// and whether it is their own (`mine`). `media` is its media, marked unless told.
macro_rules! scoop_json {
    ($s:expr, $a:expr, $viewed:expr, $mine:expr) => {
        scoop_json!($s, $a, $viewed, $mine, marked_media!($s))
    };
    ($s:expr, $a:expr, $viewed:expr, $mine:expr, $media:expr) => {
        concat!(
            "concat(",
            $s,
            ".opening, ',\"media\":', ",
            $media,
            ", ',\"author\":', ",
            $a,
            ".card, iif(",
            $viewed,
            ", ',\"viewed\":true', ',\"viewed\":false'), ',\"viewCount\":', iif(",
            $mine,
            ", ",
            $s,
            ".views, 'null'), '}')"
        )
    };
}

/// The number that the next event will have in the outbox. Some event of at most a day ago is in there for whatever lives.
macro_rules! next_event {
    () => {
        "(select coalesce(max(seq), 0) + 1 from outbox)"
    };
}

/// The page of the rows `(item, k)` of a statement, in its order and one more than the limit, as
/// [`page_of_lines`] takes it; no row unless `holds`. `page_sql!` would read the JSON, which is marked.
macro_rules! lines_sql {
    ($rows:expr, $holds:expr) => {
        concat!(
            "select group_concat(item, ',' || char(10)), group_concat(k, ' '), count(*) from (",
            $rows,
            ") having ",
            $holds
        )
    };
}

pub(crate) use {is_close_friend, lines_sql, marked_media, next_event, scoop_json, seen_scoop, sees_scoop};

/// The page of a row of items, each on a line of its own, their keys, and how many they are: one more than `limit` where more
/// follow. No JSON has a line break inside. `None` where there is no row, because who asks may not see what the page is of.
async fn page_of_lines(
    db: &Db,
    sql: &str,
    params: Vec<Value>,
    limit: u32,
) -> Result<Option<PageOut>, DbError> {
    let Some(row) = db.rows(sql, params).await?.into_iter().next() else {
        return Ok(None);
    };
    let mut columns = row.into_iter();
    let lines = columns.next().and_then(Value::into_text).unwrap_or_default();
    let keys = columns.next().map(text_of).unwrap_or_default();
    let count = columns.next().and_then(|count| count.as_integer()).unwrap_or(0);
    let more = count > i64::from(limit);
    let shown = if more { lines.rsplit_once(",\n").map_or("", |(shown, _)| shown) } else { &lines };
    let mut items = String::with_capacity(shown.len() + 2);
    items.extend(["[", shown, "]"]);
    let next = keys.rsplit(' ').nth(1).filter(|_| more).map(ToOwned::to_owned);
    Ok(Some(PageOut { items, next }))
}

/// The page of a row `(items, next)`; `None` where there is no row.
async fn page_of(db: &Db, sql: &str, params: Vec<Value>) -> Result<Option<PageOut>, DbError> {
    let Some(row) = db.rows(sql, params).await?.into_iter().next() else {
        return Ok(None);
    };
    let mut columns = row.into_iter();
    let items = columns.next().and_then(Value::into_text).unwrap_or_else(|| "[]".to_owned());
    let next = columns.next().and_then(|key| key.as_integer()).map(|key| key.to_string());
    Ok(Some(PageOut { items, next }))
}

fn text_of(value: Value) -> String {
    match value {
        Value::Integer(key) => key.to_string(),
        other => other.into_text().unwrap_or_default(),
    }
}
