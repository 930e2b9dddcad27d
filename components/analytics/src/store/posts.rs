//! How a post is received.

use serde_json::Value;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use super::{date, span};

/// Days from the first on which anything is known of it: one range of the key of `post_days`. The sketch as `[set, sum]`, since
/// SQLite need not have a logarithm.
///
/// ?1 the post, ?2 the caller, ?3 today.
pub const GET_POST_ANALYTICS: &str = concat!(
    "with recursive post as materialized (select p.pk, min(+?3, coalesce(p.published, +?3), coalesce((select min(day) from post_days
            where post = p.pk and views + reactions + comments > 0), +?3)) as first
        from people as me cross join posts as p
        where me.id = +?2 and me.status = 'active' and p.id = +?1 and p.author = me.pk), ",
    span!("(select first from post)", "+?3"),
    " select json_object('views', sum(views), 'uniqueViewers', json((select json_array(count(*), coalesce(sum(1.0 / (1 << rank)), 0.0))
            from sketches where post = (select pk from post))),
        'reactions', sum(reactions), 'comments', sum(comments),
        'days', json_group_array(json_object('date', date, 'views', views, 'reactions', reactions, 'comments', comments)))
    from (select ",
    date!("span.day"),
    " as date, coalesce(d.views, 0) as views, coalesce(d.reactions, 0) as reactions, coalesce(d.comments, 0) as comments
        from post cross join span left join post_days as d on d.post = post.pk and d.day = span.day
        order by span.day)
    having count(*) > 0"
);

/// How `post` is received until `today`, with its sketch; `None` where it is none of `author`'s.
pub async fn get_post_analytics(db: &Db, post: Id, author: Id, today: i64) -> Result<Option<Value>, DbError> {
    db.read_as(GET_POST_ANALYTICS, params![post, author, today]).await
}

const EMPTY_POST_ANALYTICS: &str = concat!(
    "select json_object('views', 0, 'uniqueViewers', json('[0, 0]'), 'reactions', 0, 'comments', 0,
        'days', json_array(json_object('date', ",
    date!("?1"),
    ", 'views', 0, 'reactions', 0, 'comments', 0)))"
);

/// How a post is received of which nobody told yet.
pub async fn empty_post_analytics(db: &Db, today: i64) -> Result<Value, DbError> {
    Ok(db.read_as(EMPTY_POST_ANALYTICS, params![today]).await?.unwrap_or_default())
}
