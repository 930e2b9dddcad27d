//! Reports, as those make and see them who report.

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut};
use shared::ids::Id;
use shared::page::Page;
use shared::{page_sql, params};

use crate::model::{Report, Seen};

// An open report about the same thing is answered as it is: the update changes nothing.
pub(super) const CREATE_REPORT: &str = "insert into reports
        (id, reporter, target_type, target_id, target_author, reason, details, created_at, excerpt)
    select ?3, me.pk, ?4, ?5, them.pk, ?6, ?7, ?8, ?9 from people as me, people as them
    where me.id = ?1 and me.status = 'active' and them.id = ?2 and them.status <> 'deleted'
    on conflict (reporter, target_type, target_id) where status = 'open'
        do update set reason = reports.reason
    returning json_object('id', id, 'status', status)";

/// Makes a report of what `seen` says, or finds the open one; `None` where the author is gone.
pub async fn create_report(
    db: &Db,
    caller: Id,
    seen: &Seen,
    report: &Report,
    now: Instant,
) -> Result<Option<String>, DbError> {
    let Report { target_type, target_id, reason, details } = report;
    let (id, details) = (Id::new(now), details.as_deref());
    let params = params![
        caller,
        seen.author_id,
        id,
        target_type.name(),
        target_id,
        reason.name(),
        details,
        now.rfc3339(),
        seen.excerpt()
    ];
    db.write(CREATE_REPORT, params).await
}

/// A `reports` row `r` as its reporter sees it.
macro_rules! report_json {
    () => {
        "json_object('id', r.id, 'targetType', r.target_type, 'targetId', r.target_id, 'reason', r.reason,
            'details', r.details, 'status', r.status, 'createdAt', r.created_at, 'resolvedAt', r.resolved_at)"
    };
}
pub(super) use report_json;

// By the index of (reporter, id) read backwards; ids sort by time.
pub(super) const LIST_REPORTS: &str = page_sql!(
    concat!(
        "select ",
        report_json!(),
        " as item, r.id as k from reports as r
        where r.reporter = (select pk from people where id = ?1) and r.id < coalesce(?3, '~')
        order by r.id desc limit ?2 + 1"
    ),
    "?2"
);

/// The caller's reports.
pub async fn list_reports(db: &Db, caller: Id, page: &Page) -> Result<PageOut, DbError> {
    db.page(LIST_REPORTS, params![caller, page.limit, page.after_text()]).await
}
