//! Reactions.

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::{page_sql, params};

use super::{page_of, seen_post, sees_below, sees_post};
use crate::model::ReactionType;

/// One upsert: it makes the reaction, or finds it and ends it (a trigger then deletes the row), so
/// two toggles at once are two toggles.
const TOGGLE_REACTION: &str = concat!(
    "insert into reactions (post, person, type, created_at) select p.pk, me.pk, ?3, ?4 from ",
    seen_post!(),
    " and p.status = 'published'
    on conflict (post, person, type) do update set active = 0, created_at = excluded.created_at
    returning active"
);

/// Sets or takes back a reaction: whether it is there now. `None` where the post is not there for
/// the caller.
pub async fn toggle_reaction(
    db: &Db,
    post: Id,
    caller: Id,
    kind: ReactionType,
    now: Instant,
) -> Result<Option<bool>, DbError> {
    let active = db.write(TOGGLE_REACTION, params![post, caller, kind.as_str(), now.rfc3339()]).await?;
    Ok(active.map(|active| active == "1"))
}

const REACTION_COUNTS: &str = "select reactions from posts where id = ?1";

/// `{type: n}` of a post.
pub async fn reaction_counts(db: &Db, post: Id) -> Result<Option<String>, DbError> {
    db.read(REACTION_COUNTS, params![post]).await
}

/// Runs down `reactions_by_post (post, pk)`.
pub(crate) const LIST_REACTIONS: &str = concat!(
    "select page.*, ',\"counts\":' || seen.counts || ',\"mine\":' || seen.mine from (
        select p.reactions as counts,
            (select json_group_array(type) from reactions where post = p.pk and person = me.pk) as mine
        from ",
    seen_post!(),
    " and p.status = 'published') as seen cross join (",
    page_sql!(
        concat!(
            "select json_object('user', ",
            shared::user_json!("u"),
            ", 'type', r.type, 'createdAt', r.created_at) as item, r.pk as k
            from posts as p cross join people as me cross join reactions as r cross join people as u
            where p.id = ?1 and me.id = ?2 and r.post = p.pk and r.pk < coalesce(?3, 9223372036854775807)
              and u.pk = r.person and ",
            sees_below!("me.pk", "p", "u"),
            " order by r.pk desc limit ?4 + 1"
        ),
        "?4"
    ),
    ") as page"
);

/// A page of who reacted, with the members `counts` and `mine`; `None` where the post is not there
/// for the viewer.
pub async fn list_reactions(
    db: &Db,
    post: Id,
    viewer: Id,
    after: Value,
    limit: u32,
) -> Result<Option<(PageOut, String)>, DbError> {
    page_of(db, LIST_REACTIONS, params![post, viewer, after, limit]).await
}
