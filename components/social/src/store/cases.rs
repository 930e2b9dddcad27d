//! Reports as administrators see them, and what is decided. Whatever is decided is an insert into `audit`; its triggers do
//! it (migrations/0004_moderation.sql).

use serde::Deserialize;
use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::{page_sql, params, user_json};

use crate::model::{Action, TargetType};

/// A `cases` row `c` of the `people` row `author` with everybody who reported it. `r` is the report it was decided by, else
/// the oldest, and `reporter` who made that: none, where those who reported it are gone.
macro_rules! case_json {
    () => {
        concat!(
            "json_object('id', coalesce(r.id, c.report_id), 'targetType', c.target_type, 'targetId', c.target_id,
                'reason', coalesce(r.reason, c.reason), 'details', r.details, 'excerpt', r.excerpt, 'status', c.status,
                'createdAt', coalesce(r.created_at, c.opened_at), 'resolvedAt', c.decided_at, 'note', c.note,
                'author', ",
            user_json!("author"),
            ", 'reporter', json(iif(reporter.pk is null, 'null', ",
            user_json!("reporter"),
            ")), 'reportCount', c.reports, 'reports', json((select json_group_array(json(one.item)) from (
                select json_object('id', o.id, 'reporter', ",
            user_json!("by"),
            ", 'reason', o.reason, 'details', o.details, 'createdAt', o.created_at) as item
                from reports as o cross join people as by where o.in_case = c.pk and by.pk = o.reporter
                order by o.pk limit 20) as one)))"
        )
    };
}
pub(super) use case_json;

/// What `case_json!` needs, beside `cases as c`.
macro_rules! with_case {
    () => {
        "cross join people as author on author.pk = c.author
        left join reports as r on r.pk = coalesce(
            (select pk from reports where id = c.report_id), (select min(pk) from reports where in_case = c.pk))
        left join people as reporter on reporter.pk = r.reporter"
    };
}
pub(super) use with_case;

// By the index on the status, read backwards.
pub(super) const LIST_CASES: &str = page_sql!(
    concat!(
        "select ",
        case_json!(),
        " as item, c.pk as k from cases as c ",
        with_case!(),
        " where c.status = ?1 and c.pk < coalesce(?3, 9223372036854775807) order by c.pk desc limit ?2 + 1"
    ),
    "?2"
);

/// What is reported and stands so, one item for each thing, newest first.
pub async fn list_cases(db: &Db, status: &str, limit: u32, after: Value) -> Result<PageOut, DbError> {
    db.page(LIST_CASES, params![status, limit, after]).await
}

pub(super) const GET_CASE: &str = concat!(
    "select ",
    case_json!(),
    " from cases as c ",
    with_case!(),
    " where c.pk = (select in_case from reports where id = ?1)"
);

/// The case of a report.
pub async fn get_case(db: &Db, report: Id) -> Result<Option<String>, DbError> {
    db.read(GET_CASE, params![report]).await
}

/// What has to be known of a report before it is decided.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reported {
    /// How it stands.
    pub status: String,
    /// What it is about.
    pub target_type: TargetType,
    /// Whose that is.
    pub author_id: Id,
}

pub(super) const FIND_REPORT: &str =
    "select json_object('status', r.status, 'targetType', r.target_type, 'authorId', author.id)
    from reports as r cross join people as author on author.pk = r.target_author
    where r.id = ?1";

/// What has to be known of a report before it is decided.
pub async fn find_report(db: &Db, report: Id) -> Result<Option<Reported>, DbError> {
    db.read_as(FIND_REPORT, params![report]).await
}

pub(super) const RESOLVE_REPORT: &str = "insert into audit
        (id, admin, action, target_type, target_id, subject, report_id, note, created_at)
    select ?3, me.pk, ?4, r.target_type, r.target_id, r.target_author, r.id, ?5, ?6
    from people as me, reports as r
    where me.id = ?1 and r.id = ?2 and r.status = 'open'
    returning 1";

/// Decides a report and all others of the same thing; false where it is not open.
pub async fn resolve_report(
    db: &Db,
    admin: Id,
    report: Id,
    action: Action,
    note: Option<&str>,
    now: Instant,
) -> Result<bool, DbError> {
    let params = params![admin, report, Id::new(now), action.name(), note, now.rfc3339()];
    Ok(db.write(RESOLVE_REPORT, params).await?.is_some())
}

// A decision is known by a report: the administrator's own, made by a trigger unless there is one. Who is suspended already
// is not suspended once more.
pub(super) const SUSPEND_USER: &str = "insert into audit
        (id, admin, action, target_type, target_id, subject, report_id, note, created_at)
    select ?3, me.pk, 'suspend_user', 'user', them.id, them.pk,
        iif(exists (select 1 from cases where author = them.pk and status = 'user_suspended' and lifted_at is null),
            null,
            coalesce((select id from reports where reporter = me.pk and target_type = 'user' and target_id = them.id
                and status = 'open'), ?4)),
        ?5, ?6
    from people as me, people as them
    where me.id = ?1 and them.id = ?2 and them.status in ('active', 'suspended')
    returning 1";

/// Suspends a person; false where there is none. Again changes nothing.
pub async fn suspend_user(db: &Db, admin: Id, whom: Id, reason: &str, now: Instant) -> Result<bool, DbError> {
    let params = params![admin, whom, Id::new(now), Id::new(now), reason, now.rfc3339()];
    Ok(db.write(SUSPEND_USER, params).await?.is_some())
}

pub(super) const UNSUSPEND_USER: &str = "insert into audit
        (id, admin, action, target_type, target_id, subject, created_at)
    select ?3, me.pk, 'unsuspend_user', 'user', them.id, them.pk, ?4
    from people as me, people as them
    where me.id = ?1 and them.id = ?2 and them.status in ('active', 'suspended')
    returning 1";

/// Ends every suspension of a person; false where there is nobody. Again changes nothing.
pub async fn unsuspend_user(db: &Db, admin: Id, whom: Id, now: Instant) -> Result<bool, DbError> {
    Ok(db.write(UNSUSPEND_USER, params![admin, whom, Id::new(now), now.rfc3339()]).await?.is_some())
}
