//! The tokens the service gives out: access tokens it signs, and random ones of which it keeps the
//! hash.

use jwt_simple::prelude::*;
use serde::Deserialize;
use shared::app::App;
use shared::error::{ApiError, ApiResult};
use shared::ids::{Id, random_token};
use shared::jwks::ExtraClaims;

use crate::keys;

/// A random token and the hash it is known by.
pub struct Secret {
    /// What the person carries.
    pub token: String,
    /// What is stored.
    pub hash: String,
}

impl Secret {
    /// A new one of 256 bits.
    pub fn new() -> Self {
        let token = random_token(32);
        Self { hash: hash_token(&token), token }
    }
}

/// How a token that a person shows is looked up.
pub fn hash_token(token: &str) -> String {
    hmac_sha256::Hash::hash(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whose access token is made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// Their id.
    pub user_id: Id,
    /// Their address.
    pub email: String,
    /// Whether they have shown that it is theirs.
    pub email_verified: bool,
}

/// How long an access token lives, in seconds.
pub fn access_lives(app: &App) -> u64 {
    let minutes = app.config.number("access_token_minutes", 15);
    u64::try_from(minutes.clamp(1, 24 * 60)).unwrap_or(15) * 60
}

/// Signs an access token, of a session or of none.
pub async fn sign_access(app: &App, holder: &Holder, session: Option<Id>) -> ApiResult<String> {
    let key = keys::signing_key(app).await?;
    let now = u64::try_from(app.now().seconds()).unwrap_or(0);
    let extra = ExtraClaims {
        email: Some(holder.email.clone()),
        email_verified: Some(holder.email_verified.into()),
        sid: session.map(|session| session.to_string()),
        ..ExtraClaims::default()
    };
    let lives = Duration::from_secs(access_lives(app));
    let mut claims = Claims::with_custom_claims(extra, lives)
        .with_issuer(app.config.issuer())
        .with_audience(app.config.list("auth_audience").next().unwrap_or("scooterbooter"))
        .with_subject(holder.user_id)
        .with_jwt_id(Id::new(app.now()));
    // jwt-simple reads the machine's clock; ours may be moved.
    let now = Duration::from_secs(now);
    claims.issued_at = Some(now);
    claims.expires_at = Some(now + lives);
    claims.invalid_before = None;
    key.sign(claims).map_err(|error| ApiError::internal(anyhow::anyhow!("signing a token: {error}")))
}
