//! What other services ask.

use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use super::appeals::decision_json;
use super::audit::act_fields;
use super::reports::report_json;

/// One side of a tie as the export tells it.
macro_rules! exported {
    ($table:expr, $mine:expr, $theirs:expr) => {
        concat!(
            "json((select json_group_array(json_object('userId', them.id, 'handle', them.handle, 'createdAt', t.created_at))
            from ", $table, " as t, people as them where t.", $mine, " = me.pk and them.pk = t.", $theirs, "))"
        )
    };
}

// Only what is the person's own doing, and what was decided about them: who follows, blocks, mutes or reported them is not.
pub(super) const EXPORT_PERSON: &str = concat!(
    "select json_object('following', ",
    exported!("follows", "follower", "followee"),
    ", 'followRequests', ",
    exported!("follow_requests", "requester", "target"),
    ", 'blocked', ",
    exported!("blocks", "blocker", "blocked"),
    ", 'muted', ",
    exported!("mutes", "muter", "muted"),
    ", 'reports', json((select json_group_array(",
    report_json!(),
    ") from reports as r where r.reporter = me.pk)), 'decisions', json((select json_group_array(",
    decision_json!(),
    ") from cases as c left join appeals as a on a.in_case = c.pk
        where c.author = me.pk and c.status in ('content_removed', 'user_suspended'))),
        'adminActions', json((select json_group_array(json_object(",
    act_fields!(),
    ")) from audit as t where t.admin = me.pk)))
    from (select (select pk from people where id = ?1) as pk) as me"
);

/// What this service holds that is the person's own.
pub async fn export_person(db: &Db, user: Id) -> Result<String, DbError> {
    Ok(db.read(EXPORT_PERSON, params![user]).await?.unwrap_or_else(|| "{}".to_owned()))
}
