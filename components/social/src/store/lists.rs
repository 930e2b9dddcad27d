//! Lists of people.

use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::{may_find, may_see, page_sql, params, profile_json, unblocked, user_json};

use crate::model::Newest;

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

pub(super) const LIST_BLOCKED: &str =
    newest_sql!(user_json!("them"), "blocks", "blocker", "blocked", "me.pk");

pub(super) const LIST_MUTED: &str = newest_sql!(
    user_json!("them"),
    "mutes",
    "muter",
    "muted",
    concat!("me.pk and ", may_find!("me.pk", "them"))
);

pub(super) const LIST_FOLLOW_REQUESTS: &str =
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

pub(super) const LIST_FOLLOWERS: &str =
    newest_sql!(profile_json!("me.pk", "them"), "follows", "followee", "follower", seen_owner!());

pub(super) const LIST_FOLLOWING: &str =
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

pub(super) const LIST_ACCESS: &str = concat!(
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
