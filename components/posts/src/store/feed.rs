//! The feed, and the posts of one person.

use serde::Deserialize;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::{page_sql, params};

use super::{my_reactions, page_of, post_json, sees_post};

/// The caller `?1` after the post `?2`, `?3` posts. Three lists, each at most a page long and with
/// the privacy rule inside: the timeline down to its floor, backwards by its key; the wide authors
/// the caller follows; and below the floor, only where the timeline does not fill the page, every
/// author they follow. A list of an author is read from `posts_by_author` no further than a page,
/// which only an `in` with a limit makes SQLite do. `union` makes one of a post found twice.
pub const FEED: &str = concat!(
    "with recent as materialized (
        select t.post as pk
        from people as me cross join timeline as t cross join posts as p cross join people as a
        where me.id = ?1 and t.owner = me.pk
          and t.post > coalesce((select floor from timelines where owner = me.pk), 0)
          and t.post < coalesce(?2, 9223372036854775807)
          and p.pk = t.post and a.pk = p.author and ",
    sees_post!("me.pk", "p", "a"),
    " and not ",
    shared::mutes!("me.pk", "a"),
    "   order by t.post desc limit ?3 + 1
    ),
    read_out (author, below) as (
        select w.followee, 9223372036854775807
        from people as me cross join wide_follows as w where me.id = ?1 and w.follower = me.pk
        union all
        select s.author, (select floor from timelines where owner = s.me) + 1
        from (
            select me.pk as me, f.followee as author from people as me cross join follows as f
            where me.id = ?1 and f.follower = me.pk
            union all
            select pk, pk from people where id = ?1
        ) as s
        where (select count(*) from recent) <= ?3 and exists (select 1 from timelines where owner = s.me)
    ),
    found as (
        select pk from recent
        union
        select p.pk
        from read_out as r cross join people as me cross join people as a cross join posts as p
        where me.id = ?1 and a.pk = r.author and not ",
    shared::mutes!("me.pk", "a"),
    "     and p.pk in (
            select q.pk from posts as q
            where q.author = r.author and q.pk < min(r.below, coalesce(?2, 9223372036854775807))
              and (q.status = 'published' or q.author = me.pk)
            order by q.pk desc limit ?3 + 1)
          and ",
    sees_post!("me.pk", "p", "a"),
    "   order by 1 desc limit ?3 + 1
    )
    select page.* from (select pk from people where id = ?1 and status = 'active') as caller cross join (",
    page_sql!(
        concat!(
            "select ",
            post_json!("p", "a", my_reactions!("me.pk", "p")),
            " as item, p.pk as k
            from found cross join people as me cross join posts as p cross join people as a
            where me.id = ?1 and p.pk = found.pk and a.pk = p.author
            order by found.pk desc"
        ),
        "?3"
    ),
    ") as page"
);

/// A page of the posts of `caller` and of those they follow; `None` where they are nobody here.
pub async fn get_feed(db: &Db, caller: Id, after: Value, limit: u32) -> Result<Option<PageOut>, DbError> {
    Ok(page_of(db, FEED, params![caller, after, limit]).await?.map(|(page, _)| page))
}

/// An author as somebody finds them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorRow {
    /// Their key.
    pub pk: i64,
    /// Whether their profile is there for the viewer.
    pub found: bool,
    /// Whether their posts are.
    pub seen: bool,
}

const FIND_AUTHOR: &str = concat!(
    "select json_object('pk', a.pk, 'found', json(iif(",
    shared::may_find!("me.pk", "a"),
    ", 'true', 'false')), 'seen', json(iif(",
    shared::may_see!("me.pk", "a"),
    ", 'true', 'false')))
    from people as a left join people as me on me.id = ?2 where a.handle = ?1"
);

/// Who has the handle, as `viewer` finds them.
pub async fn find_author(db: &Db, handle: &str, viewer: Option<Id>) -> Result<Option<AuthorRow>, DbError> {
    db.read_as(FIND_AUTHOR, params![handle, viewer]).await
}

/// Runs down `posts_by_author`. Whom one mutes is here all the same.
pub const LIST_POSTS_OF: &str = page_sql!(
    concat!(
        "select ",
        post_json!("p", "a", my_reactions!("me.pk", "p")),
        " as item, p.pk as k
        from people as a left join people as me on me.id = ?2 cross join posts as p
        where a.pk = ?1 and p.author = a.pk and p.pk < coalesce(?3, 9223372036854775807) and ",
        sees_post!("me.pk", "p", "a"),
        " order by p.pk desc limit ?4 + 1"
    ),
    "?4"
);

/// A page of the posts of the person `author` (a pk) that `viewer` may see.
pub async fn list_posts_of(
    db: &Db,
    author: i64,
    viewer: Option<Id>,
    after: Value,
    limit: u32,
) -> Result<PageOut, DbError> {
    db.page(LIST_POSTS_OF, params![author, viewer, after, limit]).await
}
