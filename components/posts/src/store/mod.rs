//! All SQL of the service, by noun. Who may see what is inside each statement.

mod comments;
mod feed;
mod heads;
mod internal;
mod posts;
mod reactions;
mod views;

pub use comments::*;
pub use feed::*;
pub use heads::*;
pub use internal::*;
pub use posts::*;
pub use reactions::*;
use shared::db::{Db, DbError, PageOut, Value};
pub use views::*;

/// Whether the person `viewer` (a pk) may see the post `p` of the person `a`: the privacy rule, the
/// post's own `visibility`, and nothing unpublished but to its author.
macro_rules! sees_post {
    ($viewer:expr, $p:expr, $a:expr) => {
        concat!(
            "(",
            shared::may_see!($viewer, $a),
            " and (",
            $p,
            ".author = ",
            $viewer,
            " or (",
            $p,
            ".status = 'published' and (",
            $p,
            ".visibility = 'public' or ",
            shared::follows!($viewer, $a),
            "))))"
        )
    };
}

/// Whether `viewer` may see what the person `c` wrote or did below the post `p`: by the privacy
/// rule; and the post's author sees what private people do there.
macro_rules! sees_below {
    ($viewer:expr, $p:expr, $c:expr) => {
        concat!(
            "(",
            shared::may_see!($viewer, $c),
            " or (",
            $p,
            ".author = ",
            $viewer,
            " and ",
            $c,
            ".status = 'active' and ",
            shared::unblocked!($viewer, $c),
            "))"
        )
    };
}

/// The post whose id is the parameter `?1` with its author `a` and the caller `me`, whose id is
/// `?2`, where they may see it. `+`, as in [`FEED`].
macro_rules! seen_post {
    () => {
        concat!(
            "posts as p cross join people as a cross join people as me
            where p.id = +?1 and a.pk = p.author and me.id = +?2 and me.status = 'active' and ",
            sees_post!("me.pk", "p", "a")
        )
    };
}

/// What of the post `p` depends neither on its counts nor on who reads: the beginning of its JSON, up to the
/// closing brace. The statement that makes a post writes it into `opening`; the triggers of 0007_media.sql
/// say the same, and keep it.
macro_rules! opening_json {
    ($p:expr) => {
        concat!(
            "rtrim(json_object('id', ",
            $p,
            ".id, 'text', ",
            $p,
            ".text, 'media', json(",
            $p,
            ".media), 'visibility', ",
            $p,
            ".visibility, 'createdAt', ",
            $p,
            ".created_at, 'editedAt', ",
            $p,
            ".edited_at, 'status', ",
            $p,
            ".status, 'hashtags', json(",
            $p,
            ".hashtags)), '}')"
        )
    };
}

/// `Post` of the contract, as text, from the row `p` of `posts`, its `opening` and the row `a` of its
/// author, as `viewer` (a pk) sees it. `mine` is the JSON of the viewer's reactions. It names nobody
/// whom a block hides from the viewer.
macro_rules! post_json {
    ($p:expr, $a:expr, $viewer:expr, $mine:expr) => {
        concat!(
            "concat(",
            $p,
            ".opening, ',\"author\":', ",
            $a,
            ".card, ',\"counts\":{\"comments\":', ",
            $p,
            ".comments, ',\"reactions\":', ",
            $p,
            ".reaction_count, ',\"views\":', ",
            $p,
            ".views, '},\"reactions\":', ",
            $p,
            ".reactions, ',\"myReactions\":', ",
            $mine,
            ", ',\"mentions\":', iif(",
            $p,
            ".mentions = '[]', '[]', (select json_group_array(json_object('handle', named.handle, 'userId', named.id))
                from json_each(",
            $p,
            ".mentions) as m join people as named on named.pk = m.value
                where named.status = 'active' and named.handle is not null and ",
            shared::unblocked!($viewer, "named"),
            ")), '}')"
        )
    };
}

/// The reactions of `viewer` (a pk) on the post `p`, as JSON.
macro_rules! my_reactions {
    ($viewer:expr, $p:expr) => {
        concat!(
            "iif(",
            $p,
            ".reaction_count = 0, '[]', (select json_group_array(type) from reactions where post = ",
            $p,
            ".pk and person = ",
            $viewer,
            "))"
        )
    };
}

/// The `people.pk`s, as JSON, of the handles in the JSON array `handles`, in its order: those whom
/// `author` (a pk) may name, which leaves out who blocks them or is blocked by them.
macro_rules! mentioned {
    ($handles:expr, $author:expr) => {
        concat!(
            "(select json_group_array(pk) from (select m.pk from json_each(",
            $handles,
            ") as h join people as m on m.handle = h.value where m.status = 'active' and ",
            shared::unblocked!($author, "m"),
            " order by h.key))"
        )
    };
}

pub(crate) use {mentioned, my_reactions, opening_json, post_json, seen_post, sees_below, sees_post};

/// The page of a statement whose one row is `(items, next)` and maybe more members of the answer,
/// as `"name":value` each after a comma; `None` where it has no row, because who asks may not see
/// what the page is of.
async fn page_of(db: &Db, sql: &str, params: Vec<Value>) -> Result<Option<(PageOut, String)>, DbError> {
    let Some(row) = db.rows(sql, params).await?.into_iter().next() else {
        return Ok(None);
    };
    let mut columns = row.into_iter();
    let items = columns.next().and_then(Value::into_text).unwrap_or_else(|| "[]".to_owned());
    let next = columns.next().and_then(|key| key.as_integer()).map(|key| key.to_string());
    let more = columns.next().and_then(Value::into_text).unwrap_or_default();
    Ok(Some((PageOut { items, next }, more)))
}
