//! What other services ask, and what time takes.

use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use super::date;

/// Oldest first.
const EXPORT_PERSON: &str = concat!(
    "select json_object(
    'days', json((select json_group_array(json_object('date', ",
    date!("day"),
    ", 'views', views, 'reactions', reactions, 'comments', comments, 'followers', followers, 'posts', posts))
        from (select * from author_days where author = me.pk order by day))),
    'posts', json((select json_group_array(json_object('postId', id, 'views', views, 'reactions', reactions, 'comments', comments))
        from (select p.id, coalesce(sum(d.views), 0) as views, coalesce(sum(d.reactions), 0) as reactions,
                coalesce(sum(d.comments), 0) as comments
            from posts as p left join post_days as d on d.post = p.pk where p.author = me.pk group by p.pk order by p.id))),
    'active', json((select json_group_array(",
    date!("day"),
    ") from (select day from activity where person = me.pk order by day))))
    from (select (select pk from people where id = ?1) as pk) as me"
);

/// Everything held about a person, as one JSON document.
pub async fn export_person(db: &Db, person: Id) -> Result<String, DbError> {
    Ok(db.read(EXPORT_PERSON, params![person]).await?.unwrap_or_else(|| "{}".to_owned()))
}

/// All of a narrow table, once an hour.
const FORGET_ACTIVITY: &str = "delete from activity where day < ?1";

/// Forgets who was active before `day`; how many they were stays.
pub async fn forget_activity(db: &Db, day: i64) -> Result<(), DbError> {
    db.rows(FORGET_ACTIVITY, params![day]).await.map(drop)
}
