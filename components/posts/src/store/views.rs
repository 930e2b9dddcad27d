//! Views of posts.

use std::time::Duration;

use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use super::{seen_post, sees_post};

/// A viewer counts once in this time; nobody is remembered longer.
const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// A view within the window writes the same time again, which counts nothing.
const VIEW_POST: &str = concat!(
    "insert into views (post, person, at) select p.pk, me.pk, ?3 from ",
    seen_post!(),
    " and p.status = 'published' and p.author <> me.pk
    on conflict (post, person) do update set at = iif(at <= ?4, excluded.at, at)
    returning 1"
);

/// Notes that `viewer` looked; false where the post is not there for them, or is their own.
pub async fn view_post(db: &Db, post: Id, viewer: Id, now: Instant) -> Result<bool, DbError> {
    let params = params![post, viewer, now.rfc3339(), now.minus(WINDOW).rfc3339()];
    Ok(db.write(VIEW_POST, params).await?.is_some())
}

/// By `views_by_age`.
const FORGET_VIEWS: &str = "delete from views where at <= ?1";

/// Deletes who looked before the window.
pub async fn forget_views(db: &Db, now: Instant) -> Result<(), DbError> {
    db.rows(FORGET_VIEWS, params![now.minus(WINDOW).rfc3339()]).await.map(|_| ())
}
