//! Media, from the URL that admits an upload to what is shown.

use serde::Deserialize;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use super::sees_media;
use crate::model::{Kind, MAX_OPEN, Purpose, Upload};

/// One insert, by `media_by_owner` alone. Only what may still arrive counts against the quota.
pub const CREATE_UPLOAD: &str = "insert into media
        (key, owner, purpose, kind, content_type, size, created_at, open_until, changed_at, part_size, avatar_url)
    select ?2, me.pk, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 from people as me
    where me.id = ?1 and me.status = 'active'
      and (select count(*) from media where owner = me.pk and status = 'pending' and open_until > ?7) < ?12
    returning key";

/// An upload about to be admitted.
pub struct NewUpload<'a> {
    /// Whose it is.
    pub owner: Id,
    /// Names it.
    pub key: Id,
    /// What for.
    pub purpose: Purpose,
    /// What of.
    pub upload: &'a Upload,
    /// Size of a part, where it comes in parts.
    pub part_size: Option<u64>,
    /// Where it will be shown, where it is an avatar.
    pub avatar_url: Option<String>,
    /// When it was asked for.
    pub now: Instant,
    /// Until when it may arrive.
    pub until: Instant,
}

/// Admits an upload; its key, which for a request sent again is the first one's. `None` where the quota is used up, or the owner
/// is nobody here.
pub async fn create_upload(db: &Db, new: NewUpload<'_>) -> Result<Option<Id>, DbError> {
    let NewUpload { owner, key, purpose, upload, part_size, avatar_url, now, until } = new;
    let params = params![
        owner,
        key,
        purpose.as_str(),
        upload.kind.as_str(),
        upload.content_type,
        upload.size.cast_signed(),
        now.millis(),
        until.millis(),
        now.rfc3339(),
        part_size.map(u64::cast_signed),
        avatar_url,
        MAX_OPEN
    ];
    Ok(db.write(CREATE_UPLOAD, params).await?.and_then(|key| Id::parse(&key)))
}

const NOTE_PARTS: &str =
    "update media set upload_id = coalesce(upload_id, ?2) where key = ?1 and status = 'pending'
    returning upload_id";

/// Notes the store's name of an upload in parts, unless there is one; the one that holds. `None` where the upload is gone.
pub async fn note_parts(db: &Db, key: Id, upload: &str) -> Result<Option<String>, DbError> {
    db.write(NOTE_PARTS, params![key, upload]).await
}

/// A media as its service needs it.
#[derive(Debug, Deserialize)]
pub struct Row {
    /// Whether it is the caller's.
    pub mine: i64,
    /// Whose it is.
    pub owner: Id,
    /// What it is.
    pub kind: Kind,
    /// `post` or `avatar`.
    pub purpose: String,
    /// As declared.
    pub content_type: String,
    /// As declared.
    pub size: u64,
    /// How far it is.
    pub status: String,
    /// Of an upload in parts.
    pub upload_id: Option<String>,
    /// Of an upload in parts.
    pub part_size: Option<u64>,
    /// The template of what is answered, without `alt`.
    pub json: serde_json::Map<String, serde_json::Value>,
}

/// By the unique keys of media and people.
pub const FIND: &str = concat!(
    "select json_object('mine', m.owner = me.pk, 'owner', owner.id, 'kind', m.kind, 'purpose', m.purpose,
        'content_type', m.content_type, 'size', m.size, 'status', m.status, 'upload_id', m.upload_id,
        'part_size', m.part_size, 'json', json((select json from shown where pk = m.pk)))
    from media as m cross join people as owner cross join people as me
    where m.key = +?1 and owner.pk = m.owner and me.id = +?2 and me.status = 'active' and ",
    sees_media!("me", "m", "owner")
);

/// The media `key`, where `viewer` may see it.
pub async fn find(db: &Db, key: Id, viewer: Id) -> Result<Option<Row>, DbError> {
    db.read_as(FIND, params![key, viewer]).await
}

const ARRIVED: &str =
    "update media set status = 'uploaded', changed_at = ?2 where key = ?1 and status = 'pending'";

const REJECTED: &str =
    "update media set status = 'failed', error_code = ?2, error_detail = ?3, changed_at = ?4
    where key = ?1 and status = 'pending'";

const QUEUED: &str = "update media set status = 'queued', progress = 0, queued_at = ?2, changed_at = ?3
    where key = ?1 and status = 'uploaded'";

/// What was uploaded is what was declared.
pub async fn note_arrival(db: &Db, key: Id, now: Instant) -> Result<(), DbError> {
    db.rows(ARRIVED, params![key, now.rfc3339()]).await.map(drop)
}

/// What was uploaded is something else.
pub async fn reject(db: &Db, key: Id, code: &str, detail: &str, now: Instant) -> Result<(), DbError> {
    db.rows(REJECTED, params![key, code, detail, now.rfc3339()]).await.map(drop)
}

/// Puts what arrived into the queue; again changes nothing.
pub async fn queue(db: &Db, key: Id, now: Instant) -> Result<(), DbError> {
    db.rows(QUEUED, params![key, now.millis(), now.rfc3339()]).await.map(drop)
}

const DELETE: &str = "update media set removed = 1, changed_at = ?3
    where key = ?1 and owner = (select pk from people where id = ?2) returning 1";

/// Removes a media of `owner`'s; false where it is not theirs. Its objects are a removal from then on.
pub async fn delete(db: &Db, key: Id, owner: Id, now: Instant) -> Result<bool, DbError> {
    Ok(db.write(DELETE, params![key, owner, now.rfc3339()]).await?.is_some())
}

/// By `media_by_age`: from the oldest up to the first that is younger than a day.
const REMOVE_UNUSED: &str = "update media set removed = 1, changed_at = ?2
    where pk in (select pk from media where created_at < ?1 and coalesce(claimed_at, 0) < ?1
        and not exists (select 1 from uses where uses.media = media.pk) limit 200)
    returning 1";

/// Removes media nobody used since `before`; how many, at most 200.
pub async fn remove_unused(db: &Db, before: Instant, now: Instant) -> Result<usize, DbError> {
    Ok(db.rows(REMOVE_UNUSED, params![before.millis(), now.rfc3339()]).await?.len())
}

const STREAM: &str = "select m.stream from media as m join people as owner on owner.pk = m.owner
    where m.key = ?1 and m.status = 'ready' and m.stream is not null and owner.status = 'active'";

/// The stream of a media that is ready.
pub async fn find_stream<T: serde::de::DeserializeOwned>(db: &Db, key: Id) -> Result<Option<T>, DbError> {
    db.read_as(STREAM, params![key]).await
}

const AVATAR: &str = "select iif(?2, m.poster_object, m.shown_object)
    from media as m join people as owner on owner.pk = m.owner
    where m.key = ?1 and m.purpose = 'avatar' and m.status = 'ready' and owner.status = 'active'";

/// The object of an avatar, the small one or the large.
pub async fn find_avatar(db: &Db, key: Id, small: bool) -> Result<Option<String>, DbError> {
    db.read(AVATAR, params![key, small]).await
}

const EXPORT: &str = "select json_group_array(json_object(
        'key', m.key, 'purpose', m.purpose, 'contentType', m.content_type, 'size', m.size,
        'createdAt', strftime('%Y-%m-%dT%H:%M:%fZ', m.created_at / 1000.0, 'unixepoch'),
        'usedBy', json((select json_group_array(json_object('type', uses.kind, 'id', uses.target))
            from uses where uses.media = m.pk)),
        'media', json((select json from shown where pk = m.pk))))
    from (select * from media where owner = (select pk from people where id = ?1) order by pk) as m";

/// Everything held about a person: their uploads, with templates of links in them.
pub async fn export(db: &Db, person: Id) -> Result<String, DbError> {
    Ok(db.read(EXPORT, params![person]).await?.unwrap_or_else(|| "[]".to_owned()))
}
