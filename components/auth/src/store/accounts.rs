//! Accounts, their passwords and addresses.

use serde::Deserialize;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use crate::model;
use crate::tokens::Holder;

/// A registration under way.
#[derive(Debug, Deserialize)]
pub struct Attempt {
    /// The account, and the person in `users`.
    pub id: Id,
    /// The attempt, and the session it will open.
    pub attempt: Id,
}

// An attempt that stopped half-way is taken over with its id, by another password.
pub(super) const CREATE_ACCOUNT: &str = "insert into accounts
        (id, email, password, password_set_at, attempt, attempt_until, created_at)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?4)
    on conflict (email) do update set
        password = excluded.password, password_set_at = excluded.password_set_at,
        attempt = excluded.attempt, attempt_until = excluded.attempt_until
    where accounts.state = 'pending' and accounts.attempt_until <= ?7
    returning json_object('id', id, 'attempt', attempt)";

/// Puts an address down for a new account that is not active yet; `None` where it is taken.
pub async fn create_account(
    db: &Db,
    email: &str,
    password: &str,
    now: Instant,
) -> Result<Option<Attempt>, DbError> {
    let (id, attempt) = (Id::new(now), Id::new(now));
    let until = now.plus(model::ATTEMPT).millis();
    let values = params![id, email, password, now.rfc3339(), attempt, until, now.millis()];
    db.write_as(CREATE_ACCOUNT, values).await
}

/// Takes back an attempt that `users` refused.
pub async fn delete_attempt(db: &Db, attempt: &Attempt) -> Result<(), DbError> {
    let sql = "delete from accounts where id = ?1 and attempt = ?2 and state = 'pending'";
    db.rows(sql, params![attempt.id, attempt.attempt]).await.map(|_| ())
}

/// Lets the next attempt take over at once.
pub async fn release_attempt(db: &Db, attempt: &Attempt) -> Result<(), DbError> {
    let sql = "update accounts set attempt_until = 0 where id = ?1 and attempt = ?2 and state = 'pending'";
    db.rows(sql, params![attempt.id, attempt.attempt]).await.map(|_| ())
}

/// An account as signing in needs it.
#[derive(Debug, Deserialize)]
pub struct Account {
    /// Whose it is.
    #[serde(flatten)]
    pub holder: Holder,
    /// The stored hash.
    pub password: String,
    /// `people.status`, where the projection has the person.
    pub standing: Option<String>,
}

pub(super) const FIND_ACCOUNT: &str = "select json_object(
        'userId', a.id, 'email', a.email, 'password', a.password, 'standing', p.status,
        'emailVerified', json(iif(a.verified_at is null, 'false', 'true')))
    from accounts as a left join people as p on p.id = a.id
    where a.state = 'active' and ";

/// The active account of an address.
pub async fn find_account(db: &Db, email: &str) -> Result<Option<Account>, DbError> {
    db.read_as(&format!("{FIND_ACCOUNT} a.email = ?1"), params![email]).await
}

/// The active account of a person.
pub async fn find_account_of(db: &Db, user: Id) -> Result<Option<Account>, DbError> {
    db.read_as(&format!("{FIND_ACCOUNT} a.id = ?1"), params![user]).await
}

// The trigger on `password` ends every session but `kept_session`.
pub(super) const CHANGE_PASSWORD: &str = "update accounts
    set password = ?2, password_set_at = ?3, kept_session = ?4
    where id = ?1 and state = 'active' and password = ?5
    returning id";

/// Sets another password for one that was verified against `known`; false where it changed meanwhile.
pub async fn change_password(
    db: &Db,
    user: Id,
    known: &str,
    password: &str,
    kept: Option<Id>,
    now: Instant,
) -> Result<bool, DbError> {
    let values = params![user, password, now.rfc3339(), kept, known];
    Ok(db.write(CHANGE_PASSWORD, values).await?.is_some())
}

pub(super) const RESET_PASSWORD: &str = "update accounts
    set password = ?2, password_set_at = ?3, kept_session = null
    where state = 'active' and pk = (
        select account from mail_tokens where hash = ?1 and kind = 'password_reset' and expires_at > ?4)
    returning id";

/// Sets the password of the account whose mail carried a token; false where the token is spent.
pub async fn reset_password(db: &Db, token: &str, password: &str, now: Instant) -> Result<bool, DbError> {
    let values = params![token, password, now.rfc3339(), now.millis()];
    Ok(db.write(RESET_PASSWORD, values).await?.is_some())
}

/// Whether a token of a mail is good still.
pub async fn has_mail_token(db: &Db, token: &str, kind: &str, now: Instant) -> Result<bool, DbError> {
    let sql = "select 'yes' from mail_tokens where hash = ?1 and kind = ?2 and expires_at > ?3";
    Ok(db.read(sql, params![token, kind, now.millis()]).await?.is_some())
}

pub(super) const VERIFY_EMAIL: &str = "update accounts set verified_at = coalesce(verified_at, ?2)
    where state = 'active' and pk = (
        select account from mail_tokens where hash = ?1 and kind = 'verify_email' and expires_at > ?3)
    returning id";

/// Notes that a mail arrived; false where its token is spent.
pub async fn verify_email(db: &Db, token: &str, now: Instant) -> Result<bool, DbError> {
    Ok(db.write(VERIFY_EMAIL, params![token, now.rfc3339(), now.millis()]).await?.is_some())
}

pub(super) const PENDING: &str =
    "select coalesce(json_group_array(json_object('id', id, 'attempt', attempt)), '[]')
    from (select id, attempt from accounts where state = 'pending' and attempt_until <= ?1 limit 20)";

/// Attempts that nobody has gone on with since `before`.
pub async fn list_abandoned(db: &Db, before: Instant) -> Result<Vec<Attempt>, DbError> {
    Ok(db.read_as(PENDING, params![before.millis()]).await?.unwrap_or_default())
}

/// Finishes an attempt whose person `users` has: the password given with it opens the account.
pub async fn activate_account(db: &Db, attempt: &Attempt, now: Instant) -> Result<(), DbError> {
    let sql = "update accounts set state = 'active', activated_at = ?3
        where id = ?1 and attempt = ?2 and state = 'pending'";
    db.rows(sql, params![attempt.id, attempt.attempt, now.millis()]).await.map(|_| ())
}
