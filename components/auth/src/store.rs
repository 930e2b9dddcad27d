//! All SQL of the service. Every lookup is by a unique key: an address, an id, the hash of a token.

use serde::Deserialize;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use crate::model;
use crate::tokens::Holder;

// ---------------------------------------------------------------------------------------------
// Accounts
// ---------------------------------------------------------------------------------------------

/// A registration under way.
#[derive(Debug, Deserialize)]
pub struct Attempt {
    /// The account, and the person in `users`.
    pub id: Id,
    /// The attempt, and the session it will open.
    pub attempt: Id,
}

// An attempt that stopped half-way is taken over with its id, by another password.
const CREATE_ACCOUNT: &str = "insert into accounts
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

const FIND_ACCOUNT: &str = "select json_object(
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
const CHANGE_PASSWORD: &str = "update accounts
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

const RESET_PASSWORD: &str = "update accounts
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

const VERIFY_EMAIL: &str = "update accounts set verified_at = coalesce(verified_at, ?2)
    where state = 'active' and pk = (
        select account from mail_tokens where hash = ?1 and kind = 'verify_email' and expires_at > ?3)
    returning id";

/// Notes that a mail arrived; false where its token is spent.
pub async fn verify_email(db: &Db, token: &str, now: Instant) -> Result<bool, DbError> {
    Ok(db.write(VERIFY_EMAIL, params![token, now.rfc3339(), now.millis()]).await?.is_some())
}

const PENDING: &str = "select coalesce(json_group_array(json_object('id', id, 'attempt', attempt)), '[]')
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

// ---------------------------------------------------------------------------------------------
// Sessions
// ---------------------------------------------------------------------------------------------

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
const OPEN_SESSION: &str = "insert into sessions
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

const FIND_FAMILY: &str = "select json_object(
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
const ROTATE_TOKEN: &str = "update sessions set
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

const ADD_TOKEN: &str = "update sessions set minted = ?2, minted_at = ?3
    where id = ?1 and ended_at is null returning id";

/// Another token of the present generation, for a request that ran before and lost its token.
/// Never remembered under an Idempotency-Key: each run needs one of its own.
pub async fn add_token(db: &Db, session: Id, token: &str, now: Instant) -> Result<bool, DbError> {
    Ok(!db.rows(ADD_TOKEN, params![session, token, now.millis()]).await?.is_empty())
}

const END_FAMILY: &str = "update sessions set ended_at = ?2
    where ended_at is null and pk = (select session from refresh_tokens where hash = ?1) returning id";

/// Ends the session of a refresh token, where there is one.
pub async fn end_family(db: &Db, token: &str, now: Instant) -> Result<(), DbError> {
    db.write(END_FAMILY, params![token, now.rfc3339()]).await.map(|_| ())
}

const DELETE_SESSION: &str = "update sessions set ended_at = ?3
    where id = ?1 and ended_at is null and account = (select pk from accounts where id = ?2)
    returning id";

/// Ends a session of `user`; false where they have no such session.
pub async fn delete_session(db: &Db, user: Id, session: Id, now: Instant) -> Result<bool, DbError> {
    Ok(db.write(DELETE_SESSION, params![session, user, now.rfc3339()]).await?.is_some())
}

// By `sessions_by_account`. A session without a live token is over, though nobody ended it.
const LIST_SESSIONS: &str = "select json_object('items', json((
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

// ---------------------------------------------------------------------------------------------
// Mail
// ---------------------------------------------------------------------------------------------

const QUEUE_RESET: &str = "insert into mails (account, kind, queued_at, due_at)
    select a.pk, 'password_reset', ?2, ?2 from accounts as a
    where a.email = ?1 and a.state = 'active'
        and not exists (select 1 from mails where account = a.pk and kind = 'password_reset' and attempts = 0)
    returning pk";

/// Queues a mail to reset the password of an address, where it has an account.
pub async fn queue_reset(db: &Db, email: &str, now: Instant) -> Result<(), DbError> {
    db.write(QUEUE_RESET, params![email, now.millis()]).await.map(|_| ())
}

const QUEUE_VERIFICATION: &str = "insert into mails (account, kind, queued_at, due_at)
    select a.pk, 'verify_email', ?2, ?2 from accounts as a
    where a.id = ?1 and a.state = 'active' and a.verified_at is null
        and not exists (select 1 from mails where account = a.pk and kind = 'verify_email' and attempts = 0)
    returning pk";

/// Queues a mail to verify the address of a person, unless it is verified.
pub async fn queue_verification(db: &Db, user: Id, now: Instant) -> Result<(), DbError> {
    db.write(QUEUE_VERIFICATION, params![user, now.millis()]).await.map(|_| ())
}

/// A mail to send now.
#[derive(Debug, Deserialize)]
pub struct MailRow {
    /// Its row.
    pub pk: i64,
    /// `verify_email` or `password_reset`.
    pub kind: String,
    /// Where to.
    pub to: String,
}

// Taking a mail puts it off by its backoff, which is the lease as well: 15 s, doubling to an hour.
// The trigger on `token` makes the token good.
const TAKE_MAIL: &str = "update mails set
        attempts = attempts + 1, due_at = ?1 + min(3600000, 15000 << min(attempts, 10)),
        token = ?2, token_until = ?1 + iif(kind = 'verify_email', ?3, ?4)
    where pk = (select pk from mails where due_at <= ?1 order by due_at limit 1)
    returning json_object('pk', pk, 'kind', kind, 'to', (select email from accounts where pk = account))";

/// Takes the next mail that is due, with the hash of the token it will carry.
pub async fn take_mail(db: &Db, token: &str, now: Instant) -> Result<Option<MailRow>, DbError> {
    let lives = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(0);
    let (verify, reset) = (lives(model::VERIFY_LIVES), lives(model::RESET_LIVES));
    let row = db.rows(TAKE_MAIL, params![now.millis(), token, verify, reset]).await?;
    let json = row.into_iter().flatten().next().and_then(shared::db::Value::into_text);
    json.map(|json| serde_json::from_str(&json))
        .transpose()
        .map_err(|error| DbError::Failed(format!("a mail cannot be read: {error}")))
}

/// A mail that went out.
pub async fn delete_mail(db: &Db, pk: i64) -> Result<(), DbError> {
    db.rows("delete from mails where pk = ?1", params![pk]).await.map(|_| ())
}

// ---------------------------------------------------------------------------------------------
// Keys
// ---------------------------------------------------------------------------------------------

/// The newest key, where it may sign still.
pub async fn find_signing_key<T: serde::de::DeserializeOwned>(
    db: &Db,
    made_after: i64,
) -> Result<Option<T>, DbError> {
    let sql = "select json_object('kid', kid, 'secret', secret) from signing_keys
        where made_at > ?1 and secret is not null order by pk desc limit 1";
    db.read_as(sql, params![made_after]).await
}

/// Adds a key, unless another is young enough.
pub async fn create_signing_key(
    db: &Db,
    kid: &str,
    secret: &str,
    public: &str,
    now: Instant,
    made_after: i64,
) -> Result<(), DbError> {
    let sql = "insert into signing_keys (kid, secret, public, made_at)
        select ?1, ?2, ?3, ?4
        where not exists (select 1 from signing_keys where made_at > ?5 and secret is not null)";
    db.rows(sql, params![kid, secret, public, now.millis(), made_after]).await.map(|_| ())
}

/// Every public key, newest first.
pub async fn list_keys<T: serde::de::DeserializeOwned>(db: &Db) -> Result<Vec<T>, DbError> {
    let sql = "select json_group_array(json_object('kid', kid, 'public', public))
        from (select kid, public from signing_keys order by pk desc)";
    Ok(db.read_as(sql, params![]).await?.unwrap_or_default())
}

/// The keys of an outside issuer as last fetched.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuerKeys {
    /// The set; none before the first fetch.
    pub jwks: Option<shared::jwks::Jwks>,
    /// When it was fetched, in milliseconds.
    pub fetched_at: i64,
    /// When a fetch last failed.
    pub failed_at: i64,
}

/// What we have of an issuer.
pub async fn find_issuer_keys(db: &Db, issuer: &str) -> Result<IssuerKeys, DbError> {
    let sql = "select json_object('jwks', json(jwks), 'fetchedAt', fetched_at, 'failedAt', failed_at)
        from issuer_keys where issuer = ?1";
    Ok(db.read_as(sql, params![issuer]).await?.unwrap_or_default())
}

const ASK_ISSUER: &str = "insert into issuer_keys (issuer, asked_at) values (?1, ?2)
    on conflict (issuer) do update set asked_at = excluded.asked_at where asked_at <= ?3
    returning issuer";

/// Whether it is our turn to ask about an unknown key; of all instances, one in a while.
pub async fn ask_issuer(db: &Db, issuer: &str, now: Instant, last: Instant) -> Result<bool, DbError> {
    Ok(!db.rows(ASK_ISSUER, params![issuer, now.millis(), last.millis()]).await?.is_empty())
}

/// Keeps a set.
pub async fn save_issuer_keys(db: &Db, issuer: &str, jwks: &str, now: Instant) -> Result<(), DbError> {
    let sql = "insert into issuer_keys (issuer, jwks, fetched_at) values (?1, ?2, ?3)
        on conflict (issuer) do update set jwks = excluded.jwks, fetched_at = excluded.fetched_at, failed_at = 0";
    db.rows(sql, params![issuer, jwks, now.millis()]).await.map(|_| ())
}

/// Notes that a fetch failed.
pub async fn note_issuer_failure(db: &Db, issuer: &str, now: Instant) -> Result<(), DbError> {
    let sql = "insert into issuer_keys (issuer, failed_at) values (?1, ?2)
        on conflict (issuer) do update set failed_at = excluded.failed_at";
    db.rows(sql, params![issuer, now.millis()]).await.map(|_| ())
}

// ---------------------------------------------------------------------------------------------
// The whole of a person, and what is over
// ---------------------------------------------------------------------------------------------

const EXPORT: &str = "select json_object(
        'account', json((select json_object(
            'email', email, 'emailVerified', json(iif(verified_at is null, 'false', 'true')),
            'emailVerifiedAt', verified_at, 'passwordSetAt', password_set_at, 'createdAt', created_at)
            from accounts where id = ?1)),
        'sessions', json((select json_group_array(json_object(
            'id', id, 'createdAt', created_at, 'lastUsedAt', last_used_at, 'userAgent', user_agent,
            'endedAt', ended_at))
            from (select s.* from sessions as s join accounts as a on a.pk = s.account
                where a.id = ?1 order by s.created_at desc, s.pk desc))))";

/// What is kept about a person, as JSON, without any secret.
pub async fn export_person(db: &Db, user: Id) -> Result<String, DbError> {
    Ok(db.read(EXPORT, params![user]).await?.unwrap_or_default())
}

/// When things are over.
pub struct Ends {
    /// Now.
    pub now: Instant,
    /// Sessions whose newest token was made before.
    pub session: Instant,
    /// Mails queued before.
    pub mail: Instant,
    /// Keys that another replaced before.
    pub key: Instant,
}

/// Deletes what is over. Sessions take their tokens along.
pub async fn sweep(db: &Db, ends: &Ends) -> Result<(), DbError> {
    let all = [
        ("delete from refresh_tokens where expires_at <= ?1", ends.now),
        ("delete from sessions where minted_at <= ?1", ends.session),
        ("delete from mail_tokens where expires_at <= ?1", ends.now),
        ("delete from mails where queued_at <= ?1", ends.mail),
        (
            "delete from signing_keys
                where exists (select 1 from signing_keys as later where later.pk > signing_keys.pk and later.made_at <= ?1)",
            ends.key,
        ),
    ];
    for (sql, end) in all {
        db.rows(sql, params![end.millis()]).await?;
    }
    Ok(())
}
