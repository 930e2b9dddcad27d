//! Mail to send.

use serde::Deserialize;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use crate::model;

// Writes a row in any case, so that an address without an account costs the same.
pub(super) const QUEUE_RESET: &str = "insert into mails (account, kind, queued_at, due_at)
    values ((select pk from accounts where email = ?1 and state = 'active'), 'password_reset', ?2, ?2)
    returning pk";

/// Queues a mail to reset the password of an address; to nobody where it has no account.
pub async fn queue_reset(db: &Db, email: &str, now: Instant) -> Result<(), DbError> {
    db.write(QUEUE_RESET, params![email, now.millis()]).await.map(|_| ())
}

pub(super) const QUEUE_VERIFICATION: &str = "insert into mails (account, kind, queued_at, due_at)
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
    /// Where to; none for a mail to nobody.
    pub to: Option<String>,
}

// Taking a mail puts it off by its backoff, which is the lease as well: 15 s, doubling to an hour.
// The trigger on `token` makes the token good.
pub(super) const TAKE_MAIL: &str = "update mails set
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
