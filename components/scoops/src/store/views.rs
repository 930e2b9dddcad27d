//! Who looked at a scoop.

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::{page_sql, params};

use super::{is_close_friend, next_event, page_of, seen_scoop, sees_scoop};

/// A view again changes nothing, and is answered all the same.
const VIEW_SCOOP: &str = concat!(
    "insert into views (viewer, scoop, n, at) select me.pk, s.pk, ",
    next_event!(),
    ", ?4 from ",
    seen_scoop!(),
    " and s.author <> me.pk
    on conflict (viewer, scoop) do update set at = at returning 1"
);

/// Notes that `viewer` looked; false where the scoop is not there for them, or is their own.
pub async fn view_scoop(db: &Db, scoop: Id, viewer: Id, now: Instant) -> Result<bool, DbError> {
    let params = params![scoop, viewer, now.millis(), now.rfc3339()];
    Ok(db.write(VIEW_SCOOP, params).await?.is_some())
}

/// Down `views_by_scoop`; no row where the scoop `?1` is none that lives of the caller `?2`. Viewers who are gone, suspended,
/// or behind a block are left out.
pub const LIST_VIEWERS: &str = concat!(
    "select page.* from (
        select s.pk from people as me cross join scoops as s
        where me.id = +?2 and me.status = 'active' and s.id = +?1 and s.author = me.pk
          and s.gone is null and s.expires_ms > +?3
    ) as mine cross join (",
    page_sql!(
        concat!(
            "select json_object('user', ",
            shared::user_json!("u"),
            ", 'viewedAt', v.at) as item, v.n as k
            from people as me cross join scoops as s cross join views as v cross join people as u
            where me.id = +?2 and s.id = +?1 and v.scoop = s.pk and v.n < coalesce(?4, 9223372036854775807)
              and u.pk = v.viewer and u.status = 'active' and ",
            shared::unblocked!("me.pk", "u"),
            " order by v.n desc limit ?5 + 1"
        ),
        "?5"
    ),
    ") as page"
);

/// A page of who looked at a scoop of `caller`'s, newest first; `None` where none of theirs lives by that id.
pub async fn list_viewers(
    db: &Db,
    scoop: Id,
    caller: Id,
    now: Instant,
    after: Value,
    limit: u32,
) -> Result<Option<PageOut>, DbError> {
    let params = params![scoop, caller, now.millis(), after, limit];
    page_of(db, LIST_VIEWERS, params).await
}
