//! Sessions and their refresh tokens.

use serde::Deserialize;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use crate::model;
use crate::tokens::Holder;

/// The session a write opened or went on with, and the refresh token that it made. Under an
/// Idempotency-Key the write may have happened in an earlier run, with a token nobody has any more.
#[derive(Debug, Deserialize)]
pub struct Minted {
    /// The session.
    pub session: Id,
    /// Whether a token was made; else it was used before, and the session is over.
    pub alive: bool,
    /// The hash of the token that was made.
    pub minted: String,
}

// By its attempt a registration opens the one session of its own, and no other's account.
pub(super) const OPEN_SESSION: &str = "insert into sessions
        (id, account, created_at, last_used_at, user_agent, rotated_at, minted, minted_at)
    select ?2, a.pk, ?3, ?3, ?4, ?5, ?6, ?5 from accounts as a
    where a.id = ?1 and (a.state = 'active' and ?7 is null or a.state = 'pending' and a.attempt = ?7)
    returning json_object('session', id, 'alive', json('true'), 'minted', minted)";

/// Who opens a session.
pub struct Opening<'a> {
    /// Whose it is.
    pub user: Id,
    /// Its id.
    pub session: Id,
    /// The registration it is the end of.
    pub attempt: Option<Id>,
    /// What the device calls itself.
    pub user_agent: Option<&'a str>,
    /// The hash of its first refresh token.
    pub token: &'a str,
}

/// Opens a session; `None` where there is no such account, or another attempt has taken it over.
pub async fn create_session(db: &Db, opening: &Opening<'_>, now: Instant) -> Result<Option<Minted>, DbError> {
    let Opening { user, session, attempt, user_agent, token } = opening;
    let values = params![user, session, now.rfc3339(), *user_agent, now.millis(), *token, *attempt];
    db.write_as(OPEN_SESSION, values).await
}

/// A session by one of its refresh tokens.
#[derive(Debug, Deserialize)]
pub struct Family {
    /// Whose it is.
    #[serde(flatten)]
    pub holder: Holder,
    /// `people.status`, where the projection has the person.
    pub standing: Option<String>,
    /// Whether the session is over.
    pub ended: bool,
    /// Whether the token was used.
    pub used: bool,
    /// Whether the token's time is over.
    pub expired: bool,
}

pub(super) const FIND_FAMILY: &str = "select json_object(
        'userId', a.id, 'email', a.email, 'standing', p.status,
        'emailVerified', json(iif(a.verified_at is null, 'false', 'true')),
        'ended', json(iif(s.ended_at is null, 'false', 'true')),
        'used', json(iif(t.generation < s.generation, 'true', 'false')),
        'expired', json(iif(t.expires_at > ?2, 'false', 'true')))
    from refresh_tokens as t join sessions as s on s.pk = t.session join accounts as a on a.pk = s.account
    left join people as p on p.id = a.id
    where t.hash = ?1";

/// The session a refresh token belongs to.
pub async fn find_family(db: &Db, token: &str, now: Instant) -> Result<Option<Family>, DbError> {
    db.read_as(FIND_FAMILY, params![token, now.millis()]).await
}

// The first use of a generation begins the next one. A token of the generation before gets another
// of the present one while the grace lasts; anything older ends the session, and then the trigger
// on `minted` makes no token.
pub(super) const ROTATE_TOKEN: &str = "update sessions set
        generation = sessions.generation + (t.generation = sessions.generation),
        rotated_at = iif(t.generation = sessions.generation, ?3, sessions.rotated_at),
        ended_at = iif(t.generation = sessions.generation
            or (t.generation = sessions.generation - 1 and sessions.rotated_at >= ?6), null, ?4),
        last_used_at = ?4, user_agent = coalesce(?5, sessions.user_agent), minted = ?2, minted_at = ?3
    from refresh_tokens as t
    where t.hash = ?1 and sessions.pk = t.session and sessions.ended_at is null and t.expires_at > ?3
    returning json_object('session', id, 'alive', json(iif(ended_at is null, 'true', 'false')), 'minted', minted)";

/// Uses a refresh token up for another; or ends the session where it was used up before. `None`
/// where the token or its session is over.
pub async fn rotate_token(
    db: &Db,
    token: &str,
    next: &str,
    user_agent: Option<&str>,
    now: Instant,
) -> Result<Option<Minted>, DbError> {
    let grace = now.minus(model::GRACE).millis();
    let values = params![token, next, now.millis(), now.rfc3339(), user_agent, grace];
    db.write_as(ROTATE_TOKEN, values).await
}

pub(super) const ADD_TOKEN: &str = "update sessions set minted = ?2, minted_at = ?3
    where id = ?1 and ended_at is null returning id";

/// Another token of the present generation, for a request that ran before and lost its token.
/// Never remembered under an Idempotency-Key: each run needs one of its own.
pub async fn add_token(db: &Db, session: Id, token: &str, now: Instant) -> Result<bool, DbError> {
    Ok(!db.rows(ADD_TOKEN, params![session, token, now.millis()]).await?.is_empty())
}

pub(super) const END_FAMILY: &str = "update sessions set ended_at = ?2
    where ended_at is null and pk = (select session from refresh_tokens where hash = ?1) returning id";

/// Ends the session of a refresh token, where there is one.
pub async fn end_family(db: &Db, token: &str, now: Instant) -> Result<(), DbError> {
    db.write(END_FAMILY, params![token, now.rfc3339()]).await.map(|_| ())
}

pub(super) const DELETE_SESSION: &str = "update sessions set ended_at = ?3
    where id = ?1 and ended_at is null and account = (select pk from accounts where id = ?2)
    returning id";

/// Ends a session of `user`; false where they have no such session.
pub async fn delete_session(db: &Db, user: Id, session: Id, now: Instant) -> Result<bool, DbError> {
    Ok(db.write(DELETE_SESSION, params![session, user, now.rfc3339()]).await?.is_some())
}

// By `sessions_by_account`. A session without a live token is over, though nobody ended it.
pub(super) const LIST_SESSIONS: &str = "select json_object('items', json((
        select json_group_array(json_object(
            'id', id, 'createdAt', created_at, 'lastUsedAt', last_used_at, 'userAgent', user_agent,
            'current', json(iif(id = ?2, 'true', 'false'))))
        from (select s.* from sessions as s join accounts as a on a.pk = s.account
            where a.id = ?1 and s.ended_at is null and s.minted_at > ?3
            order by s.created_at desc, s.pk desc))))";

/// The devices a person is signed in with, as JSON.
pub async fn list_sessions(
    db: &Db,
    user: Id,
    current: Option<Id>,
    alive_since: Instant,
) -> Result<String, DbError> {
    // Without a session of ours in the token, none is the current one.
    let current = current.map_or_else(String::new, |id| id.to_string());
    let read = db.read(LIST_SESSIONS, params![user, current, alive_since.millis()]).await?;
    Ok(read.unwrap_or_default())
}
