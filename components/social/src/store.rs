//! All SQL. In every statement `me` is the caller and `them` the person it is about.

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::page::Page;
use shared::{may_find, may_see, page_sql, params, profile_json, relationship_json, unblocked, user_json};

use crate::model::{Newest, Report};

/// Why a follow was refused.
#[derive(Debug, PartialEq, Eq)]
pub enum FollowError {
    /// The caller blocks the person.
    Blocking,
    /// The caller follows as many as they may.
    TooMany,
    /// The statement failed.
    Db(DbError),
}

impl From<DbError> for FollowError {
    fn from(error: DbError) -> Self {
        match error {
            _ if error.is_refused("blocked") => Self::Blocking,
            _ if error.is_refused("follows_too_many") => Self::TooMany,
            other => Self::Db(other),
        }
    }
}

// Two people by their unique ids; what is between them by primary keys.
const RELATIONSHIP: &str = concat!(
    "select ",
    relationship_json!("me.pk", "them"),
    " from people as me, people as them where me.id = ?1 and them.id = ?2 and ",
    may_find!("me.pk", "them")
);

// Who is blocked may block back, and take it back: the profile stays hidden from them.
const RELATIONSHIP_OF_BLOCKED: &str = concat!(
    "select ",
    relationship_json!("me.pk", "them"),
    " from people as me, people as them where me.id = ?1 and them.id = ?2 and them.status = 'active'"
);

// The triggers of `ties` make it a follow, or a request where they are private.
const CREATE_FOLLOW: &str = concat!(
    "insert into ties (kind, one, other, created_at, most)
    select 'follow', me.pk, them.pk, ?3, ?4 from people as me, people as them
    where me.id = ?1 and me.status = 'active' and them.id = ?2 and them.pk <> me.pk and ",
    may_find!("me.pk", "them")
);

/// Ends ties from the caller to whom they name, where `found` says that they find them. Each arm
/// of the view is read by its primary key.
macro_rules! end_sql {
    ($kinds:expr, $found:expr) => {
        concat!(
            "update ties set ended_at = ?3 where kind in (",
            $kinds,
            ") and one = (select pk from people where id = ?1) and other = (
                select them.pk from people as me, people as them
                where me.id = ?1 and me.status = 'active' and them.id = ?2 and ",
            $found,
            ")"
        )
    };
}

const DELETE_FOLLOW: &str = end_sql!("'follow', 'follow_request'", may_find!("me.pk", "them"));

const CREATE_BLOCK: &str = "insert into blocks (blocker, blocked, created_at)
    select me.pk, them.pk, ?3 from people as me, people as them
    where me.id = ?1 and me.status = 'active' and them.id = ?2 and them.pk <> me.pk
      and them.status = 'active'
    on conflict do nothing";

const DELETE_BLOCK: &str = end_sql!("'block'", "them.status = 'active'");

const CREATE_MUTE: &str = concat!(
    "insert into mutes (muter, muted, created_at)
    select me.pk, them.pk, ?3 from people as me, people as them
    where me.id = ?1 and me.status = 'active' and them.id = ?2 and them.pk <> me.pk and ",
    may_find!("me.pk", "them"),
    " on conflict do nothing"
);

const DELETE_MUTE: &str = end_sql!("'mute'", may_find!("me.pk", "them"));

/// Follows, or asks to; the relationship after it, or `None` where the caller may not find them.
pub async fn create_follow(
    db: &Db,
    caller: Id,
    whom: Id,
    now: Instant,
    most: Option<i64>,
) -> Result<Option<String>, FollowError> {
    db.write(CREATE_FOLLOW, params![caller, whom, now.rfc3339(), most]).await?;
    Ok(db.read(RELATIONSHIP, params![caller, whom]).await?)
}

/// Ends a follow or a request.
pub async fn delete_follow(db: &Db, caller: Id, whom: Id, now: Instant) -> Result<Option<String>, DbError> {
    db.write(DELETE_FOLLOW, params![caller, whom, now.rfc3339()]).await?;
    db.read(RELATIONSHIP, params![caller, whom]).await
}

/// Blocks; follows and requests between the two end.
pub async fn create_block(db: &Db, caller: Id, whom: Id, now: Instant) -> Result<Option<String>, DbError> {
    db.write(CREATE_BLOCK, params![caller, whom, now.rfc3339()]).await?;
    db.read(RELATIONSHIP_OF_BLOCKED, params![caller, whom]).await
}

/// Ends a block.
pub async fn delete_block(db: &Db, caller: Id, whom: Id, now: Instant) -> Result<Option<String>, DbError> {
    db.write(DELETE_BLOCK, params![caller, whom, now.rfc3339()]).await?;
    db.read(RELATIONSHIP_OF_BLOCKED, params![caller, whom]).await
}

/// Mutes.
pub async fn create_mute(db: &Db, caller: Id, whom: Id, now: Instant) -> Result<Option<String>, DbError> {
    db.write(CREATE_MUTE, params![caller, whom, now.rfc3339()]).await?;
    db.read(RELATIONSHIP, params![caller, whom]).await
}

/// Ends a mute.
pub async fn delete_mute(db: &Db, caller: Id, whom: Id, now: Instant) -> Result<Option<String>, DbError> {
    db.write(DELETE_MUTE, params![caller, whom, now.rfc3339()]).await?;
    db.read(RELATIONSHIP, params![caller, whom]).await
}

// A follow ends the request it answers, by a trigger.
const ACCEPT_FOLLOW_REQUEST: &str = "insert into follows (follower, followee, created_at)
    select r.requester, r.target, ?3 from follow_requests as r, people as them
    where r.target = (select pk from people where id = ?1 and status = 'active')
      and r.requester = (select pk from people where id = ?2)
      and them.pk = r.requester and them.status = 'active'
    returning 'accepted'";

const REJECT_FOLLOW_REQUEST: &str = "update ties set ended_at = ?3
    where kind = 'follow_request'
      and one = (select pk from people where id = ?2 and status = 'active')
      and other = (select pk from people where id = ?1)
    returning 'rejected'";

/// Lets `requester` follow; false where they did not ask.
pub async fn accept_follow_request(
    db: &Db,
    caller: Id,
    requester: Id,
    now: Instant,
) -> Result<bool, DbError> {
    Ok(db.write(ACCEPT_FOLLOW_REQUEST, params![caller, requester, now.rfc3339()]).await?.is_some())
}

/// Ends the request of `requester`; false where they did not ask.
pub async fn reject_follow_request(
    db: &Db,
    caller: Id,
    requester: Id,
    now: Instant,
) -> Result<bool, DbError> {
    Ok(db.write(REJECT_FOLLOW_REQUEST, params![caller, requester, now.rfc3339()]).await?.is_some())
}

/// A page of `them` by an index of (`mine`, created_at, `theirs`) read backwards.
macro_rules! newest_sql {
    ($item:expr, $table:expr, $mine:expr, $theirs:expr, $where:expr) => {
        page_sql!(
            concat!(
                "select ",
                $item,
                " as item, t.created_at || '|' || t.",
                $theirs,
                " as k from people as me, ",
                $table,
                " as t, people as them where me.id = ?1 and t.",
                $mine,
                " = ",
                $where,
                " and (t.created_at, t.",
                $theirs,
                ") < (?3, ?4) and them.pk = t.",
                $theirs,
                " and them.status = 'active' order by t.created_at desc, t.",
                $theirs,
                " desc limit ?2 + 1"
            ),
            "?2"
        )
    };
}

const LIST_BLOCKED: &str = newest_sql!(user_json!("them"), "blocks", "blocker", "blocked", "me.pk");

const LIST_MUTED: &str = newest_sql!(
    user_json!("them"),
    "mutes",
    "muter",
    "muted",
    concat!("me.pk and ", may_find!("me.pk", "them"))
);

const LIST_FOLLOW_REQUESTS: &str =
    newest_sql!(user_json!("them"), "follow_requests", "target", "requester", "me.pk");

/// The owner of the list by handle, where the caller may see what they publish, and of the people
/// in it those who are not blocked either way.
macro_rules! seen_owner {
    () => {
        concat!(
            "(select owner.pk from people as owner where owner.handle = ?5 and ",
            may_see!("me.pk", "owner"),
            " limit 1) and ",
            unblocked!("me.pk", "them")
        )
    };
}

const LIST_FOLLOWERS: &str =
    newest_sql!(profile_json!("me.pk", "them"), "follows", "followee", "follower", seen_owner!());

const LIST_FOLLOWING: &str =
    newest_sql!(profile_json!("me.pk", "them"), "follows", "follower", "followee", seen_owner!());

fn newest(caller: Id, after: &Newest) -> Vec<Value> {
    params![caller, after.limit, after.time.as_str(), after.pk]
}

/// Whom the caller blocks.
pub async fn list_blocked(db: &Db, caller: Id, after: &Newest) -> Result<PageOut, DbError> {
    db.page(LIST_BLOCKED, newest(caller, after)).await
}

/// Whom the caller mutes.
pub async fn list_muted(db: &Db, caller: Id, after: &Newest) -> Result<PageOut, DbError> {
    db.page(LIST_MUTED, newest(caller, after)).await
}

/// Who asks to follow the caller.
pub async fn list_follow_requests(db: &Db, caller: Id, after: &Newest) -> Result<PageOut, DbError> {
    db.page(LIST_FOLLOW_REQUESTS, newest(caller, after)).await
}

/// Which list of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who follows them.
    Followers,
    /// Whom they follow.
    Following,
}

impl Side {
    /// Its last segment in a path.
    pub fn path(self) -> &'static str {
        match self {
            Self::Followers => "followers",
            Self::Following => "following",
        }
    }
}

/// Who follows the person of `handle`, or whom they follow; nobody where the caller may not see.
pub async fn list_follows(
    db: &Db,
    side: Side,
    caller: Id,
    handle: &str,
    after: &Newest,
) -> Result<PageOut, DbError> {
    let sql = match side {
        Side::Followers => LIST_FOLLOWERS,
        Side::Following => LIST_FOLLOWING,
    };
    let mut params = newest(caller, after);
    params.push(handle.into());
    db.page(sql, params).await
}

/// Why a list is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Because nobody is in it.
    Open,
    /// Because the person is private and the caller does not follow them.
    Private,
    /// Because one of the two blocks the other, or the person is suspended.
    Hidden,
    /// Because nobody known here has the handle.
    Unknown,
}

const LIST_ACCESS: &str = concat!(
    "select case when ",
    may_see!("me.pk", "owner"),
    " then 'open' when owner.status = 'active' and ",
    unblocked!("me.pk", "owner"),
    " then 'private' else 'hidden' end
    from people as me, people as owner where me.id = ?1 and owner.handle = ?2
    order by owner.status = 'active' desc limit 1"
);

/// What the caller may see of the lists of the person of `handle`.
pub async fn list_access(db: &Db, caller: Id, handle: &str) -> Result<Access, DbError> {
    Ok(match db.read(LIST_ACCESS, params![caller, handle]).await?.as_deref() {
        Some("open") => Access::Open,
        Some("private") => Access::Private,
        Some(_) => Access::Hidden,
        None => Access::Unknown,
    })
}

// By the index on handles, and the viewer by their unique id; counts are columns.
const SHOW_PROFILE: &str = concat!(
    "select ",
    profile_json!("me.pk", "them"),
    " from people as them left join people as me on me.id = ?1 where them.handle = ?2 and ",
    may_find!("me.pk", "them"),
    " limit 1"
);

/// The profile of `handle` as `viewer`, or nobody, sees it.
pub async fn show_profile(db: &Db, viewer: Option<Id>, handle: &str) -> Result<Option<String>, DbError> {
    db.read(SHOW_PROFILE, params![viewer, handle]).await
}

const IS_HANDLE_KNOWN: &str = "select 1 from people where handle = ?1 limit 1";

/// Whether anybody here has the handle, seen or not.
pub async fn is_handle_known(db: &Db, handle: &str) -> Result<bool, DbError> {
    Ok(db.read(IS_HANDLE_KNOWN, params![handle]).await?.is_some())
}

const MAY_FIND_PERSON: &str = concat!(
    "select 1 from people as them left join people as me on me.id = ?1 where them.id = ?2 and ",
    may_find!("me.pk", "them")
);

/// Whether `viewer`, or nobody, may find the profile of `whom`.
pub async fn may_find_person(db: &Db, viewer: Option<Id>, whom: Id) -> Result<bool, DbError> {
    Ok(db.read(MAY_FIND_PERSON, params![viewer, whom]).await?.is_some())
}

// An open report about the same thing is answered as it is: the update changes nothing.
const CREATE_REPORT: &str = "insert into reports
        (id, reporter, target_type, target_id, target_author, reason, details, created_at)
    select ?3, me.pk, ?4, ?5, them.pk, ?6, ?7, ?8 from people as me, people as them
    where me.id = ?1 and me.status = 'active' and them.id = ?2 and them.status <> 'deleted'
    on conflict (reporter, target_type, target_id) where status = 'open'
        do update set reason = reports.reason
    returning json_object('id', id, 'status', status)";

/// Makes a report, or finds the open one; `None` where the author is gone.
pub async fn create_report(
    db: &Db,
    caller: Id,
    author: Id,
    report: &Report,
    now: Instant,
) -> Result<Option<String>, DbError> {
    let Report { target_type, target_id, reason, details } = report;
    let (id, details) = (Id::new(now), details.as_deref());
    let params =
        params![caller, author, id, target_type.name(), target_id, reason.name(), details, now.rfc3339()];
    db.write(CREATE_REPORT, params).await
}

/// A `reports` row `r` as its reporter sees it.
macro_rules! report_json {
    () => {
        "json_object('id', r.id, 'targetType', r.target_type, 'targetId', r.target_id, 'reason', r.reason,
            'details', r.details, 'status', r.status, 'createdAt', r.created_at, 'resolvedAt', r.resolved_at)"
    };
}

// By the index of (reporter, id) read backwards; ids sort by time.
const LIST_REPORTS: &str = page_sql!(
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

/// One side of a tie as the export tells it.
macro_rules! exported {
    ($table:expr, $mine:expr, $theirs:expr) => {
        concat!(
            "json((select json_group_array(json_object('userId', them.id, 'handle', them.handle, 'createdAt', t.created_at))
            from ", $table, " as t, people as them where t.", $mine, " = me.pk and them.pk = t.", $theirs, "))"
        )
    };
}

// Only what is the person's own doing: who follows, blocks or mutes them is not.
const EXPORT_PERSON: &str = concat!(
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
    ") from reports as r where r.reporter = me.pk)))
    from (select (select pk from people where id = ?1) as pk) as me"
);

/// What this service holds that is the person's own.
pub async fn export_person(db: &Db, user: Id) -> Result<String, DbError> {
    Ok(db.read(EXPORT_PERSON, params![user]).await?.unwrap_or_else(|| "{}".to_owned()))
}

#[cfg(test)]
mod tests {
    use shared::testing::World;

    use super::*;

    /// The tables that grow, by name and by the names statements give them.
    const BIG: [&str; 10] =
        ["people", "them", "owner", "follows", "follow_requests", "blocks", "mutes", "reports", "t", "r"];

    /// How SQLite goes about a statement, a line each.
    async fn plan(db: &Db, sql: &str) -> Vec<String> {
        let params = (1..=9).rev().find(|n| sql.contains(&format!("?{n}"))).unwrap_or(0);
        let rows = db.rows(&format!("explain query plan {sql}"), vec![Value::Null; params]).await.unwrap();
        rows.into_iter().filter_map(|mut row| row.pop()?.into_text()).collect()
    }

    #[tokio::test]
    async fn every_statement_finds_its_rows_by_an_index_in_the_order_it_needs() {
        let world = World::start(&[&crate::SERVICE], &[]).await;
        let db = &world.app("social").db;
        for sql in [
            RELATIONSHIP,
            RELATIONSHIP_OF_BLOCKED,
            CREATE_FOLLOW,
            DELETE_FOLLOW,
            CREATE_BLOCK,
            DELETE_BLOCK,
            CREATE_MUTE,
            DELETE_MUTE,
            ACCEPT_FOLLOW_REQUEST,
            REJECT_FOLLOW_REQUEST,
            LIST_BLOCKED,
            LIST_MUTED,
            LIST_FOLLOW_REQUESTS,
            LIST_FOLLOWERS,
            LIST_FOLLOWING,
            LIST_ACCESS,
            SHOW_PROFILE,
            IS_HANDLE_KNOWN,
            MAY_FIND_PERSON,
            CREATE_REPORT,
            LIST_REPORTS,
            EXPORT_PERSON,
        ] {
            for line in plan(db, sql).await {
                let scanned = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
                assert!(!scanned.is_some_and(|name| BIG.contains(&name)), "{line}\nin {sql}");
                let sorts = line.contains("TEMP B-TREE") && sql != LIST_ACCESS;
                assert!(!sorts, "{line}\nin {sql}");
            }
        }
    }
}
