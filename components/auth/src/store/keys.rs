//! Keys: those that sign, and those of an outside issuer.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::params;

/// The newest key, where it may sign still.
pub async fn find_signing_key<T: DeserializeOwned>(db: &Db, made_after: i64) -> Result<Option<T>, DbError> {
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
pub async fn list_keys<T: DeserializeOwned>(db: &Db) -> Result<Vec<T>, DbError> {
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
