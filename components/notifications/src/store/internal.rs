//! What other services ask.

use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

/// By `people_unknown`, the newest first.
const LIST_UNKNOWN: &str = "select json_group_array(id) from (
    select id from people where status = 'unknown' order by pk desc limit 20)";

/// People whom events named and of whom nothing else is known, at most 20.
pub async fn list_unknown(db: &Db) -> Result<Vec<Id>, DbError> {
    Ok(db.read_as(LIST_UNKNOWN, params![]).await?.unwrap_or_default())
}

/// Newest first; others are named by id. `did` is what the person is an actor of, in what others are told.
const EXPORT_PERSON: &str = "select json_object(
    'notifications', json((select json_group_array(json_object(
            'id', n.id, 'type', n.type, 'targetType', n.target_type, 'targetId', n.target_id,
            'createdAt', n.created_at, 'updatedAt', n.updated_at, 'read', json(iif(n.read, 'true', 'false')),
            'actors', json((select json_group_array(u.id) from actors as a join people as u on u.pk = a.person
                where a.notification = n.pk))))
        from (select * from notifications where person = me.pk order by place desc) as n)),
    'did', json((select json_group_array(json_object('type', type, 'targetType', target_type, 'targetId', target_id, 'at', at))
        from (select n.type, n.target_type, n.target_id, a.at from actors as a
            join notifications as n on n.pk = a.notification where a.person = me.pk order by a.at desc))),
    'preferences', json((select preferences from preferences where person = me.pk)),
    'pushEndpoints', json((select json_group_array(json_object(
            'id', id, 'provider', provider, 'address', address, 'registeredAt', registered_at))
        from (select * from push_endpoints where person = me.pk order by registered_at desc))))
    from (select (select pk from people where id = ?1) as pk) as me";

/// Everything held about a person, as one JSON document.
pub async fn export_person(db: &Db, person: Id) -> Result<String, DbError> {
    Ok(db.read(EXPORT_PERSON, params![person]).await?.unwrap_or_else(|| "{}".to_owned()))
}
