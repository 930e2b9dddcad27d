//! What administrators did.

use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::{page_sql, params, user_json};

/// An `audit` row `t` without who did it.
macro_rules! act_fields {
    () => {
        "'action', t.action, 'targetType', t.target_type, 'targetId', t.target_id, 'reportId', t.report_id,
            'note', t.note, 'createdAt', t.created_at"
    };
}
pub(super) use act_fields;

/// A page of the audit, newest first; each way to narrow it has an index.
macro_rules! audit_sql {
    ($where:expr) => {
        page_sql!(
            concat!(
                "select json_object('id', t.id, 'admin', ",
                user_json!("them"),
                ", ",
                act_fields!(),
                ") as item, t.pk as k from audit as t cross join people as them on them.pk = t.admin
                where t.pk < coalesce(?2, 9223372036854775807)",
                $where,
                " order by t.pk desc limit ?1 + 1"
            ),
            "?1"
        )
    };
}

pub(super) const LIST_AUDIT: &str = audit_sql!("");

pub(super) const LIST_AUDIT_BY: &str = audit_sql!(" and t.admin = (select pk from people where id = ?3)");

pub(super) const LIST_AUDIT_ABOUT: &str = audit_sql!(" and t.target_id = ?3");

pub(super) const LIST_AUDIT_BY_ABOUT: &str =
    audit_sql!(" and +t.admin = (select pk from people where id = ?3) and t.target_id = ?4");

/// What administrators did, or one of them, or what was done to one thing.
pub async fn list_audit(
    db: &Db,
    admin: Option<Id>,
    target: Option<Id>,
    limit: u32,
    after: Value,
) -> Result<PageOut, DbError> {
    let start = params![limit, after];
    let (sql, narrowed) = match (admin, target) {
        (None, None) => (LIST_AUDIT, params![]),
        (Some(admin), None) => (LIST_AUDIT_BY, params![admin]),
        (None, Some(target)) => (LIST_AUDIT_ABOUT, params![target]),
        (Some(admin), Some(target)) => (LIST_AUDIT_BY_ABOUT, params![admin, target]),
    };
    db.page(sql, [start, narrowed].concat()).await
}
