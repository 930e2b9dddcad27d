//! Who calls. Tokens are verified against the issuer's keys and remembered, first in the instance,
//! then in key-value, as an API gateway remembers its authorizer's answers; where a person stands
//! (suspended, deleted) is asked of the service's own projection at every request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::app::{App, Ctx};
use crate::clients::{Auth, Identity, Users};
use crate::clock::Instant;
use crate::error::{ApiError, ApiResult};
use crate::ids::Id;
use crate::jwks::{Expected, Jwk, Jwks, key_id};
use crate::people::{self, Standing, require_standing};
use crate::platform::{self, Platform};
use crate::trace::Trace;

/// Tokens remembered in one instance; about 700 bytes each.
const REMEMBERED: usize = 4_000;
/// Keys are asked for again after this, so that a withdrawn one ends.
const KEYS_LIVE: Duration = Duration::from_secs(300);
/// An unknown `kid` makes us ask at most this often.
const ASK_AGAIN: Duration = Duration::from_secs(60);
/// Before the name of a remembered token in key-value.
const KV_PREFIX: &str = "token:";

/// What a good token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verified {
    /// Whose it is.
    pub user: Id,
    /// Their address, where the issuer tells one.
    pub email: Option<String>,
    /// Whether the issuer verified it.
    pub email_verified: bool,
    /// Whether a group of the token makes them an administrator.
    pub in_admin_group: bool,
    /// The session of ours it belongs to; none where an outside issuer made it.
    #[serde(default)]
    pub session: Option<Id>,
    /// When the token ends, in seconds since the epoch.
    pub expires: i64,
}

/// The authorizer of an instance: a cache, since statics of an instance may hold nothing else.
#[derive(Default)]
pub struct Authorizer {
    // By the token itself: hashing one for a name costs more than to find it.
    tokens: Mutex<HashMap<Box<str>, Verified>>,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    by_kid: HashMap<String, Jwk>,
    fetched: Option<Instant>,
    asked: Option<Instant>,
}

impl Authorizer {
    /// What `token` says, or 401.
    pub async fn verify(&self, app: &App, trace: &Trace, token: &str) -> ApiResult<Verified> {
        if token.len() > crate::jwks::MAX_TOKEN {
            return Err(ApiError::invalid_token());
        }
        let now = app.now();
        let alive = |verified: &Verified| verified.expires > now.seconds();
        if let Some(verified) = lock(&self.tokens).get(token).filter(|verified| alive(verified)).cloned() {
            return Ok(verified);
        }
        let key = kv_key(token);
        // A store that fails costs the time of a verification, nothing else.
        let stored = app.platform.kv_get(&key).await.ok().flatten();
        if let Some(verified) =
            stored.and_then(|json| serde_json::from_slice::<Verified>(&json).ok()).filter(alive)
        {
            self.remember(token, &verified, now);
            return Ok(verified);
        }
        let verified = self.check(app, trace, token).await?;
        self.remember(token, &verified, now);
        if let Ok(json) = serde_json::to_vec(&verified) {
            let platform = app.platform.clone();
            platform::spawn(async move {
                let _ = platform.kv_set(&key, &json).await;
            });
        }
        Ok(verified)
    }

    fn remember(&self, token: &str, verified: &Verified, now: Instant) {
        let mut tokens = lock(&self.tokens);
        if tokens.len() >= REMEMBERED {
            tokens.retain(|_, verified| verified.expires > now.seconds());
        }
        if tokens.len() >= REMEMBERED {
            tokens.clear();
        }
        tokens.insert(token.into(), verified.clone());
    }

    async fn check(&self, app: &App, trace: &Trace, token: &str) -> ApiResult<Verified> {
        let kid = key_id(token).ok_or_else(ApiError::invalid_token)?;
        let key = self.key(app, trace, &kid).await?.ok_or_else(ApiError::invalid_token)?;
        let expected = Expected { issuer: app.config.issuer(), audiences: audiences(app), now: app.now() };
        let claims = key.verify(token, &expected).ok_or_else(ApiError::invalid_token)?;
        let subject = claims.subject.filter(|subject| !subject.is_empty());
        let subject = subject.ok_or_else(ApiError::invalid_token)?;
        let expires = claims.expires_at.map_or(0, |at| i64::try_from(at.as_secs()).unwrap_or(0));
        let email_verified = claims.custom.is_email_verified();
        let in_admin_group = app.config.has_outside_issuer() && claims.custom.is_in_admin_group();
        let session = claims.custom.sid.as_deref().filter(|_| !app.config.has_outside_issuer());
        let session = session.and_then(Id::parse);
        let email = claims.custom.email;
        let user = if app.config.has_outside_issuer() {
            let issuer = expected.issuer.to_owned();
            identify(app, trace, &Identity { issuer, subject, email: email.clone(), email_verified }).await?
        } else {
            Id::parse(&subject).ok_or_else(ApiError::invalid_token)?
        };
        Ok(Verified { user, email, email_verified, in_admin_group, session, expires })
    }

    /// The key called `kid`; asks `auth` where it is unknown, at most once a minute.
    async fn key(&self, app: &App, trace: &Trace, kid: &str) -> ApiResult<Option<Jwk>> {
        let now = app.now();
        {
            let mut keys = lock(&self.keys);
            let fresh = keys.fetched.is_some_and(|at| now < at.plus(KEYS_LIVE));
            let known = keys.by_kid.get(kid).cloned();
            if fresh && known.is_some() {
                return Ok(known);
            }
            if fresh && keys.asked.is_some_and(|at| now < at.plus(ASK_AGAIN)) {
                return Ok(None);
            }
            // Only an unknown key counts as asking; a set grown old is simply fetched anew.
            if fresh {
                keys.asked = Some(now);
            }
        }
        let set = match app.service.keys {
            Some(own) => own(app, kid).await?,
            None => Auth::new(app, trace).keys(kid).await?,
        };
        let mut keys = lock(&self.keys);
        keys.fetched = Some(now);
        keys.by_kid = by_kid(set);
        Ok(keys.by_kid.get(kid).cloned())
    }
}

fn by_kid(set: Jwks) -> HashMap<String, Jwk> {
    let usable = set.keys.into_iter().filter(|key| !key.kid.is_empty() && key.algorithm().is_some());
    usable.map(|key| (key.kid.clone(), key)).collect()
}

fn audiences(app: &App) -> Vec<&str> {
    let mut audiences: Vec<&str> = app.config.list("auth_audience").collect();
    if audiences.is_empty() {
        audiences.push("scooterbooter");
    }
    audiences
}

async fn identify(app: &App, trace: &Trace, identity: &Identity) -> ApiResult<Id> {
    match app.service.identify {
        Some(own) => own(app, identity).await,
        None => Ok(Users::new(app, trace).identify(identity).await?),
    }
}

/// In key-value a token is named by its hash, so that nobody who reads the store has one.
fn kv_key(token: &str) -> String {
    format!("{KV_PREFIX}{}", URL_SAFE_NO_PAD.encode(hmac_sha256::Hash::hash(token.as_bytes())))
}

/// Deletes remembered tokens that have ended; one service's tick calls it.
pub async fn forget_expired(platform: &Platform, now: Instant) -> Result<usize, String> {
    let mut forgotten = 0;
    for key in platform.kv_keys().await?.iter().filter(|key| key.starts_with(KV_PREFIX)) {
        let stored = platform.kv_get(key).await?;
        let verified = stored.and_then(|json| serde_json::from_slice::<Verified>(&json).ok());
        if verified.is_none_or(|verified| verified.expires <= now.seconds()) {
            platform.kv_delete(key).await?;
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `Authorization` says, each time it is there. It goes by itself rather than among the headers, which check every byte of it.
#[derive(Clone, Default)]
pub struct Credentials(pub(crate) Vec<Vec<u8>>);

impl Credentials {
    /// From where it is among the headers still.
    pub(crate) fn of(headers: &http::HeaderMap) -> Self {
        Self(headers.get_all(header::AUTHORIZATION).iter().map(|value| value.as_bytes().to_vec()).collect())
    }
}

/// The token of a request; `None` where it carries no `Authorization` at all.
pub(crate) fn bearer_token(extensions: &http::Extensions) -> ApiResult<Option<&str>> {
    let values = extensions.get::<Credentials>().map(|credentials| credentials.0.as_slice());
    let value = match values {
        None | Some([]) => return Ok(None),
        Some([one]) => one,
        Some(_) => return Err(ApiError::invalid_token()),
    };
    let token = std::str::from_utf8(value).ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
    });
    token.map(Some).ok_or_else(ApiError::invalid_token)
}

/// A token that is good. Where its owner stands is NOT checked: for hot reads whose own statement
/// joins the caller's `people` row; they call [`Bearer::settle`] where it finds nothing.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// Whose token it is.
    pub id: Id,
    /// What else it says.
    pub token: Verified,
    trace: Trace,
}

impl Bearer {
    /// 401 or 403 by where the caller stands; else they are in the projection now, and the
    /// statement that found nothing is worth running once more.
    pub async fn settle(&self, app: &App) -> ApiResult<()> {
        require_standing(app, &self.trace, self.id).await
    }

    /// The caller. A token made before an administrator verified their address says so for as long
    /// as it lives; `users` knows better, and is asked for these few people alone.
    async fn into_caller(self, app: &App) -> Caller {
        let Self { id, mut token, trace } = self;
        let named = token.email.as_deref().is_some_and(|email| app.config.is_admin_email(email));
        // The owner of people never asks itself; it looks (its `handlers::Admin`).
        let is_asked = !app.config.has_outside_issuer() && app.service.name != "users";
        if named && !token.email_verified && is_asked {
            // Where it cannot be asked, the token stands.
            let me = Users::new(app, &trace).me(id).await.ok();
            token.email_verified = me.is_some_and(|me| me["emailVerified"] == true);
        }
        Caller { id, token }
    }
}

/// A person who is signed in and in good standing.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Their id.
    pub id: Id,
    /// What their token says.
    pub token: Verified,
}

impl Caller {
    /// Whether they have the role `admin`.
    pub fn is_admin(&self, app: &App) -> bool {
        let by_email = self.token.email_verified
            && self.token.email.as_deref().is_some_and(|email| app.config.is_admin_email(email));
        by_email || self.token.in_admin_group
    }
}

/// A [`Caller`] who is an administrator; anybody else gets 403 before the request is looked at.
#[derive(Clone, Debug)]
pub struct Admin(pub Caller);

/// A person who is signed in, be they suspended: for the little that the suspended may do.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Their id.
    pub id: Id,
}

/// A [`Caller`], or nobody: for open routes. A bad token is 401 there too.
#[derive(Clone, Debug)]
pub struct MaybeCaller(pub Option<Caller>);

impl MaybeCaller {
    /// Their id, or null.
    pub fn id(&self) -> Option<Id> {
        self.0.as_ref().map(|caller| caller.id)
    }
}

/// No token, or a good one: for open routes that are the same for everybody. Where its owner stands does
/// not matter there; who was deleted may read the receipt with the token they still have.
pub struct NoBadToken;

async fn trace_of(parts: &mut Parts, app: &Ctx) -> Trace {
    match Trace::from_request_parts(parts, app).await {
        Ok(trace) => trace,
    }
}

async fn maybe_bearer(parts: &mut Parts, app: &Ctx) -> ApiResult<Option<Bearer>> {
    let trace = trace_of(parts, app).await;
    let Some(token) = bearer_token(&parts.extensions)? else {
        return Ok(None);
    };
    // The edge has done it for a request that changes something.
    let token = match parts.extensions.get::<Verified>() {
        Some(verified) => verified.clone(),
        None => app.auth.verify(app, &trace, token).await?,
    };
    Ok(Some(Bearer { id: token.user, token, trace }))
}

impl FromRequestParts<Ctx> for Bearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Ctx) -> ApiResult<Self> {
        maybe_bearer(parts, app).await?.ok_or_else(ApiError::invalid_token)
    }
}

impl FromRequestParts<Ctx> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Ctx) -> ApiResult<Self> {
        let bearer = Bearer::from_request_parts(parts, app).await?;
        bearer.settle(app).await?;
        Ok(bearer.into_caller(app).await)
    }
}

impl FromRequestParts<Ctx> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Ctx) -> ApiResult<Self> {
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.is_admin(app) { Ok(Self(caller)) } else { Err(ApiError::admin_required()) }
    }
}

impl FromRequestParts<Ctx> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Ctx) -> ApiResult<Self> {
        let bearer = Bearer::from_request_parts(parts, app).await?;
        match people::settled_standing(app, &bearer.trace, bearer.id).await? {
            Standing::Active | Standing::Suspended => Ok(Self { id: bearer.id }),
            Standing::Gone | Standing::Unknown => Err(ApiError::invalid_token()),
        }
    }
}

impl FromRequestParts<Ctx> for MaybeCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Ctx) -> ApiResult<Self> {
        let Some(bearer) = maybe_bearer(parts, app).await? else {
            return Ok(Self(None));
        };
        bearer.settle(app).await?;
        Ok(Self(Some(bearer.into_caller(app).await)))
    }
}

impl FromRequestParts<Ctx> for NoBadToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Ctx) -> ApiResult<Self> {
        maybe_bearer(parts, app).await.map(|_| Self)
    }
}

/// Another service of ours, by the service token. Anybody else gets the 404 of an unknown route.
pub struct Internal;

impl FromRequestParts<Ctx> for Internal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Ctx) -> ApiResult<Self> {
        let given = bearer_token(&parts.extensions).ok().flatten().unwrap_or("");
        if is_secret(given, app.config.get("internal_token")) { Ok(Self) } else { Err(ApiError::not_found()) }
    }
}

/// The clock, a transcoder: by the worker token, never a user's.
pub struct Worker;

impl FromRequestParts<Ctx> for Worker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Ctx) -> ApiResult<Self> {
        let given = bearer_token(&parts.extensions).ok().flatten().unwrap_or("");
        if is_secret(given, app.config.get("worker_token")) {
            Ok(Self)
        } else {
            Err(ApiError::invalid_token())
        }
    }
}

/// Compares in constant time; an empty secret matches nothing.
pub fn is_secret(given: &str, secret: &str) -> bool {
    // Hashes have one length, so that not even the length of the secret shows in the time.
    let given = hmac_sha256::Hash::hash(given.as_bytes());
    let expected = hmac_sha256::Hash::hash(secret.as_bytes());
    !secret.is_empty() && bool::from(given.ct_eq(&expected))
}
