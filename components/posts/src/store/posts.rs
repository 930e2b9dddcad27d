//! Posts, one by one.

use shared::clock::Instant;
use shared::db::{Db, DbError, Value};
use shared::ids::Id;
use shared::{page_sql, params};

use super::{mentioned, my_reactions, opening_json, page_of, post_json, seen_post, sees_post};
use crate::model::{Attached, Text, Visibility};

/// Handles of the array that nobody here has, at most 10: each may cost a call to `users`.
const UNKNOWN_HANDLES: &str = "select json_group_array(value) from (
    select value from json_each(?1)
    where not exists (select 1 from people where handle = value and status = 'active') limit 10)";

/// Handles that no active person of the projection has.
pub async fn unknown_handles(db: &Db, handles: &[String]) -> Result<Vec<String>, DbError> {
    let found = db.read_as(UNKNOWN_HANDLES, params![serde_json::json!(handles)]).await?;
    Ok(found.unwrap_or_default())
}

/// One row in `posts`; triggers write its index rows and the outbox. The answer needs
/// nothing of what they write.
const CREATE_POST: &str = concat!(
    "insert into posts (id, author, text, visibility, status, hashtags, mentions, created_at, attached, media, opening)
    select p.id, p.author, p.text, p.visibility, p.status, p.hashtags, p.mentions, p.created_at, p.attached, p.media, ",
    opening_json!("p"),
    " from (
        select ?2 as id, me.pk as author, ?3 as text, ?4 as visibility, ?8 as status, ?5 as hashtags, ",
    mentioned!("?6", "me.pk"),
    " as mentions, ?7 as created_at, null as edited_at, ?9 as attached,
            iif(?9 is null, '[]', (select json_group_array(json_set(value -> '$.media', '$.alt', value ->> '$.alt'))
                from json_each(?9))) as media
        from people as me where me.id = ?1 and me.status = 'active'
    ) as p
    returning (select ",
    post_json!("posts", "a", "posts.author", "'[]'"),
    " from people as a where a.pk = posts.author)"
);

/// A post about to be made.
pub struct NewPost<'a> {
    /// Whose it is.
    pub author: Id,
    /// Its id.
    pub id: Id,
    /// What it says.
    pub text: &'a Text,
    /// For whom it is.
    pub visibility: Visibility,
    /// What it shows.
    pub media: &'a [Attached],
    /// When.
    pub now: Instant,
}

/// Makes a post, which is out unless something of it is not ready; `None` where the author is nobody here.
pub async fn create_post(db: &Db, post: NewPost<'_>) -> Result<Option<String>, DbError> {
    let NewPost { author, id, text, visibility, media, now } = post;
    let (hashtags, handles) = (serde_json::json!(text.hashtags), serde_json::json!(text.handles));
    let waits = media.iter().any(|one| one.status != "ready");
    let status = if waits { "pending_media" } else { "published" };
    let attached = (!media.is_empty()).then(|| serde_json::json!(media));
    let text = text.text.as_str();
    let params =
        params![author, id, text, visibility.as_str(), hashtags, handles, now.rfc3339(), status, attached];
    db.write(CREATE_POST, params).await
}

/// By unique keys throughout.
const FIND_POST: &str =
    concat!("select ", post_json!("p", "a", "me.pk", my_reactions!("me.pk", "p")), " from ", seen_post!());

/// The post, where `viewer` may see it.
pub async fn find_post(db: &Db, post: Id, viewer: Id) -> Result<Option<String>, DbError> {
    db.read(FIND_POST, params![post, viewer]).await
}

/// An unchanged text leaves `edited_at` as it is. One that says nothing is kept only where something is shown.
const UPDATE_POST: &str = concat!(
    "update posts set
        edited_at = iif(text = ?3, edited_at, ?6), text = ?3, hashtags = ?4,
        mentions = ",
    mentioned!("?5", "posts.author"),
    " where id = ?1 and author = (select pk from people where id = ?2) and (?3 <> '' or media <> '[]') returning 1"
);

/// Changes the text of a post of `author`'s; false where it is not theirs, or would neither say nor show anything.
pub async fn update_post(db: &Db, post: Id, author: Id, text: &Text, now: Instant) -> Result<bool, DbError> {
    let (hashtags, handles) = (serde_json::json!(text.hashtags), serde_json::json!(text.handles));
    let params = params![post, author, text.text.as_str(), hashtags, handles, now.rfc3339()];
    Ok(db.write(UPDATE_POST, params).await?.is_some())
}

const DELETE_POST: &str = "insert into removals (post, at)
    select pk, ?3 from posts where id = ?1 and author = (select pk from people where id = ?2) returning 1";

/// Removes a post of `author`'s with everything below it; false where it is not theirs.
pub async fn delete_post(db: &Db, post: Id, author: Id, now: Instant) -> Result<bool, DbError> {
    Ok(db.write(DELETE_POST, params![post, author, now.rfc3339()]).await?.is_some())
}

const IS_AUTHOR: &str = concat!("select p.author = me.pk from ", seen_post!());

/// Whether the post is `viewer`'s own; `None` where they may not see it.
pub async fn is_author(db: &Db, post: Id, viewer: Id) -> Result<Option<bool>, DbError> {
    Ok(db.read(IS_AUTHOR, params![post, viewer]).await?.map(|own| own == "1"))
}

/// Runs down `post_tags (tag, post)`. Who sees the post by following a private author sees it here.
pub const LIST_TAG: &str = concat!(
    "select page.* from (select pk from people where id = ?2 and status = 'active') as caller cross join (",
    page_sql!(
        concat!(
            "select ",
            post_json!("p", "a", "me.pk", my_reactions!("me.pk", "p")),
            " as item, t.post as k
            from people as me cross join post_tags as t cross join posts as p cross join people as a
            where me.id = ?2 and t.tag = ?1 and t.post < coalesce(?3, 9223372036854775807)
              and p.pk = t.post and p.visibility = 'public' and a.pk = p.author and ",
            sees_post!("me.pk", "p", "a"),
            " and not ",
            shared::mutes!("me.pk", "a"),
            " order by t.post desc limit ?4 + 1"
        ),
        "?4"
    ),
    ") as page"
);

/// A page of the public posts with the hashtag, as `viewer` sees them; `None` where they are nobody
/// here.
pub async fn list_tag(
    db: &Db,
    viewer: Id,
    tag: &str,
    after: Value,
    limit: u32,
) -> Result<Option<shared::db::PageOut>, DbError> {
    let page = page_of(db, LIST_TAG, params![tag, viewer, after, limit]).await?;
    Ok(page.map(|(page, _)| page))
}
