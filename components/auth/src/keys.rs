//! The Ed25519 keys access tokens are signed with. They live in the database: the first start makes
//! one, a new one follows every 90 days, and the public part of an older one stays published until
//! every token it signed has ended.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use jwt_simple::prelude::Ed25519KeyPair;
use serde::Deserialize;
use shared::app::App;
use shared::error::{ApiError, ApiResult};
use shared::jwks::{Jwk, Jwks};

use crate::{issuer, model, store, tokens};

/// The keys that verify tokens: ours, or an outside issuer's. What other services ask of us, and
/// what this one uses itself.
pub fn published<'a>(app: &'a App, kid: &'a str) -> BoxFuture<'a, ApiResult<Jwks>> {
    Box::pin(async move {
        if app.config.has_outside_issuer() {
            return issuer::keys(app, kid).await;
        }
        own_keys(app).await
    })
}

#[derive(Deserialize)]
struct PublicKey {
    kid: String,
    public: String,
}

/// Our public keys, newest first.
pub async fn own_keys(app: &App) -> ApiResult<Jwks> {
    // A key that is made for the first token would be missing in a set fetched before it.
    signing_key(app).await?;
    let keys: Vec<PublicKey> = store::list_keys(&app.db).await?;
    let jwk = |key: PublicKey| Jwk {
        kty: "OKP".to_owned(),
        crv: Some("Ed25519".to_owned()),
        alg: Some("EdDSA".to_owned()),
        use_for: Some("sig".to_owned()),
        kid: key.kid,
        x: Some(key.public),
        ..Jwk::default()
    };
    Ok(Jwks { keys: keys.into_iter().map(jwk).collect() })
}

#[derive(Deserialize)]
struct SigningKey {
    kid: String,
    secret: String,
}

/// The key that signs now; made where there is none, or none young enough. Two instances that
/// start at once make one, since the statement that makes it looks for another first.
pub async fn signing_key(app: &App) -> ApiResult<Ed25519KeyPair> {
    let oldest = app.now().minus(model::KEY_SIGNS).millis();
    let mut found: Option<SigningKey> = store::find_signing_key(&app.db, oldest).await?;
    if found.is_none() {
        let pair = Ed25519KeyPair::generate();
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().to_bytes());
        let secret = URL_SAFE_NO_PAD.encode(pair.to_bytes());
        store::create_signing_key(&app.db, &thumbprint(&public), &secret, &public, app.now(), oldest).await?;
        found = store::find_signing_key(&app.db, oldest).await?;
    }
    let damaged = || ApiError::internal(anyhow::anyhow!("the signing key cannot be read"));
    let found = found.ok_or_else(damaged)?;
    let secret = URL_SAFE_NO_PAD.decode(&found.secret).map_err(|_| damaged())?;
    Ok(Ed25519KeyPair::from_bytes(&secret).map_err(|_| damaged())?.with_key_id(&found.kid))
}

/// The name of a key: its thumbprint (RFC 7638), so that one name is one key for ever.
fn thumbprint(x: &str) -> String {
    let canonical = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}");
    URL_SAFE_NO_PAD.encode(hmac_sha256::Hash::hash(canonical.as_bytes()))
}

/// How long the public part of a retired key stays published: its last token's life, and a day.
pub fn retired_lives(app: &App) -> Duration {
    Duration::from_secs(tokens::access_lives(app) + 24 * 3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(thumbprint(x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
