//! Comments.

use shared::clock::Instant;
use shared::db::{Db, DbError, PageOut, Value};
use shared::ids::Id;
use shared::{page_sql, params};

use super::{mentioned, page_of, seen_post, sees_below, sees_post};
use crate::model::{MAX_DEPTH, Text};

/// `Comment` of the contract from the row `c` of `comments`, the row `u` of its author, the id of
/// its post and that of the comment it replies to.
macro_rules! comment_json {
    ($c:expr, $u:expr, $post:expr, $parent:expr) => {
        concat!(
            "json_object('id', ",
            $c,
            ".id, 'postId', ",
            $post,
            ", 'parentId', ",
            $parent,
            ", 'author', ",
            shared::user_json!($u),
            ", 'text', ",
            $c,
            ".text, 'createdAt', ",
            $c,
            ".created_at, 'counts', json_object('replies', ",
            $c,
            ".replies))"
        )
    };
}

/// The comment whose id is the parameter `?4`, of the post `p`, where `me` sees its author.
macro_rules! parent {
    () => {
        concat!(
            "select c.pk, c.depth from comments as c join people as u on u.pk = c.author
            where c.id = ?4 and c.post = p.pk and ",
            sees_below!("me.pk", "p", "u")
        )
    };
}

/// The left join has the parent, where one is given and is a comment the caller sees; else the row
/// fails, or has depth 1.
const CREATE_COMMENT: &str = concat!(
    "insert into comments (id, post, parent, author, text, depth, created_at, mentions)
    select ?3, p.pk, parent.pk, me.pk, ?5, coalesce(parent.depth, 0) + 1, ?7, ",
    mentioned!("?6", "me.pk"),
    " from posts as p cross join people as a cross join people as me
    left join (select c.pk, c.depth, c.post, c.author from comments as c where c.id = ?4) as parent
        on parent.post = p.pk
    left join people as u on u.pk = parent.author
    where p.id = ?1 and p.status = 'published' and a.pk = p.author and me.id = ?2 and me.status = 'active' and ",
    sees_post!("me.pk", "p", "a"),
    " and (?4 is null or (parent.depth < ?8 and ",
    sees_below!("me.pk", "p", "u"),
    ")) returning (select ",
    comment_json!("comments", "u", "?1", "?4"),
    " from people as u where u.pk = comments.author)"
);

/// A comment about to be made.
pub struct NewComment<'a> {
    /// The post it is on.
    pub post: Id,
    /// Who writes it.
    pub author: Id,
    /// The comment it replies to.
    pub parent: Option<Id>,
    /// What it says.
    pub text: &'a Text,
}

/// Writes a comment; `None` where the post or the parent is not there for the author, or the parent
/// is as deep as may be.
pub async fn create_comment(
    db: &Db,
    id: Id,
    new: &NewComment<'_>,
    now: Instant,
) -> Result<Option<String>, DbError> {
    let handles = serde_json::json!(new.text.handles);
    let text = new.text.text.as_str();
    let params = params![new.post, new.author, id, new.parent, text, handles, now.rfc3339(), MAX_DEPTH];
    db.write(CREATE_COMMENT, params).await
}

const FIND_DEPTH: &str = concat!(
    "select json_object('published', p.status = 'published', 'parent', (select depth from (",
    parent!(),
    "))) from ",
    seen_post!(),
    " and ?3 is null"
);

/// Why a comment was not made.
#[derive(Debug, serde::Deserialize)]
pub struct Refused {
    /// 1 where the post takes comments.
    pub published: i64,
    /// The depth of the parent, where there is one.
    pub parent: Option<i64>,
}

/// What stood in the way of a comment; `None` where the post is not there for its author.
pub async fn find_refusal(db: &Db, new: &NewComment<'_>) -> Result<Option<Refused>, DbError> {
    db.read_as(FIND_DEPTH, params![new.post, new.author, Value::Null, new.parent]).await
}

/// Runs up `comments_by_post (post, parent, pk)`. A parent that is no comment of the post, or one the
/// viewer does not see, makes it a page of nothing there: no row.
pub(crate) const LIST_COMMENTS: &str = concat!(
    "select page.* from ",
    "(select p.pk from ",
    seen_post!(),
    " and p.status = 'published' and (?3 is null or exists (
        select 1 from comments as c join people as u on u.pk = c.author
        where c.id = ?3 and c.post = p.pk and ",
    sees_below!("me.pk", "p", "u"),
    "))) as seen cross join (",
    page_sql!(
        concat!(
            "select ",
            comment_json!("c", "u", "p.id", "?3"),
            " as item, c.pk as k
            from posts as p cross join people as me cross join comments as c cross join people as u
            where p.id = ?1 and me.id = ?2 and c.post = p.pk
              and c.parent is (select pk from comments where id = ?3)
              and c.pk > coalesce(?4, 0) and u.pk = c.author and ",
            sees_below!("me.pk", "p", "u"),
            " and not ",
            shared::mutes!("me.pk", "u"),
            " order by c.pk limit ?5 + 1"
        ),
        "?5"
    ),
    ") as page"
);

/// A page of the comments on a post, or of the replies to one; `None` where either is not there for
/// the viewer.
pub async fn list_comments(
    db: &Db,
    post: Id,
    viewer: Id,
    parent: Option<Id>,
    after: Value,
    limit: u32,
) -> Result<Option<PageOut>, DbError> {
    let page = page_of(db, LIST_COMMENTS, params![post, viewer, parent, after, limit]).await?;
    Ok(page.map(|(page, _)| page))
}

/// The comment `?3` of the post, where the caller sees both.
macro_rules! seen_comment {
    () => {
        concat!(
            "comments as c cross join people as u cross join ",
            seen_post!(),
            " and c.id = ?3 and c.post = p.pk and u.pk = c.author and ",
            sees_below!("me.pk", "p", "u")
        )
    };
}

const DELETE_COMMENT: &str = concat!(
    "insert into removals (comment, at) select c.pk, ?4 from ",
    seen_comment!(),
    " and me.pk in (c.author, p.author) returning 1"
);

/// Removes a comment with every reply below it; false where it is not `caller`'s to remove.
pub async fn delete_comment(
    db: &Db,
    post: Id,
    caller: Id,
    comment: Id,
    now: Instant,
) -> Result<bool, DbError> {
    Ok(db.write(DELETE_COMMENT, params![post, caller, comment, now.rfc3339()]).await?.is_some())
}

const SEES_COMMENT: &str = concat!("select 1 from ", seen_comment!());

/// Whether `viewer` may see the comment on the post.
pub async fn sees_comment(db: &Db, post: Id, viewer: Id, comment: Id) -> Result<bool, DbError> {
    Ok(db.read(SEES_COMMENT, params![post, viewer, comment]).await?.is_some())
}
