//! The scoops of one person.

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::params;

use super::{is_close_friend, lines_sql, marked_media, page_of_lines, scoop_json, sees_scoop};

/// Whether the caller `?1` is in good standing.
macro_rules! is_caller_active {
    () => {
        "exists (select 1 from people where id = +?1 and status = 'active')"
    };
}

/// Down `scoops_current`: few rows.
pub const LIST_MY_SCOOPS: &str = lines_sql!(
    concat!(
        "select ",
        scoop_json!("s", "me", "0", "1"),
        " as item, s.pk as k
        from people as me cross join scoops as s indexed by scoops_current
        where me.id = +?1 and s.author = me.pk and s.archived = 0 and s.pk < coalesce(?2, 9223372036854775807)
          and s.gone is null and s.expires_ms > +?3
        order by s.pk desc limit ?4 + 1"
    ),
    is_caller_active!()
);

/// A page of the live scoops of `caller`, newest first; `None` where they are nobody here.
pub async fn list_my_scoops(
    db: &Db,
    caller: Id,
    after: Value,
    limit: u32,
    now: Instant,
) -> Result<Option<PageOut>, DbError> {
    page_of_lines(db, LIST_MY_SCOOPS, params![caller, after, now.millis(), limit], limit).await
}

/// Down `scoops_by_author`, past the few that live; what is archived ended after `?5`.
pub const LIST_ARCHIVE: &str = lines_sql!(
    concat!(
        "select ",
        scoop_json!("s", "me", "0", "1"),
        " as item, s.pk as k
        from people as me cross join scoops as s indexed by scoops_by_author
        where me.id = +?1 and s.author = me.pk and s.pk < coalesce(?2, 9223372036854775807)
          and s.gone is null and s.expires_ms <= +?3 and s.expires_ms > +?5
        order by s.pk desc limit ?4 + 1"
    ),
    is_caller_active!()
);

/// A page of the scoops of `caller` that ended after `since`, newest first; `None` where they are nobody here.
pub async fn list_archive(
    db: &Db,
    caller: Id,
    after: Value,
    limit: u32,
    now: Instant,
    since: Instant,
) -> Result<Option<PageOut>, DbError> {
    let params = params![caller, after, now.millis(), limit, since.millis()];
    page_of_lines(db, LIST_ARCHIVE, params, limit).await
}

/// Down `scoops_current`. Whom one mutes is here all the same; across a block there is nobody.
pub const LIST_SCOOPS_OF: &str = lines_sql!(
    concat!(
        "select ",
        scoop_json!(
            "s",
            "a",
            "exists (select 1 from views where viewer = me.pk and scoop = s.pk)",
            "s.author = me.pk"
        ),
        " as item, s.pk as k
        from people as me cross join people as a cross join scoops as s indexed by scoops_current
        where me.id = +?1 and a.id = +?5 and s.author = a.pk and s.archived = 0
          and s.pk < coalesce(?2, 9223372036854775807) and s.gone is null and s.expires_ms > +?3 and ",
        sees_scoop!("me.pk", "s", "a"),
        " order by s.pk desc limit ?4 + 1"
    ),
    concat!(
        "exists (select 1 from people as me cross join people as a
            where me.id = +?1 and me.status = 'active' and a.id = +?5 and a.status = 'active' and ",
        shared::unblocked!("me.pk", "a"),
        ")"
    )
);

/// A page of the live scoops of `person` that `caller` may see, newest first; `None` where the one is not there for the other,
/// or nobody here.
pub async fn list_scoops_of(
    db: &Db,
    person: Id,
    caller: Id,
    after: Value,
    limit: u32,
    now: Instant,
) -> Result<Option<PageOut>, DbError> {
    let params = params![caller, after, now.millis(), limit, person];
    page_of_lines(db, LIST_SCOOPS_OF, params, limit).await
}
