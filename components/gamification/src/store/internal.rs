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

/// By the keys that begin with the person, oldest first. The other person of a cause is named by id, and so is the thing.
const EXPORT_PERSON: &str = "with recursive quarters (value) as (
        select 0 union all select value + 1 from quarters where value < 47)
    select json_object(
    'earned', json((select json_group_array(json_object(
            'kind', l.kind, 'cause', nullif(l.cause, ''), 'userId', p.id, 'at', l.at))
        from (select * from ledger where person = me.pk and held > 0 order by at, pk) as l
        left join people as p on p.pk = l.partner)),
    'badges', json((select json_group_array(json_object('id', badge, 'name', name, 'awardedAt', at))
        from (select * from awards where person = me.pk order by at, badge))),
    'activity', json((select json_group_array(strftime('%Y-%m-%dT%H:%M:%SZ', half * 43200 + quarter * 900, 'unixepoch'))
        from (select half, quarter.value as quarter from activity cross join quarters as quarter
            where person = me.pk and mask >> quarter.value & 1 = 1 order by half, quarter.value))),
    'optedOut', json(iif((select opted_out from settings where person = me.pk) = 1, 'true', 'false')),
    'timeZone', (select time_zone from settings where person = me.pk))
    from (select (select pk from people where id = ?1) as pk) as me";

/// Everything held about a person, as one JSON document.
pub async fn export_person(db: &Db, person: Id) -> Result<String, DbError> {
    Ok(db.read(EXPORT_PERSON, params![person]).await?.unwrap_or_else(|| "{}".to_owned()))
}
