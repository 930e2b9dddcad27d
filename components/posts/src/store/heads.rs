//! The heads of feeds: what readers saw last, with what came since (README.md, "The feed").

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut};
use shared::ids::Id;
use shared::params;

use super::feed::merged;
use super::{my_reactions, page_of, post_json};

/// Posts of a head: a page of the usual size, though some of them go.
const KEPT: u32 = 60;
/// A head is made anew at most this often, in milliseconds: where so much is posted that none lasts, the
/// merge serves, and need not be written down at every read.
const REMADE: i64 = 10_000;

/// The first `?2` posts of the feed of the caller `?1` by their head; no row where there is none, where more than
/// 200 posts of anybody are younger than it, or where it does not reach.
///
/// `since` and `kept` come in order, newest first, and everything after keeps it; `limit -1` keeps SQLite from
/// dropping the order inside. Nothing is sorted, so that the JSON of a post is built for those on the page alone.
pub const FEED_HEAD: &str = concat!(
    "with head (viewer, newest, posts, whole) as materialized (
        select me.pk, h.newest, h.posts, h.whole
        from people as me cross join feed_heads as h
        where me.id = +?1 and me.status = 'active' and h.reader = me.pk
          and (select max(pk) from posts) <= h.newest + 200
    )
    select '[' || coalesce(group_concat(item) filter (where n <= ?2), '') || ']',
        iif(count(*) > ?2, max(k) filter (where n = ?2), null)
    from (
        select ",
    post_json!("p", "a", "c.viewer", my_reactions!("c.viewer", "p")),
    " as item, p.pk as k, row_number() over () as n
        from (
            select pk, viewer from (
                select q.pk, head.viewer
                from head cross join posts as q
                where q.pk > head.newest and (q.author = head.viewer or (q.status = 'published' and exists (
                    select 1 from follows where follower = head.viewer and followee = q.author)))
                order by q.pk desc limit -1
            )
            union all
            select e.value, head.viewer from head cross join json_each(head.posts) as e
        ) as c cross join posts as p cross join people as a
        where p.pk = c.pk and a.pk = p.author and ",
    shared::may_see!("c.viewer", "a"),
    " and not ",
    shared::mutes!("c.viewer", "a"),
    "   limit ?2 + 1
    )
    having count(*) > ?2 or (select whole from head)"
);

/// The caller `?1` gets a head of `?3` posts (`?2` is null) at `?4`, unless they got one just now.
pub const KEEP_HEAD: &str = concat!(
    "insert into feed_heads (reader, newest, posts, whole, made_at) ",
    merged!(),
    "select me.pk, coalesce((select max(pk) from posts), 0), made.posts, made.n < ?3, ?4
    from people as me cross join (
        select json_group_array(pk) as posts, count(*) as n
        from (select pk from walk where pk is not null order by pk desc limit ?3)
    ) as made
    where me.id = +?1 and me.status = 'active'
      and not exists (select 1 from feed_heads where reader = me.pk and made_at between ?4 - ?5 and ?4)
    on conflict (reader) do update set
        newest = excluded.newest, posts = excluded.posts, whole = excluded.whole, made_at = excluded.made_at"
);

/// The first page of the feed of `caller`, where their head still serves.
pub async fn get_feed_head(db: &Db, caller: Id, limit: u32) -> Result<Option<PageOut>, DbError> {
    Ok(page_of(db, FEED_HEAD, params![caller, limit]).await?.map(|(page, _)| page))
}

/// Makes the head of the feed of `caller`.
pub async fn keep_feed_head(db: &Db, caller: Id, now: Instant) -> Result<(), DbError> {
    let null = shared::db::Value::Null;
    db.rows(KEEP_HEAD, params![caller, null, KEPT, now.millis(), REMADE]).await.map(drop)
}
