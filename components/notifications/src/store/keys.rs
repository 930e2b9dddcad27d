//! Keys and tokens of this service's own.

use shared::db::{Db, DbError};
use shared::params;

const FIND_VAPID_KEY: &str = "select secret from vapid_keys";

/// The key that signs Web Push.
pub async fn find_vapid_key(db: &Db) -> Result<Option<String>, DbError> {
    db.read(FIND_VAPID_KEY, params![]).await
}

const CREATE_VAPID_KEY: &str =
    "insert into vapid_keys (one, secret) values (1, ?1) on conflict (one) do nothing";

/// Keeps it, unless there is one.
pub async fn create_vapid_key(db: &Db, secret: &str) -> Result<(), DbError> {
    db.rows(CREATE_VAPID_KEY, params![secret]).await.map(drop)
}

const FIND_TOKEN: &str = "select token from access_tokens where account = ?1 and ends_at > ?2";

/// The access token of a service account that is good after `after`, in seconds.
pub async fn find_access_token(db: &Db, account: &str, after: i64) -> Result<Option<String>, DbError> {
    db.read(FIND_TOKEN, params![account, after]).await
}

const KEEP_TOKEN: &str = "insert into access_tokens (account, token, ends_at) values (?1, ?2, ?3)
    on conflict (account) do update set token = excluded.token, ends_at = excluded.ends_at";

/// Keeps one until it ends.
pub async fn keep_access_token(db: &Db, account: &str, token: &str, ends_at: i64) -> Result<(), DbError> {
    db.rows(KEEP_TOKEN, params![account, token, ends_at]).await.map(drop)
}

const FORGET_TOKEN: &str = "delete from access_tokens where account = ?1";

/// Forgets one that is not good any more.
pub async fn forget_access_token(db: &Db, account: &str) -> Result<(), DbError> {
    db.rows(FORGET_TOKEN, params![account]).await.map(drop)
}
