//! The feed of scoops (README.md, "The feed").

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::params;

use super::{is_close_friend, lines_sql, marked_media, page_of_lines, scoop_json};
use crate::model::FeedCursor;

/// The newest publication of the author `l` for one audience, of those that were there at the first page: the one that
/// `author_live` has, unless it is younger than that page or ended before; only then is it looked for.
macro_rules! latest {
    ($column:literal, $audience:literal) => {
        concat!(
            "iif(l.",
            $column,
            " <= me.seq and l.",
            $column,
            "_until > me.at, l.",
            $column,
            ", (
                select max(shown) from scoops indexed by scoops_current
                where author = l.author and archived = 0 and expires_ms > me.at and shown <= me.seq
                  and audience = '",
            $audience,
            "'))"
        )
    };
}

/// Whether the scoop `s` of somebody the caller `me` follows is for them.
macro_rules! is_for_me {
    () => {
        concat!("(s.audience = 'followers' or ", is_close_friend!("me.pk", "s.author"), ")")
    };
}

/// Whether the author `c` has a scoop that the caller had not looked at when the first page was asked for.
macro_rules! is_unseen {
    () => {
        concat!(
            "exists (
                select 1 from scoops as s indexed by scoops_current
                where s.author = c.author and s.archived = 0 and s.expires_ms > me.at and s.shown <= me.seq
                  and (s.gone is null or s.gone > me.seq)
                  and not exists (select 1 from views where viewer = me.pk and scoop = s.pk and n <= me.seq)
                  and ",
            is_for_me!(),
            ")"
        )
    };
}

/// Whether something of the author `c` that is for the caller lives now.
macro_rules! lives {
    () => {
        concat!(
            "exists (
                select 1 from scoops as s indexed by scoops_current
                where s.author = c.author and s.archived = 0 and s.expires_ms > +?2 and s.shown is not null
                  and s.gone is null and ",
            is_for_me!(),
            ")"
        )
    };
}

/// Authors in their order, those with something unseen or the others (`is`): after the cursor, where the caller sees them and
/// something of theirs lives now.
macro_rules! authors {
    ($unseen:literal, $is:expr, $after:expr) => {
        concat!(
            "select * from (
                select ",
            $unseen,
            " as unseen, c.author, c.latest
                from me cross join candidates as c cross join people as a
                where (+?4 is null or ",
            $after,
            ") and c.latest > 0 and a.pk = c.author and ",
            $is,
            " and ",
            shared::shows_in_feed!("me.pk", "a", "me.apart"),
            " limit ?3 + 1)"
        )
    };
}

/// The authors whom the caller `?1` follows and of whom something lives at `?2`, `?3` and one: those with something unseen
/// first, then by their newest publication.
///
/// `candidates`: everybody followed who has a row in `author_live`, in order, which `limit -1` keeps. What is left to ask of
/// each is asked in that order and only until the page is full. `me.seq` and `me.at` (`?7`, `?6`) are the last event and the
/// time of the first page, which put every further page in the order of the first; the cursor carries them.
///
/// The scoops of an author come in the order of `scoops_current`, which is that of `pk`. Links that were made for `?8` and
/// kept serve again.
pub const SCOOP_FEED: &str = concat!(
    "with me (pk, apart, seq, at) as materialized (
        select p.pk, ",
    shared::is_apart!("p.pk"),
    ", coalesce(?7, (select max(seq) from outbox), 0), coalesce(?6, ?2)
        from people as p where p.id = +?1 and p.status = 'active'
    ),
    candidates (author, latest) as materialized (
        select l.author, iif(l.close is null and l.everyone <= me.seq and l.everyone_until > me.at, l.everyone, max(
            coalesce(iif(l.everyone is null, null, ",
    latest!("everyone", "followers"),
    "), 0), coalesce(iif(l.close is not null and ",
    is_close_friend!("me.pk", "l.author"),
    ", ",
    latest!("close", "close_friends"),
    ", null), 0)))
        from me cross join follows as f cross join author_live as l
        where f.follower = me.pk and l.author = f.followee and l.until > me.at
        order by 2 desc limit -1
    ),
    page (unseen, author, latest) as (",
    // On the first page, what is unseen lives.
    authors!("1", concat!(is_unseen!(), " and (+?4 is null or ", lives!(), ")"), "(+?4 = 1 and c.latest < +?5)"),
    " union all ",
    authors!("0", concat!("not ", is_unseen!(), " and ", lives!()), "+?4 = 1 or c.latest < +?5"),
    " limit ?3 + 1) ",
    lines_sql!(
        concat!(
            "select concat('{\"user\":', a.card, ',', (
                select concat('\"scoops\":[', group_concat(",
            scoop_json!(
                "s",
                "a",
                "v.n is not null",
                "0",
                concat!("iif(s.linked_for = +?8, s.linked, ", marked_media!("s"), ")")
            ),
            "), '],\"hasUnseen\":', iif(max(v.n is null), 'true', 'false'))
                from scoops as s indexed by scoops_current left join views as v on v.viewer = me.pk and v.scoop = s.pk
                where s.author = page.author and s.archived = 0 and s.expires_ms > +?2 and s.shown is not null
                  and s.gone is null and ",
            is_for_me!(),
            "), '}') as item, concat(page.unseen, ',', page.latest, ',', me.at, ',', me.seq) as k
            from me cross join page cross join people as a where a.pk = page.author"
        ),
        "exists (select 1 from me)"
    )
);

/// A page of the authors whom `caller` follows, each with their live scoops; `None` where the caller is nobody here.
pub async fn get_scoop_feed(
    db: &Db,
    caller: Id,
    after: Option<FeedCursor>,
    limit: u32,
    now: Instant,
    links_for: &str,
) -> Result<Option<PageOut>, DbError> {
    let number = |of: fn(FeedCursor) -> i64| after.map(of).map_or(Value::Null, Value::Integer);
    let params = params![
        caller,
        now.millis(),
        limit,
        number(|after| after.unseen),
        number(|after| after.latest),
        number(|after| after.at),
        number(|after| after.seq),
        links_for
    ];
    page_of_lines(db, SCOOP_FEED, params, limit).await
}

/// By the key of each.
pub const KEEP_LINKS: &str = "update scoops set linked = made.value ->> 1, linked_for = ?2
    from json_each(?1) as made where scoops.pk = made.value ->> 0 and scoops.gone is null";

/// Keeps the links that a page was given, a JSON array of `[pk, media]`.
pub async fn keep_links(db: &Db, made: &str, links_for: &str) -> Result<(), DbError> {
    db.rows(KEEP_LINKS, params![made, links_for]).await.map(drop)
}
