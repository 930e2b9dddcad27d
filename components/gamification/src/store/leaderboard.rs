//! Leaderboards.

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::params;

use super::rank_of;
use crate::kept::{Kept, Wanted};
use crate::model::{Period, Place};
use crate::ranking::Ranking;

/// Whether the person `u` is not apart from the caller `me` by a block, which is asked of few callers.
macro_rules! is_seen {
    () => {
        concat!("(not me.apart or ", shared::unblocked!("me.pk", "u"), ")")
    };
}

/// A page of the board `?2` as the caller `?1` sees it, made of `$rows`, which are one more than `?3` where more follow. No row where the caller
/// is nobody here; else the last of `moves`, what `card_changes` counts (null for whom a block may set apart), and the page, or
/// null where it is what it was when these were `?4` and `?5`.
///
/// The page is text: a line of what [`Ranking`] counts, the rank of the highest by `standings` and how many people there are for each number
/// of points down to the lowest, which is few rows; then its rows. To build an item in SQL costs more than to read it. And
/// nothing of it stands in a table of its own, sorted or not: one that holds a page costs twice what reading it does.
macro_rules! page_of {
    ($rows:expr) => {
        concat!(
            "with me (pk, apart, now, cards) as materialized (
                select p.pk, ",
            shared::is_apart!("p.pk"),
            ", coalesce((select max(n) from moves), 0), (select n from card_changes)
                from people as p where p.id = +?1 and p.status = 'active'
            ),
            found (lines, highest, lowest) as not materialized (
                select group_concat(concat(place, ' ', reached, ' ', id, ' ', points, ' ', card), char(10)),
                    max(points), min(points)
                from (",
            $rows,
            "))
            select now, iif(apart, null, cards) as cards, iif(now = +?4 and cards = +?5 and not apart, null, (select concat(",
            rank_of!("+?2", "highest"),
            ", ' ', (select group_concat(concat(bucket, ' ', people), ',') from standings
                where board = +?2 and step = 1 and bucket > lowest and bucket <= highest), char(10), lines)
                from found)) as page
            from me"
        )
    };
}

/// The first page, in order: down `scores_ranked`, which is why `scores` stands before `me`.
pub const LIST_LEADERS: &str = page_of!(concat!(
    "select s.place, s.reached, s.id, -s.place as points, u.card
        from scores as s indexed by scores_ranked cross join me cross join people as u
        where s.board = +?2 and s.shown = 1 and s.points > 0 and u.pk = s.person and ",
    is_seen!(),
    " order by s.place, s.reached, s.id limit ?3 + 1"
));

/// A page that goes on after `?7 ?8 ?9`, in the order there was at the first one: the next of who did not move since then, as there; then
/// the next of who did, where they were (`moves` since `?6`, by their key, each by its first), which is not looked at where
/// nobody moved. What is shown is as it is now.
pub const LIST_NEXT_LEADERS: &str = page_of!(concat!(
    "select * from (
            select s.place as place, s.reached as reached, s.id as id, -s.place as points, u.card as card
            from scores as s indexed by scores_ranked cross join me cross join people as u
            where s.board = +?2 and s.shown = 1 and s.points > 0 and (s.place, s.reached, s.id) > (+?7, +?8, +?9)
              and (me.now <= +?6 or not exists (
                select 1 from moves where board = s.board and person = s.person and n > +?6))
              and u.pk = s.person and ",
    is_seen!(),
    " order by s.place, s.reached, s.id limit ?3 + 1)
        union all
        select * from (
            select m.place, m.reached, u.id, s.points, u.card
            from me cross join moves as m cross join people as u cross join scores as s
            where m.n > +?6 and +m.board = +?2 and u.pk = m.person and (m.place, m.reached, u.id) > (+?7, +?8, +?9)
              and not exists (
                select 1 from moves where board = m.board and person = m.person and n > +?6 and n < m.n)
              and s.person = m.person and s.board = m.board and s.shown = 1 and s.points > 0 and ",
    is_seen!(),
    " order by 1, 2, 3 limit ?3 + 1)
        where (select now from me) > +?6"
));

/// A page of a board, best first; `None` where the caller is nobody here.
pub async fn list_leaders(
    db: &Db,
    caller: Id,
    board: &str,
    after: Option<Place>,
    limit: u32,
) -> Result<Option<PageOut>, DbError> {
    let wanted = Wanted { board: board.to_owned(), after, limit };
    let kept = wanted.find();
    let [now, cards] = match &kept {
        Some(kept) => [kept.now.into(), kept.cards.into()],
        None => [Value::Null, Value::Null],
    };
    let mut params = params![caller, board, limit, now, cards];
    let top = wanted.after.as_ref().map(Place::top);
    params.extend(wanted.after.iter().flat_map(Place::values));
    let sql = if top.is_none() { LIST_LEADERS } else { LIST_NEXT_LEADERS };
    let Some(row) = db.rows(sql, params).await?.into_iter().next() else { return Ok(None) };
    let mut columns = row.into_iter();
    let mut number = || columns.next().and_then(|number| number.as_integer());
    let (now, cards) = (number().unwrap_or(0), number());
    let found = columns.next().and_then(Value::into_text);
    if let (None, Some(kept)) = (&found, kept) {
        return Ok(Some(kept.page()));
    }
    let page = page(&found.unwrap_or_default(), top.unwrap_or(now), limit);
    if let Some(cards) = cards {
        wanted.keep(Kept::new(now, cards, &page));
    }
    Ok(Some(page))
}

/// What the statement found as a page: the first of its rows, which are lines of `place reached id points card`, in the order of the first
/// three. No JSON has a line break inside.
fn page(found: &str, top: i64, limit: u32) -> PageOut {
    let (ranks, lines) = found.split_once('\n').unwrap_or_default();
    let (rank, people) = ranks.split_once(' ').unwrap_or((ranks, ""));
    let ranking = Ranking::new(rank.parse().unwrap_or(1), people);
    let limit = usize::try_from(limit).unwrap_or(0);
    let mut rows: Vec<_> = lines.lines().filter_map(row).collect();
    // Two runs that are in order, mostly one.
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    let mut items = String::with_capacity(lines.len());
    for (_, points, card) in rows.iter().take(limit) {
        let glue = if items.is_empty() { "[" } else { "," };
        let (rank, points) = (ranking.of(*points).to_string(), points.to_string());
        for part in [glue, "{\"rank\":", &rank, ",\"user\":", card, ",\"points\":", &points, "}"] {
            items.push_str(part);
        }
    }
    items.push_str(if items.is_empty() { "[]" } else { "]" });
    let last = rows.get(limit.saturating_sub(1)).filter(|_| rows.len() > limit);
    let next = last.map(|((place, reached, id), ..)| format!("{top} {place} {reached} {id}"));
    PageOut { items, next }
}

/// What a page is ordered by, points, a person.
fn row(line: &str) -> Option<((i64, &str, &str), i64, &str)> {
    let mut words = line.splitn(5, ' ');
    let place = (words.next()?.parse().ok()?, words.next()?, words.next()?);
    Some((place, words.next()?.parse().ok()?, words.next()?))
}

/// By the key.
const FORGET_MOVES: &str = "delete from moves where n <= (select max(n) from moves) - ?1";

/// Forgets all but the newest moves.
pub async fn forget_moves(db: &Db, kept: i64) -> Result<(), DbError> {
    db.rows(FORGET_MOVES, params![kept]).await.map(drop)
}

/// The first board that is neither kept nor of all time: from one name to the next in `scores_by_board`, which are few. A trigger of
/// `migrations/0006_ended_boards.sql` does the rest.
pub const END_BOARD: &str = "with recursive boards (board) as (
        select min(board) from scores
        union all
        select (select min(board) from scores where board > boards.board) from boards where board is not null)
    insert into endings (board, most)
    select board, ?3 from boards where (length(board) = 10 and board < ?1) or (length(board) = 7 and board < ?2) limit 1
    returning 1";

/// Deletes at most `most` rows of a week or a month that is not kept any more; whether there was any.
pub async fn end_board(db: &Db, now: Instant, most: i64) -> Result<bool, DbError> {
    let [week, month] = [Period::Weekly, Period::Monthly].map(|period| period.oldest_kept(now));
    Ok(!db.rows(END_BOARD, params![week, month, most]).await?.is_empty())
}
