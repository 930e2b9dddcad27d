//! The feed, and the posts of one person.

use serde::Deserialize;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::{page_sql, params};

use super::{my_reactions, page_of, post_json, sees_post};

/// Begins a statement that reads from `walk`: the feed of the caller `?1` below the post `?2`, `?3` posts and one,
/// as a merge of the lists of the authors they follow.
///
/// `reached`: for each author their newest post below the cursor, which for most is the one in
/// `author_latest`; of these the newest, as many as a page and one, of authors the caller sees. No
/// other author can have a post on the page. The privacy rule is asked after the sort, thus of a
/// page of authors and not of all; `limit -1` keeps SQLite from undoing that order.
///
/// `walk`: a queue, which is what `order by` makes of a recursive statement. The newest post comes
/// out, and its author's next one goes in.
///
/// `+?1` and not `?1`: for a bare parameter SQLite 3.54 prepares this statement anew each time it is
/// bound, which takes as long as running it.
macro_rules! merged {
    () => {
        concat!(
            "with recursive reached (author, viewer, last) as (
                select s.author, s.viewer, s.last
                from (
                    select l.author, me.pk as viewer, iif(
                        l.post < coalesce(?2, 9223372036854775807), l.post,
                        (select q.pk from posts as q
                        where q.author = l.author and q.pk < ?2 and q.status = 'published'
                        order by q.pk desc limit 1)) as last
                    from people as me cross join follows as f cross join author_latest as l
                    where me.id = +?1 and f.follower = me.pk and l.author = f.followee
                    union all
                    select me.pk, me.pk, (
                        select max(q.pk) from posts as q
                        where q.author = me.pk and q.pk < coalesce(?2, 9223372036854775807))
                    from people as me where me.id = +?1
                    order by 3 desc limit -1
                ) as s cross join people as a
                where s.last is not null and a.pk = s.author and ",
            shared::may_see!("s.viewer", "a"),
            " and not ",
            shared::mutes!("s.viewer", "a"),
            "   limit ?3 + 1
            ),
            walk (author, viewer, pk) as (
                select author, viewer, last from reached
                union all
                select author, viewer, (
                    select q.pk from posts as q
                    where q.author = walk.author and q.pk < walk.pk
                      and (q.status = 'published' or q.author = walk.viewer)
                    order by q.pk desc limit 1)
                from walk where walk.pk is not null
                order by 3 desc limit ?3 + 1
            )
            "
        )
    };
}

/// A page of the feed by the merge; the text is that of a head's page, to the line break after a post.
pub const FEED: &str = concat!(
    merged!(),
    "select '[' || coalesce(group_concat(",
    post_json!("p", "a", "page.viewer", my_reactions!("page.viewer", "p")),
    ", ',' || char(10)) filter (where page.n <= ?3), '') || ']', iif(count(*) > ?3, max(page.pk) filter (where page.n = ?3), null)
    from (
        select pk, viewer, row_number() over (order by pk desc) as n from walk where pk is not null
    ) as page cross join posts as p cross join people as a
    where p.pk = page.pk and a.pk = p.author
    having exists (select 1 from people where id = +?1 and status = 'active')"
);

/// A page of the posts of `caller` and of those they follow; `None` where they are nobody here.
pub async fn get_feed(db: &Db, caller: Id, after: Value, limit: u32) -> Result<Option<PageOut>, DbError> {
    Ok(page_of(db, FEED, params![caller, after, limit]).await?.map(|(page, _)| page))
}

pub(super) use merged;

/// An author as somebody finds them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorRow {
    /// Their key.
    pub pk: i64,
    /// Whether they are there for the viewer: active, and no block between the two.
    pub found: bool,
    /// Whether their posts are.
    pub seen: bool,
}

const FIND_AUTHOR: &str = concat!(
    "select json_object('pk', a.pk, 'found', json(iif(a.status = 'active' and ",
    shared::unblocked!("me.pk", "a"),
    ", 'true', 'false')), 'seen', json(iif(",
    shared::may_see!("me.pk", "a"),
    ", 'true', 'false')))
    from people as a cross join people as me where a.handle = ?1 and me.id = ?2 order by a.status = 'active' desc limit 1"
);

const MAY_FIND_PERSON: &str = concat!(
    "select 1 from people as a cross join people as me
    where a.id = ?1 and me.id = ?2 and a.status = 'active' and ",
    shared::unblocked!("me.pk", "a")
);

/// Whether the person is there for `viewer`.
pub async fn may_find_person(db: &Db, person: Id, viewer: Id) -> Result<bool, DbError> {
    Ok(db.read(MAY_FIND_PERSON, params![person, viewer]).await?.is_some())
}

/// Who has the handle, as `viewer` finds them. Somebody inactive may still have it here for a while.
pub async fn find_author(db: &Db, handle: &str, viewer: Id) -> Result<Option<AuthorRow>, DbError> {
    db.read_as(FIND_AUTHOR, params![handle, viewer]).await
}

/// Runs down `posts_by_author`. Whom one mutes is here all the same.
pub const LIST_POSTS_OF: &str = page_sql!(
    concat!(
        "select ",
        post_json!("p", "a", "me.pk", my_reactions!("me.pk", "p")),
        " as item, p.pk as k
        from people as a cross join people as me cross join posts as p
        where a.pk = ?1 and me.id = ?2 and p.author = a.pk and p.pk < coalesce(?3, 9223372036854775807) and ",
        sees_post!("me.pk", "p", "a"),
        " order by p.pk desc limit ?4 + 1"
    ),
    "?4"
);

/// A page of the posts of the person `author` (a pk) that `viewer` may see.
pub async fn list_posts_of(
    db: &Db,
    author: i64,
    viewer: Id,
    after: Value,
    limit: u32,
) -> Result<PageOut, DbError> {
    db.page(LIST_POSTS_OF, params![author, viewer, after, limit]).await
}
