//! Where pushes go.

use serde::Deserialize;
use shared::clock::Instant;
use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use crate::model::{Address, Provider};

/// One upsert by the unique key: who names a place has it, and starts anew with it.
const REGISTER_ENDPOINT: &str =
    "insert into push_endpoints (id, person, provider, address, p256dh, auth, registered_at)
    select ?2, me.pk, ?3, ?4, ?5, ?6, ?7 from people as me where me.id = ?1 and me.status = 'active'
    on conflict (provider, address) do update set
        person = excluded.person, p256dh = excluded.p256dh, auth = excluded.auth,
        registered_at = excluded.registered_at, failures = 0, failing_since = null, paused_until = 0
    returning id";

/// Notes that pushes of `person` go to `address`; its id, which is `id` unless it was known. `None` where the person is
/// nobody here.
pub async fn register_endpoint(
    db: &Db,
    id: Id,
    person: Id,
    address: &Address,
    now: Instant,
) -> Result<Option<String>, DbError> {
    let (p256dh, auth) = address.keys.clone().unzip();
    let params =
        params![person, id, address.provider.as_str(), address.address.as_str(), p256dh, auth, now.rfc3339()];
    db.write(REGISTER_ENDPOINT, params).await
}

/// By what a place is named.
pub enum Named {
    /// The id it was given.
    Id(Id),
    /// The token of an app.
    Token(String),
    /// The endpoint of a subscription.
    Endpoint(String),
}

const UNREGISTER: &str = "delete from push_endpoints
    where id = ?2 and person = (select pk from people where id = ?1)";

const UNREGISTER_TOKEN: &str = "delete from push_endpoints
    where provider in ('expo', 'fcm') and address = ?2 and person = (select pk from people where id = ?1)";

const UNREGISTER_ENDPOINT: &str = "delete from push_endpoints
    where provider = 'webpush' and address = ?2 and person = (select pk from people where id = ?1)";

/// Ends pushes of `person` to one place of theirs.
pub async fn unregister_endpoint(db: &Db, person: Id, named: &Named) -> Result<(), DbError> {
    match named {
        Named::Id(id) => db.write(UNREGISTER, params![person, id]).await,
        Named::Token(token) => db.write(UNREGISTER_TOKEN, params![person, token]).await,
        Named::Endpoint(endpoint) => db.write(UNREGISTER_ENDPOINT, params![person, endpoint]).await,
    }
    .map(drop)
}

/// A place a push goes to.
#[derive(Debug, Deserialize)]
pub struct Endpoint {
    /// Its row.
    pub pk: i64,
    /// Who delivers there.
    pub provider: Provider,
    /// The URL of a subscription, or a token.
    pub address: String,
    /// Of a subscription.
    pub p256dh: Option<String>,
    /// Of a subscription.
    pub auth: Option<String>,
    /// When it was named last.
    pub registered_at: String,
    /// How many times in a row it failed.
    pub failures: u32,
}

/// Unless it was registered once more meanwhile.
const FORGET: &str = "delete from push_endpoints where pk = ?1 and registered_at = ?2";

/// Forgets a place that is no more, with all that was on its way there.
pub async fn forget_endpoint(db: &Db, endpoint: &Endpoint) -> Result<(), DbError> {
    db.rows(FORGET, params![endpoint.pk, endpoint.registered_at.as_str()]).await.map(drop)
}

const SUCCESS: &str =
    "update push_endpoints set failures = 0, failing_since = null, paused_until = 0 where pk = ?1";

/// Notes that a place which failed works again.
pub async fn note_success(db: &Db, endpoint: i64) -> Result<(), DbError> {
    db.rows(SUCCESS, params![endpoint]).await.map(drop)
}
