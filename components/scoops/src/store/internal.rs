//! What other services ask.

use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use super::{is_close_friend, seen_scoop, sees_scoop};

const VISIBLE_SCOOP: &str =
    concat!("select json_object('authorId', a.id, 'text', s.caption) from ", seen_scoop!());

/// `{authorId, text}` of a live scoop that `viewer` may see.
pub async fn find_visible_scoop(
    db: &Db,
    scoop: Id,
    viewer: Id,
    now: Instant,
) -> Result<Option<String>, DbError> {
    db.read(VISIBLE_SCOOP, params![scoop, viewer, now.millis()]).await
}

/// By the indexes on the person, oldest first. Of what they looked at, only what lives.
const EXPORT_PERSON: &str = "select json_object(
    'scoops', json((select json_group_array(json_object(
            'id', id, 'mediaKey', media_key, 'caption', caption, 'audience', audience, 'createdAt', created_at,
            'expiresAt', expires_at, 'viewCount', views))
        from (select * from scoops where author = person.pk and gone is null order by pk))),
    'views', json((select json_group_array(json_object('scoopId', id, 'viewedAt', at))
        from (select s.id, v.at from views as v join scoops as s on s.pk = v.scoop
            where v.viewer = person.pk and s.gone is null and s.expires_ms > ?2 order by v.n))),
    'closeFriends', json((select json_group_array(json_object('userId', id, 'handle', handle, 'createdAt', at))
        from (select them.id, them.handle, c.created_at as at from close_friends as c join people as them on them.pk = c.friend
            where c.owner = person.pk order by c.pk))))
    from (select (select pk from people where id = ?1) as pk) as person";

/// Everything held about a person that is their own doing, as one JSON document.
pub async fn export_person(db: &Db, person: Id, now: Instant) -> Result<Option<String>, DbError> {
    db.read(EXPORT_PERSON, params![person, now.millis()]).await
}
