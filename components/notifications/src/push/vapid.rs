//! Who we are to push services (RFC 8292): one key, which subscriptions are made for and every Web Push is signed with.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::prelude::{Claims, Duration, ECDSAP256KeyPairLike, ECDSAP256PublicKeyLike, ES256KeyPair};
use shared::app::App;
use url::Url;

use crate::store;

/// How long a signature holds; push services take at most a day.
const SIGNATURE_HOURS: u64 = 12;

/// The key.
pub struct Vapid {
    pair: ES256KeyPair,
    /// `applicationServerKey`: its public point, base64url.
    pub public: String,
}

/// The key of the variable `vapid_private_key`; where that is empty, one of our own, made when it is first asked for.
pub async fn key(app: &App) -> Result<Vapid> {
    let given = app.config.get("vapid_private_key");
    if !given.is_empty() {
        return parse(given).context("the variable vapid_private_key");
    }
    let kept = match store::find_vapid_key(&app.db).await? {
        Some(kept) => kept,
        None => {
            let made = URL_SAFE_NO_PAD.encode(ES256KeyPair::generate().to_bytes());
            store::create_vapid_key(&app.db, &made).await?;
            // Another instance may have made one first.
            store::find_vapid_key(&app.db).await?.unwrap_or(made)
        }
    };
    parse(&kept).context("the key that is kept")
}

fn parse(secret: &str) -> Result<Vapid> {
    let secret = URL_SAFE_NO_PAD.decode(secret.trim_end_matches('='))?;
    anyhow::ensure!(secret.len() == 32, "is not 32 bytes in base64url");
    let pair = ES256KeyPair::from_bytes(&secret)?;
    let public = URL_SAFE_NO_PAD.encode(pair.public_key().public_key().to_bytes_uncompressed());
    Ok(Vapid { pair, public })
}

impl Vapid {
    /// `Authorization` for a request to `endpoint`. The time in it is that of the world.
    pub fn authorization(&self, app: &App, endpoint: &Url) -> Result<String> {
        let mut claims = Claims::create(Duration::from_hours(SIGNATURE_HOURS))
            .with_audience(endpoint.origin().ascii_serialization())
            .with_subject(contact(app));
        // A push service whose clock is a little behind would refuse it.
        claims.invalid_before = None;
        Ok(format!("vapid t={}, k={}", self.pair.sign(claims)?, self.public))
    }
}

/// Whom a push service may turn to: the first administrator, else where the application is. Push services take nothing but
/// `mailto:` and `https:`, so on a laptop it is who has the mailbox of its name (RFC 2142).
fn contact(app: &App) -> String {
    let url = app.config.public_url();
    match app.config.list("admin_emails").next() {
        Some(email) => format!("mailto:{email}"),
        None if url.starts_with("https:") => url.to_owned(),
        None => {
            let host = Url::parse(url).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
            format!("mailto:webmaster@{}", host.as_deref().unwrap_or("localhost"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_in_base64url() {
        let pair = ES256KeyPair::generate();
        let key = parse(&URL_SAFE_NO_PAD.encode(pair.to_bytes())).unwrap();
        assert_eq!(key.public.len(), 87);
        for bad in ["", "%%", "AAAA", &"A".repeat(43)] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
