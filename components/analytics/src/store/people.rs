//! How what a person publishes is received.

use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use super::{date, span};

/// One range of the key of `author_days`. No row where the caller is nobody here.
///
/// ?1 the caller, ?2 the first day, ?3 the last.
pub const GET_MY_ANALYTICS: &str = concat!(
    "with recursive ",
    span!("+?2", "+?3"),
    " select json_object('from', ",
    date!("?2"),
    ", 'to', ",
    date!("?3"),
    ", 'days', json_group_array(json_object('date', date, 'views', views, 'reactions', reactions, 'comments', comments,
            'followers', followers, 'posts', posts)),
        'totals', json_object('views', sum(views), 'reactions', sum(reactions), 'comments', sum(comments),
            'followers', sum(followers), 'posts', sum(posts)))
    from (select ",
    date!("span.day"),
    " as date, coalesce(d.views, 0) as views, coalesce(d.reactions, 0) as reactions, coalesce(d.comments, 0) as comments,
            coalesce(d.followers, 0) as followers, coalesce(d.posts, 0) as posts
        from people as me cross join span left join author_days as d on d.author = me.pk and d.day = span.day
        where me.id = +?1 and me.status = 'active' order by span.day)
    having count(*) > 0"
);

/// How what `person` publishes is received on the days of `range`; `None` where they are nobody here.
pub async fn get_my_analytics(db: &Db, person: Id, range: (i64, i64)) -> Result<Option<String>, DbError> {
    db.read(GET_MY_ANALYTICS, params![person, range.0, range.1]).await
}
