//! The heads of feeds: what readers saw last, with what came since (README.md, "The feed").

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::params;

use super::feed::merged;
use super::{my_reactions, post_json};

/// Posts of a head: a page of the usual size, though some of them go.
const KEPT: u32 = 60;
/// A head is made anew at most this often, in milliseconds: where so much is posted that none lasts, the
/// merge serves, and need not be written down at every read.
const REMADE: i64 = 10_000;

/// The caller `me`, whose id is `?1`, and their head `h`, where it still serves: no more than 200 posts of anybody are younger.
macro_rules! head_of_caller {
    () => {
        "people as me cross join feed_heads as h
        where me.id = +?1 and me.status = 'active' and h.reader = me.pk
          and (select max(pk) from posts) <= h.newest + 200"
    };
}

/// The first `?2` posts of the feed of the caller `?1` by their head; no row where there is none that serves, or where it does
/// not reach.
///
/// The head is one row, so `limit 1` leaves nothing out: it keeps SQLite from asking again for every post what is asked of the
/// reader. Mostly nothing is younger than the head; else what is goes before it. All comes in order, newest first, and everything
/// after keeps it; `limit -1` keeps SQLite from dropping the order inside. Nothing is sorted or numbered: the JSON of a post is
/// built for those on the page alone, and is copied once. Hence the row is not that of a page but the posts, each on a line of
/// its own, their keys, and how many they are: one more than `?2` where more follow ([`page_of_lines`]).
pub const FEED_HEAD: &str = concat!(
    "select group_concat(item, ',' || char(10)), group_concat(k), count(*)
    from (
        select ",
    post_json!("p", "a", "head.viewer", my_reactions!("head.viewer", "p")),
    " as item, p.pk as k
        from (
            select me.pk as viewer, h.newest, h.posts, ",
    shared::is_apart!("me.pk"),
    " as apart from ",
    head_of_caller!(),
    " limit 1
        ) as head cross join json_each(iif(
            (select max(pk) from posts) = head.newest, head.posts,
            (select json_group_array(pk) from (
                select pk from (
                    select q.pk from posts as q
                    where q.pk > head.newest and (q.author = head.viewer or (q.status = 'published' and exists (
                        select 1 from follows where follower = head.viewer and followee = q.author)))
                    order by q.pk desc limit -1
                )
                union all
                select value from json_each(head.posts)
            )))) as e cross join posts as p cross join people as a
        where p.pk = e.value and a.pk = p.author and ",
    shared::shows_in_feed!("head.viewer", "a", "head.apart"),
    "   limit ?2 + 1
    )
    having count(*) > ?2 or (select h.whole from ",
    head_of_caller!(),
    ")"
);

/// The caller `?1` gets a head of `?3` posts (`?2` is null) at `?4`, unless they got one just now.
pub const KEEP_HEAD: &str = concat!(
    "insert into feed_heads (reader, newest, posts, whole, made_at) ",
    merged!(),
    "select me.pk, coalesce((select max(pk) from posts), 0), made.posts, made.n < ?3, ?4
    from people as me cross join (
        select jsonb_group_array(pk) as posts, count(*) as n
        from (select pk from walk where pk is not null order by pk desc limit ?3)
    ) as made
    where me.id = +?1 and me.status = 'active'
      and not exists (select 1 from feed_heads where reader = me.pk and made_at between ?4 - ?5 and ?4)
    on conflict (reader) do update set
        newest = excluded.newest, posts = excluded.posts, whole = excluded.whole, made_at = excluded.made_at"
);

/// The first page of the feed of `caller`, where their head still serves.
pub async fn get_feed_head(db: &Db, caller: Id, limit: u32) -> Result<Option<PageOut>, DbError> {
    let row = db.rows(FEED_HEAD, params![caller, limit]).await?.into_iter().next();
    Ok(row.map(|row| page_of_lines(row, limit)))
}

/// The page of a row of [`FEED_HEAD`]. No JSON has a line break inside, so one ends a post.
fn page_of_lines(row: Vec<Value>, limit: u32) -> PageOut {
    let mut columns = row.into_iter();
    let lines = columns.next().and_then(Value::into_text).unwrap_or_default();
    let keys = columns.next().and_then(Value::into_text).unwrap_or_default();
    let count = columns.next().and_then(|count| count.as_integer()).unwrap_or(0);
    let more = count > i64::from(limit);
    let shown = if more { lines.rsplit_once(",\n").map_or("", |(shown, _)| shown) } else { &lines };
    let mut items = String::with_capacity(shown.len() + 2);
    items.extend(["[", shown, "]"]);
    PageOut { items, next: keys.rsplit(',').nth(1).filter(|_| more).map(ToOwned::to_owned) }
}

/// Makes the head of the feed of `caller`.
pub async fn keep_feed_head(db: &Db, caller: Id, now: Instant) -> Result<(), DbError> {
    let null = Value::Null;
    db.rows(KEEP_HEAD, params![caller, null, KEPT, now.millis(), REMADE]).await.map(drop)
}
