//! Profiles.

use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::{may_find, params, profile_json};

// By the index on handles, and the viewer by their unique id; counts are columns.
pub(super) const SHOW_PROFILE: &str = concat!(
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

pub(super) const IS_HANDLE_KNOWN: &str = "select 1 from people where handle = ?1 limit 1";

/// Whether anybody here has the handle, seen or not.
pub async fn is_handle_known(db: &Db, handle: &str) -> Result<bool, DbError> {
    Ok(db.read(IS_HANDLE_KNOWN, params![handle]).await?.is_some())
}

pub(super) const MAY_FIND_PERSON: &str = concat!(
    "select 1 from people as them left join people as me on me.id = ?1 where them.id = ?2 and ",
    may_find!("me.pk", "them")
);

/// Whether `viewer`, or nobody, may find the profile of `whom`.
pub async fn may_find_person(db: &Db, viewer: Option<Id>, whom: Id) -> Result<bool, DbError> {
    Ok(db.read(MAY_FIND_PERSON, params![viewer, whom]).await?.is_some())
}
