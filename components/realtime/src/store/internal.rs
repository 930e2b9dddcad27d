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

/// What its rows name is in the export of the service whose it is.
const EXPORT_PERSON: &str = "select json_object(
    'events', (select count(*) from log where person = me.pk),
    'lastEvent', (select head from listeners where person = me.pk),
    'openStreams', (select count(*) from streams where person = me.pk))
    from (select (select pk from people where id = ?1) as pk) as me";

/// What is held about a person, as one JSON document.
pub async fn export_person(db: &Db, person: Id) -> Result<String, DbError> {
    Ok(db.read(EXPORT_PERSON, params![person]).await?.unwrap_or_else(|| "{}".to_owned()))
}
