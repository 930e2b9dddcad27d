//! What was decided against somebody, and what they say to it.

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::{page_sql, params, user_json};

use super::cases::{case_json, with_case};
use crate::model::Verdict;

/// An `appeals` row `a` against the decision known by the report `report`.
macro_rules! appeal_json {
    ($a:expr, $report:expr) => {
        concat!("json_object(", crate::store::appeals::appeal_fields!($a, $report), ")")
    };
}
pub(super) use appeal_json;

/// The members of an appeal, to build a larger object from.
macro_rules! appeal_fields {
    ($a:expr, $report:expr) => {
        concat!(
            "'id', ",
            $a,
            ".id, 'reportId', ",
            $report,
            ", 'text', ",
            $a,
            ".text, 'status', ",
            $a,
            ".status,
            'note', ",
            $a,
            ".note, 'createdAt', ",
            $a,
            ".created_at, 'resolvedAt', ",
            $a,
            ".resolved_at"
        )
    };
}
pub(super) use appeal_fields;

/// A `cases` row `c` as its author sees what was decided; `a` is their appeal, or none. Nothing of it tells who reported.
macro_rules! decision_json {
    () => {
        concat!(
            "json_object('reportId', c.report_id, 'targetType', c.target_type, 'targetId', c.target_id,
                'status', c.status, 'reason', c.reason, 'note', c.note, 'decidedAt', c.decided_at,
                'liftedAt', c.lifted_at, 'appeal', json(iif(a.pk is null, 'null', ",
            crate::store::appeals::appeal_json!("a", "c.report_id"),
            ")))"
        )
    };
}
pub(super) use decision_json;

// By the index on authors, read backwards.
pub(super) const LIST_DECISIONS: &str = page_sql!(
    concat!(
        "select ",
        decision_json!(),
        " as item, c.pk as k from cases as c left join appeals as a on a.in_case = c.pk
        where c.author = (select pk from people where id = ?1)
          and c.status in ('content_removed', 'user_suspended') and c.pk < coalesce(?3, 9223372036854775807)
        order by c.pk desc limit ?2 + 1"
    ),
    "?2"
);

/// What was decided against the caller, newest first.
pub async fn list_decisions(db: &Db, caller: Id, limit: u32, after: Value) -> Result<PageOut, DbError> {
    db.page(LIST_DECISIONS, params![caller, limit, after]).await
}

// Of the reports that were decided at once each names the decision, be it gone or not.
pub(super) const CREATE_APPEAL: &str = concat!(
    "insert into appeals (id, in_case, text, created_at)
    select ?3, c.pk, ?4, ?5 from people as me, cases as c
    where me.id = ?1 and c.author = me.pk and c.status in ('content_removed', 'user_suspended')
      and c.pk = coalesce((select in_case from reports where id = ?2), (select pk from cases where report_id = ?2))
    returning ",
    appeal_json!("appeals", "(select report_id from cases where pk = appeals.in_case)")
);

/// Why there is no appeal.
#[derive(Debug, PartialEq, Eq)]
pub enum AppealError {
    /// There is one already.
    Again,
    /// The statement failed.
    Db(DbError),
}

/// Appeals against a decision; `None` where there is none against the caller.
pub async fn create_appeal(
    db: &Db,
    caller: Id,
    report: Id,
    text: &str,
    now: Instant,
) -> Result<Option<String>, AppealError> {
    let params = params![caller, report, Id::new(now), text, now.rfc3339()];
    db.write(CREATE_APPEAL, params).await.map_err(|error| match error {
        _ if error.is_unique("appeals.in_case") => AppealError::Again,
        other => AppealError::Db(other),
    })
}

/// An appeal `a` with its author and the case `c`, as administrators see it.
macro_rules! appealed_json {
    () => {
        concat!(
            "json_object(",
            appeal_fields!("a", "c.report_id"),
            ", 'author', ",
            user_json!("author"),
            ", 'report', ",
            case_json!(),
            ")"
        )
    };
}

// By the index on the status, read backwards.
pub(super) const LIST_APPEALS: &str = page_sql!(
    concat!(
        "select ",
        appealed_json!(),
        " as item, a.pk as k from appeals as a cross join cases as c on c.pk = a.in_case ",
        with_case!(),
        " where a.status = ?1 and a.pk < coalesce(?3, 9223372036854775807) order by a.pk desc limit ?2 + 1"
    ),
    "?2"
);

/// The appeals that stand so, newest first.
pub async fn list_appeals(db: &Db, status: &str, limit: u32, after: Value) -> Result<PageOut, DbError> {
    db.page(LIST_APPEALS, params![status, limit, after]).await
}

pub(super) const GET_APPEAL: &str = concat!(
    "select ",
    appealed_json!(),
    " from appeals as a cross join cases as c on c.pk = a.in_case ",
    with_case!(),
    " where a.id = ?1"
);

/// An appeal.
pub async fn get_appeal(db: &Db, appeal: Id) -> Result<Option<String>, DbError> {
    db.read(GET_APPEAL, params![appeal]).await
}

pub(super) const RESOLVE_APPEAL: &str = "insert into audit
        (id, admin, action, target_type, target_id, subject, report_id, appeal_id, note, created_at)
    select ?3, me.pk, ?4, c.target_type, c.target_id, c.author, c.report_id, a.id, ?5, ?6
    from people as me, appeals as a cross join cases as c on c.pk = a.in_case
    where me.id = ?1 and a.id = ?2 and a.status = 'open'
    returning 1";

/// Decides an appeal; false where it is not open.
pub async fn resolve_appeal(
    db: &Db,
    admin: Id,
    appeal: Id,
    verdict: Verdict,
    note: Option<&str>,
    now: Instant,
) -> Result<bool, DbError> {
    let params = params![admin, appeal, Id::new(now), verdict.name(), note, now.rfc3339()];
    Ok(db.write(RESOLVE_APPEAL, params).await?.is_some())
}
