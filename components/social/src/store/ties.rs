//! Follows, requests, blocks, mutes, as they begin and end.

use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::{may_find, params, relationship_json};

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
pub(super) const RELATIONSHIP: &str = concat!(
    "select ",
    relationship_json!("me.pk", "them"),
    " from people as me, people as them where me.id = ?1 and them.id = ?2 and ",
    may_find!("me.pk", "them")
);

// Who is blocked may block back, and take it back: the profile stays hidden from them.
pub(super) const RELATIONSHIP_OF_BLOCKED: &str = concat!(
    "select ",
    relationship_json!("me.pk", "them"),
    " from people as me, people as them where me.id = ?1 and them.id = ?2 and them.status = 'active'"
);

// The triggers of `ties` make it a follow, or a request where they are private.
pub(super) const CREATE_FOLLOW: &str = concat!(
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

pub(super) const DELETE_FOLLOW: &str = end_sql!("'follow', 'follow_request'", may_find!("me.pk", "them"));

pub(super) const CREATE_BLOCK: &str = "insert into blocks (blocker, blocked, created_at)
    select me.pk, them.pk, ?3 from people as me, people as them
    where me.id = ?1 and me.status = 'active' and them.id = ?2 and them.pk <> me.pk
      and them.status = 'active'
    on conflict do nothing";

pub(super) const DELETE_BLOCK: &str = end_sql!("'block'", "them.status = 'active'");

pub(super) const CREATE_MUTE: &str = concat!(
    "insert into mutes (muter, muted, created_at)
    select me.pk, them.pk, ?3 from people as me, people as them
    where me.id = ?1 and me.status = 'active' and them.id = ?2 and them.pk <> me.pk and ",
    may_find!("me.pk", "them"),
    " on conflict do nothing"
);

pub(super) const DELETE_MUTE: &str = end_sql!("'mute'", may_find!("me.pk", "them"));

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
pub(super) const ACCEPT_FOLLOW_REQUEST: &str = "insert into follows (follower, followee, created_at)
    select r.requester, r.target, ?3 from follow_requests as r, people as them
    where r.target = (select pk from people where id = ?1 and status = 'active')
      and r.requester = (select pk from people where id = ?2)
      and them.pk = r.requester and them.status = 'active'
    returning 'accepted'";

pub(super) const REJECT_FOLLOW_REQUEST: &str = "update ties set ended_at = ?3
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
