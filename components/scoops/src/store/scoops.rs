//! Scoops, one by one.

use std::time::Duration;

use serde_json::Value as Json;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use super::{is_close_friend, marked_media, next_event, scoop_json, seen_scoop, sees_scoop};
use crate::model::{Audience, MAX_LIVE};

/// One row in `scoops`; triggers write the outbox. What media told since the claim was answered is newer than the answer,
/// and of a media that was deleted since there is no scoop. How many live is counted here, where no other insert comes
/// between, by `scoops_current`.
pub const CREATE_SCOOP: &str = concat!(
    "insert into scoops (id, author, media_key, media, caption, audience, created_at, expires_at, expires_ms, shown,
        changed_at, opening)
    select ?2, me.pk, ?3, json_set(coalesce(told.json, ?5), '$.alt', null), ?6, ?7, ?8, ?9, ?10,
        iif(coalesce(told.status, ?4) = 'ready', ",
    next_event!(),
    ", null), ?8,
        rtrim(json_object('id', ?2, 'caption', ?6, 'audience', ?7, 'createdAt', ?8, 'expiresAt', ?9), '}')
    from people as me left join media as told on told.key = ?3
    where me.id = ?1 and me.status = 'active' and told.status is not 'deleted'
      and (select count(*) from scoops indexed by scoops_current
        where author = me.pk and archived = 0 and gone is null and expires_ms > ?11) < ?12
    returning (select ",
    scoop_json!("scoops", "a", "0", "1"),
    " from people as a where a.pk = scoops.author)"
);

/// A scoop about to be made.
pub struct NewScoop<'a> {
    /// Whose it is.
    pub author: Id,
    /// Its id.
    pub id: Id,
    /// What it shows.
    pub media_key: Id,
    /// How far that was when it was claimed.
    pub media_status: &'a str,
    /// Its template then.
    pub media: &'a Json,
    /// What it says.
    pub caption: Option<&'a str>,
    /// For whom it is.
    pub audience: Audience,
    /// When.
    pub now: Instant,
    /// For how long.
    pub life: Duration,
}

/// Makes a scoop; `None` where as many live as may, its media is gone, or the author is nobody here.
pub async fn create_scoop(db: &Db, new: NewScoop<'_>) -> Result<Option<String>, DbError> {
    let NewScoop { author, id, media_key, media_status, media, caption, audience, now, life } = new;
    let end = now.plus(life);
    let params = params![
        author,
        id,
        media_key,
        media_status,
        media.to_string(),
        caption,
        audience.as_str(),
        now.rfc3339(),
        end.rfc3339(),
        end.millis(),
        now.millis(),
        MAX_LIVE
    ];
    db.write(CREATE_SCOOP, params).await
}

const IS_MEDIA_GONE: &str = "select 1 from media where key = ?1 and status = 'deleted'";

/// Whether the media was deleted a moment ago.
pub async fn is_media_gone(db: &Db, key: Id) -> Result<bool, DbError> {
    Ok(db.read(IS_MEDIA_GONE, params![key]).await?.is_some())
}

/// By unique keys throughout.
pub const FIND_SCOOP: &str = concat!(
    "select ",
    scoop_json!(
        "s",
        "a",
        "exists (select 1 from views where viewer = me.pk and scoop = s.pk)",
        "s.author = me.pk"
    ),
    " from ",
    seen_scoop!()
);

/// The scoop, where it lives and `viewer` may see it.
pub async fn find_scoop(db: &Db, scoop: Id, viewer: Id, now: Instant) -> Result<Option<String>, DbError> {
    db.read(FIND_SCOOP, params![scoop, viewer, now.millis()]).await
}

const DELETE_SCOOP: &str = concat!(
    "update scoops set changed_at = ?4, gone = ",
    next_event!(),
    " where id = ?1 and author = (select pk from people where id = ?2) and gone is null and expires_ms > ?3 returning 1"
);

/// Deletes a scoop of `author`'s; false where none of theirs lives by that id.
pub async fn delete_scoop(db: &Db, scoop: Id, author: Id, now: Instant) -> Result<bool, DbError> {
    Ok(db.write(DELETE_SCOOP, params![scoop, author, now.millis(), now.rfc3339()]).await?.is_some())
}

const IS_AUTHOR: &str = concat!("select s.author = me.pk from ", seen_scoop!());

/// Whether the scoop is `viewer`'s own; `None` where they may not see it.
pub async fn is_author(db: &Db, scoop: Id, viewer: Id, now: Instant) -> Result<Option<bool>, DbError> {
    let own = db.read(IS_AUTHOR, params![scoop, viewer, now.millis()]).await?;
    Ok(own.map(|own| own == "1"))
}
