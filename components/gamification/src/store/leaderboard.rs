//! Leaderboards.

use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::params;

use super::rank_of;
use crate::model::Place;

/// Whether the person `u` is not apart from the caller `me` by a block, which is asked of few callers.
macro_rules! is_seen {
    () => {
        concat!("(not me.apart or ", shared::unblocked!("me.pk", "u"), ")")
    };
}

/// A page of the board `?2` as the caller `?1` sees it: its items, their keys, and how many there are, one more than `?3` where
/// more follow; no row where the caller is nobody here.
///
/// `page` is in the order there was at the first page: down `scores_listed`, which is why `scores` stands before `me`, whoever
/// did not move since; and whoever did where they were (`moves` since `?4`, by their key, each by its first). What is shown is
/// as it is now. The highest of the page has its rank by `standings`; the others are as many further on as there are people
/// between, which is few rows.
pub const LIST_LEADERS: &str = concat!(
    "with me (pk, apart, top) as materialized (
        select p.pk, ",
    shared::is_apart!("p.pk"),
    ", coalesce(?4, (select max(n) from moves), 0) from people as p where p.id = +?1 and p.status = 'active'
    ),
    page (place, reached, id, points, card) as materialized (
        select * from (select s.place, s.reached, s.id, -s.place, u.card
        from scores as s indexed by scores_listed cross join me cross join people as u
        where s.board = +?2 and s.shown = 1 and s.points > 0
          and (s.place, s.reached, s.id) > (coalesce(+?5, -9223372036854775808), coalesce(+?6, ''), coalesce(+?7, ''))
          and (+?4 is null or not exists (select 1 from moves where board = s.board and person = s.person and n > me.top))
          and u.pk = s.person and ",
    is_seen!(),
    " order by s.place, s.reached, s.id limit ?3 + 1)
        union all
        select m.place, m.reached, u.id, s.points, u.card
        from me cross join moves as m cross join people as u cross join scores as s
        where +?4 is not null and m.n > me.top and +m.board = +?2 and u.pk = m.person
          and (m.place, m.reached, u.id) > (+?5, +?6, +?7)
          and not exists (select 1 from moves where board = m.board and person = m.person and n > me.top and n < m.n)
          and s.person = m.person and s.board = m.board and s.shown = 1 and s.points > 0 and ",
    is_seen!(),
    " order by 1, 2, 3 limit ?3 + 1
    ),
    highest (points, rank) as materialized (
        select points, ",
    rank_of!("+?2", "points"),
    " from (select max(points) as points from page)
    )
    select group_concat(item, ','), group_concat(k, ','), count(*) from (
        select concat('{\"rank\":', highest.rank + iif(page.points = highest.points, 0, (
                select coalesce(sum(people), 0) from standings
                where board = +?2 and step = 1 and bucket > page.points and bucket <= highest.points)),
            ',\"user\":', page.card, ',\"points\":', page.points, '}', char(10)) as item,
            concat(me.top, ' ', page.place, ' ', page.reached, ' ', page.id) as k
        from me cross join highest cross join page)
    having exists (select 1 from me)"
);

/// A page of a board, best first; `None` where the caller is nobody here.
pub async fn list_leaders(
    db: &Db,
    caller: Id,
    board: &str,
    after: Option<Place>,
    limit: u32,
) -> Result<Option<PageOut>, DbError> {
    let [top, place, reached, id] = Place::values(after);
    let params = params![caller, board, limit, top, place, reached, id];
    let Some(row) = db.rows(LIST_LEADERS, params).await?.into_iter().next() else { return Ok(None) };
    let mut columns = row.into_iter();
    let mut text = || columns.next().and_then(Value::into_text).unwrap_or_default();
    let (items, keys) = (text(), text());
    let is_more = columns.next().and_then(|count| count.as_integer()).unwrap_or(0) > i64::from(limit);
    // No JSON has a line break inside, so each ends at one.
    let shown = if is_more { items.rsplit_once("\n,").map_or("", |(shown, _)| shown) } else { &items };
    let next = keys.rsplit(',').nth(1).filter(|_| is_more).map(ToOwned::to_owned);
    Ok(Some(PageOut { items: format!("[{shown}]"), next }))
}

/// By the key.
const FORGET_MOVES: &str = "delete from moves where n <= (select max(n) from moves) - ?1";

/// Forgets all but the newest moves.
pub async fn forget_moves(db: &Db, kept: i64) -> Result<(), DbError> {
    db.rows(FORGET_MOVES, params![kept]).await.map(drop)
}
