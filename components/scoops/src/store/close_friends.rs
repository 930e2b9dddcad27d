//! Close friends. Who is one learns of it only by what they see.

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::{page_sql, params};

/// `them`, whose id is `?2`, as the caller `me`, whose id is `?1`, finds them.
macro_rules! found_person {
    () => {
        concat!(
            "people as me cross join people as them
            where me.id = +?1 and me.status = 'active' and them.id = +?2 and them.pk <> me.pk
              and them.status = 'active' and ",
            shared::unblocked!("me.pk", "them")
        )
    };
}

/// One who is in the list already stays where they are in it.
const ADD_CLOSE_FRIEND: &str = concat!(
    "insert into close_friends (owner, friend, created_at) select me.pk, them.pk, ?3 from ",
    found_person!(),
    " on conflict (owner, friend) do update set created_at = created_at returning 1"
);

/// Puts `friend` into the list of `caller`; false where they are not there for them.
pub async fn add_close_friend(db: &Db, caller: Id, friend: Id, now: Instant) -> Result<bool, DbError> {
    Ok(db.write(ADD_CLOSE_FRIEND, params![caller, friend, now.rfc3339()]).await?.is_some())
}

/// A trigger removes them, where they are in it, and tells of it.
const REMOVE_CLOSE_FRIEND: &str = concat!(
    "insert into close_friend_removals (owner, friend, at) select me.pk, them.pk, ?3 from ",
    found_person!(),
    " returning 1"
);

/// Takes `friend` out of the list of `caller`, be they in it or not; false where they are not there for them.
pub async fn remove_close_friend(db: &Db, caller: Id, friend: Id, now: Instant) -> Result<bool, DbError> {
    Ok(db.write(REMOVE_CLOSE_FRIEND, params![caller, friend, now.rfc3339()]).await?.is_some())
}

/// Down `close_friends_by_owner`.
pub const LIST_CLOSE_FRIENDS: &str = page_sql!(
    concat!(
        "select ",
        shared::user_json!("them"),
        " as item, c.pk as k
        from people as me cross join close_friends as c cross join people as them
        where me.id = +?1 and c.owner = me.pk and c.pk < coalesce(?2, 9223372036854775807)
          and them.pk = c.friend and them.status = 'active' and ",
        shared::unblocked!("me.pk", "them"),
        " order by c.pk desc limit ?3 + 1"
    ),
    "?3"
);

/// A page of the close friends of `caller`, newest first.
pub async fn list_close_friends(db: &Db, caller: Id, after: Value, limit: u32) -> Result<PageOut, DbError> {
    db.page(LIST_CLOSE_FRIENDS, params![caller, after, limit]).await
}
