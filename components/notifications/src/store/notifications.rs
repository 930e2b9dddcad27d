//! What people are told.

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::{page_sql, params};

use super::{is_shown, notification_json, sees_actor};
use crate::model::{FAILING, MOVES_LIVE, NOTIFICATIONS_LIVE, Place, TIME_TO_LIVE, WITHDRAWN_LIVES};

/// How many of `me`'s they are shown and have not read: by `notifications_unread`, of at most 1,000 rows.
macro_rules! unread_count {
    () => {
        concat!(
            "(select count(*) from notifications as n indexed by notifications_unread
                where n.person = me.pk and n.read = 0 and ",
            is_shown!("me", "n"),
            ")"
        )
    };
}

/// The keys of a page first, down `notifications_by_place`; after the first page also what moved since, where it was at
/// the first one: the place that its first move since then left. Then what they show.
///
/// ?1 the caller, ?2 whether unread alone, ?3 the place to go on below, ?4 the limit, ?5 the newest place at the first page.
pub const LIST_NOTIFICATIONS: &str = concat!(
    "select page.*, coalesce(?5, (select top from boxes where person = me.pk), 0), ",
    unread_count!(),
    " from people as me cross join (",
    page_sql!(
        concat!(
            "select ",
            notification_json!("me", "n"),
            " as item, p.k from (
                select n.pk, n.place as k from people as me cross join notifications as n
                where me.id = +?1 and n.person = me.pk and n.place < coalesce(?3, 9223372036854775807)
                  and (?2 = 0 or n.read = 0) and ",
            is_shown!("me", "n"),
            " union all
                select n.pk, m.place as k from people as me cross join moves as m cross join notifications as n
                where me.id = +?1 and m.person = me.pk and m.at > ?5 and m.place < ?3 and n.pk = m.notification
                  and not exists (select 1 from moves as before
                    where before.notification = m.notification and before.at > ?5 and before.at < m.at)
                  and (?2 = 0 or n.read = 0) and ",
            is_shown!("me", "n"),
            " order by k desc limit ?4 + 1) as p
            cross join notifications as n cross join people as me
            where n.pk = p.pk and me.id = +?1 order by p.k desc"
        ),
        "?4"
    ),
    ") as page where me.id = +?1 and me.status = 'active'"
);

/// A page of what `person` is told, and how much of all of it is unread; `None` where they are nobody here.
pub async fn list_notifications(
    db: &Db,
    person: Id,
    unread: bool,
    after: Option<Place>,
    limit: u32,
) -> Result<Option<(PageOut, i64)>, DbError> {
    let (top, place) = Place::values(after);
    let rows = db.rows(LIST_NOTIFICATIONS, params![person, unread, place, limit, top]).await?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let mut columns = row.into_iter();
    let items = columns.next().and_then(Value::into_text).unwrap_or_else(|| "[]".to_owned());
    let mut number = || columns.next().and_then(|value| value.as_integer());
    let (last, top, unread) = (number(), number().unwrap_or(0), number().unwrap_or(0));
    let next = last.map(|last| format!("{top}.{last}"));
    Ok(Some((PageOut { items, next }, unread)))
}

const COUNT_UNREAD: &str =
    concat!("select ", unread_count!(), " from people as me where me.id = ?1 and me.status = 'active'");

/// How much `person` has not read.
pub async fn count_unread(db: &Db, person: Id) -> Result<Option<i64>, DbError> {
    db.read_as(COUNT_UNREAD, params![person]).await
}

/// What was read.
pub enum Which {
    /// Everything.
    All,
    /// This one and what stands below it.
    UpTo(Id),
    /// These.
    These(Vec<Id>),
}

/// A trigger marks them and tells of it.
const READ: &str = "insert into readings (person, ids, up_to, at) values (?1, ?2, ?3, ?4)";

/// Marks what `person` has read; of others' nothing.
pub async fn read_notifications(db: &Db, person: Id, which: &Which, now: Instant) -> Result<(), DbError> {
    let (ids, up_to) = match which {
        Which::All => (None, None),
        Which::UpTo(id) => (None, Some(*id)),
        Which::These(ids) => (Some(serde_json::json!(ids)), None),
    };
    db.write(READ, params![person, ids, up_to, now.rfc3339()]).await.map(drop)
}

/// Of each person that is asked of, as `{userId, ids}`: how much they have not read, and those of the notifications that they are shown,
/// by id.
pub const TELL_NOTIFICATIONS: &str = concat!(
    "select json_object('people', json(coalesce(json_group_object(me.id, json_object('unreadCount', ",
    unread_count!(),
    ", 'notifications', json((select json_group_object(told.id, json(told.item)) from (
        select n.id, ",
    notification_json!("me", "n"),
    " as item from json_each(asked.value, '$.ids') as one cross join notifications as n
        where n.id = one.value and n.person = me.pk and ",
    is_shown!("me", "n"),
    ") as told)))), '{}')))
    from json_each(?1) as asked cross join people as me
    where me.id = asked.value ->> '$.userId' and me.status = 'active'"
);

/// What people are told now of notifications that others name by id, as one JSON document.
pub async fn tell_notifications(db: &Db, asked: serde_json::Value) -> Result<String, DbError> {
    Ok(db.read(TELL_NOTIFICATIONS, params![asked]).await?.unwrap_or_default())
}

/// By `notifications_by_age`, from the oldest.
const FORGET_NOTIFICATIONS: &str = "delete from notifications
    where pk in (select pk from notifications where updated_at < ?1 order by updated_at limit 500)";

/// Deletes what is too old: notifications, and what is kept for a while beside them.
pub async fn sweep(db: &Db, now: Instant) -> Result<(), DbError> {
    let (age, lives) = (NOTIFICATIONS_LIVE, WITHDRAWN_LIVES);
    db.rows(FORGET_NOTIFICATIONS, params![now.minus(age).rfc3339()]).await?;
    db.rows("delete from moves where moved_at < ?1", params![now.minus(MOVES_LIVE).rfc3339()]).await?;
    db.rows("delete from withdrawn where pushed_at < ?1", params![now.minus(lives).rfc3339()]).await?;
    db.rows("delete from pushes where queued_at < ?1", params![now.minus(TIME_TO_LIVE).millis()]).await?;
    let failing = params![now.minus(FAILING).millis()];
    db.rows("delete from push_endpoints where failing_since < ?1", failing).await.map(drop)
}
