//! The keys of an outside issuer: its discovery document names a key set, the key set is kept in
//! the database, and an unknown key makes us look again at most once a minute.
//!
//! Which host is asked comes from the configuration and the issuer's own document, never from a token,
//! and neither may lead inside: see [`is_allowed`].

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::app::App;
use shared::clients::send_bounded;
use shared::error::{ApiError, ApiResult};
use shared::jwks::{Jwk, Jwks};
use shared::trace::log;
use url::{Host, Url};

use crate::store;

/// A set older than this is fetched anew, so that a withdrawn key ends.
const FRESH: i64 = 600_000;
/// An unknown key makes us fetch at most this often, and so does a stale set that cannot be had.
const ASK_AGAIN: i64 = 60_000;
/// Without any set, an issuer that failed is asked again after this.
const RETRY: i64 = 5_000;
/// Documents larger than this are refused.
const LARGEST: usize = 64 << 10;
/// How long one of them may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The keys of the configured issuer. `kid` names the one that is missed.
pub async fn keys(app: &App, kid: &str) -> ApiResult<Jwks> {
    let (issuer, now) = (app.config.issuer(), app.now());
    let known = store::find_issuer_keys(&app.db, issuer).await?;
    let since = |then: i64| now.millis().saturating_sub(then);
    let Some(set) = known.jwks else {
        if since(known.failed_at) < RETRY {
            return Err(ApiError::unavailable(anyhow::anyhow!("the issuer failed a moment ago")));
        }
        return refresh(app, issuer).await.map_err(ApiError::unavailable);
    };
    let fresh = since(known.fetched_at) < FRESH;
    let complete = kid.is_empty() || set.keys.iter().any(|key| key.kid == kid);
    let ask = match (fresh, complete) {
        (true, true) => false,
        (true, false) => {
            store::ask_issuer(&app.db, issuer, now, now.minus(Duration::from_millis(ASK_AGAIN as u64)))
                .await?
        }
        (false, _) => since(known.failed_at) >= ASK_AGAIN,
    };
    // While the issuer is away, the keys it had are as good as we know.
    Ok(if ask { refresh(app, issuer).await.unwrap_or(set) } else { set })
}

async fn refresh(app: &App, issuer: &str) -> Result<Jwks, anyhow::Error> {
    match fetch(app, issuer).await {
        Ok(set) => {
            let json = serde_json::to_string(&set)?;
            store::save_issuer_keys(&app.db, issuer, &json, app.now()).await?;
            Ok(set)
        }
        Err(error) => {
            let fields = serde_json::json!({ "issuer": issuer, "error": format!("{error:#}") });
            log("warn", app.service.name, "no keys from the issuer", fields);
            store::note_issuer_failure(&app.db, issuer, app.now()).await?;
            Err(error)
        }
    }
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// A set as others publish it: one key of a kind unknown to us must not spoil the rest.
#[derive(Deserialize)]
struct Published {
    keys: Vec<serde_json::Value>,
}

async fn fetch(app: &App, issuer: &str) -> Result<Jwks, anyhow::Error> {
    let base = issuer.trim_end_matches('/');
    let found = get_document(app, &format!("{base}/.well-known/openid-configuration")).await?;
    let address = match found.map(|body| parse::<Discovery>(&body)).transpose()? {
        // OpenID Connect Discovery 4.3: the document must be the issuer's own.
        Some(document) if document.issuer.trim_end_matches('/') != base => {
            anyhow::bail!("the discovery document is of another issuer")
        }
        Some(document) => document.jwks_uri,
        None => format!("{base}/.well-known/jwks.json"),
    };
    let body = get_document(app, &address).await?;
    let published: Published = parse(&body.ok_or_else(|| anyhow::anyhow!("{address} is missing"))?)?;
    let keys = published.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    let usable = keys.filter(|key| !key.kid.is_empty() && key.algorithm().is_some());
    let set = Jwks { keys: usable.collect() };
    anyhow::ensure!(!set.keys.is_empty(), "{address} holds no key that can be used");
    Ok(set)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, anyhow::Error> {
    serde_json::from_slice(body).map_err(|error| anyhow::anyhow!("the issuer's document: {error}"))
}

/// The body behind `address`; `None` where there is no such document.
async fn get_document(app: &App, address: &str) -> Result<Option<Bytes>, anyhow::Error> {
    anyhow::ensure!(
        is_allowed(address, app.config.is_on("allow_private_endpoints")),
        "{address} may not be asked: https and a public address, or loopback with allow_private_endpoints"
    );
    let request = Request::get(address).header(header::ACCEPT, "application/json").body(Bytes::new())?;
    let answer = send_bounded(app, request, PATIENCE, LARGEST).await?;
    match answer.status().as_u16() {
        200 => Ok(Some(answer.into_body())),
        404 => Ok(None),
        status => anyhow::bail!("{address} answered {status}"),
    }
}

/// Whether a URL may be asked: `https` to a public address, or anything on loopback where the variable
/// `allow_private_endpoints` admits it. Names are judged by what they are, since a component
/// cannot resolve them.
pub fn is_allowed(address: &str, allow_loopback: bool) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    if !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    let (loopback, public) = match url.host() {
        Some(Host::Ipv4(ip)) => (ip.is_loopback(), is_public_v4(ip)),
        Some(Host::Ipv6(ip)) => (ip.is_loopback(), is_public_v6(ip)),
        Some(Host::Domain(name)) => (is_local_name(name), is_public_name(name)),
        None => (false, false),
    };
    match url.scheme() {
        "https" => public || (loopback && allow_loopback),
        "http" => loopback && allow_loopback,
        _ => false,
    }
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// Names of private networks, and the ones Spin gives to components, are not public.
fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let private = ["internal", "local", "localhost", "lan", "home.arpa", "corp", "intranet"];
    name.contains('.') && !private.iter().any(|end| name == *end || name.ends_with(&format!(".{end}")))
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let reserved = a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    !(reserved
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    // Only 2000::/3 is handed out. What embeds an IPv4 address (mapped, NAT64, 6to4) is outside of it
    // or refused with Teredo and the documentation range.
    let [a, b, ..] = ip.segments();
    (a & 0xe000) == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b == 0 || b == 0xdb8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_asked_over_https_at_a_public_address() {
        for good in [
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc/.well-known/jwks.json",
            "https://login.example.com:8443/keys",
            "https://8.8.8.8/keys",
            "https://[2606:4700::1111]/keys",
        ] {
            assert!(is_allowed(good, false), "{good}");
        }
    }

    #[test]
    fn an_issuer_may_not_lead_inside() {
        for bad in [
            "http://login.example.com/keys",
            "ftp://login.example.com/keys",
            "https://user@login.example.com/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://10.0.0.1/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
            "https://localhost/",
            "https://metadata.google.internal/",
            "http://users.spin.internal/",
            "https://users.spin.internal./",
            "https://printer/",
            "file:///etc/passwd",
            "nonsense",
        ] {
            assert!(!is_allowed(bad, false), "{bad}");
        }
    }

    #[test]
    fn the_variable_admits_loopback_alone() {
        for good in [
            "http://127.0.0.1:9999/keys",
            "http://localhost:9999/",
            "http://[::1]:9999/",
            "https://127.0.0.1/",
        ] {
            assert!(is_allowed(good, true), "{good}");
        }
        for bad in [
            "http://10.0.0.1/",
            "https://192.168.1.1/",
            "http://login.example.com/",
            "http://users.spin.internal/",
        ] {
            assert!(!is_allowed(bad, true), "{bad}");
        }
    }
}
