//! What lies outside the application: a mail hook, an OIDC issuer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jwt_simple::prelude::*;
use serde_json::{Value, json};
use tiny_http::{Header, Response, Server};

use crate::stack::eventually;

/// Receives mails as `mail_url` promises them.
pub struct MailHook {
    /// The `mail_url`.
    pub url: String,
    mails: Arc<Mutex<Vec<Value>>>,
}

impl MailHook {
    /// Listens on a port of its own.
    ///
    /// # Panics
    /// Where there is no port.
    pub fn start() -> Self {
        let mails = Arc::<Mutex<Vec<Value>>>::default();
        let kept = mails.clone();
        let url = serve(move |_, body| {
            if let Ok(mail) = serde_json::from_str(body) {
                kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(mail);
            }
            Some(json!({}))
        });
        Self { url: format!("{url}/mail"), mails }
    }

    /// Waits for the newest mail of `kind` to `to`.
    ///
    /// # Panics
    /// Where none comes.
    #[track_caller]
    pub fn wait_for(&self, kind: &str, to: &str) -> Value {
        let mut found = None;
        eventually(&format!("a mail {kind} to {to}"), || {
            let mails = self.mails.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            found = mails.iter().rev().find(|mail| mail["kind"] == kind && mail["to"] == to).cloned();
            found.is_some()
        });
        found.unwrap_or_default()
    }

    /// How many mails came to `to`.
    pub fn count(&self, to: &str) -> usize {
        let mails = self.mails.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        mails.iter().filter(|mail| mail["to"] == to).count()
    }
}

/// An OIDC issuer with one key of each algorithm.
pub struct Issuer {
    /// `iss`, with a path as Cognito's has.
    pub url: String,
    rsa: RS256KeyPair,
    ec: ES256KeyPair,
    ed: Ed25519KeyPair,
}

impl Issuer {
    /// Listens on a port of its own.
    ///
    /// # Panics
    /// Where there is no port.
    pub fn start() -> Self {
        use base64::Engine;
        let rsa = RS256KeyPair::generate(2048).unwrap_or_else(|error| panic!("{error}")).with_key_id("rsa");
        let (ec, ed) =
            (ES256KeyPair::generate().with_key_id("ec"), Ed25519KeyPair::generate().with_key_id("ed"));
        let text = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        let components = rsa.public_key().to_components();
        let point = ec.public_key().public_key().to_bytes_uncompressed();
        let keys = json!({ "keys": [
            { "kty": "RSA", "kid": "rsa", "alg": "RS256", "use": "sig", "n": text(&components.n), "e": text(&components.e) },
            { "kty": "EC", "kid": "ec", "alg": "ES256", "use": "sig", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) },
            { "kty": "OKP", "kid": "ed", "alg": "EdDSA", "use": "sig", "crv": "Ed25519", "x": text(&ed.public_key().to_bytes()) },
        ]});
        let own = Arc::new(Mutex::new(String::new()));
        let seen = own.clone();
        let base = serve(move |path, _| {
            let url = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            match path {
                "/pool/.well-known/openid-configuration" => {
                    Some(json!({ "issuer": url, "jwks_uri": format!("{url}/keys") }))
                }
                "/pool/keys" => Some(keys.clone()),
                _ => None,
            }
        });
        let url = format!("{base}/pool");
        own.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone_from(&url);
        Self { url, rsa, ec, ed }
    }

    /// Claims for an hour.
    pub fn claims(&self, subject: &str, audience: &str, extra: Value) -> JWTClaims<Value> {
        Claims::with_custom_claims(extra, jwt_simple::prelude::Duration::from_hours(1))
            .with_issuer(&self.url)
            .with_subject(subject)
            .with_audience(audience)
    }

    /// Signs with the key of `algorithm`: `RS256`, `ES256` or `EdDSA`.
    ///
    /// # Panics
    /// Where the key does not sign.
    pub fn sign(&self, algorithm: &str, claims: JWTClaims<Value>) -> String {
        let signed = match algorithm {
            "RS256" => self.rsa.sign(claims),
            "ES256" => self.ec.sign(claims),
            _ => self.ed.sign(claims),
        };
        signed.unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Serves JSON on a port of its own until the process ends; `None` is 404.
fn serve(answer: impl Fn(&str, &str) -> Option<Value> + Send + 'static) -> String {
    let server = Server::http("127.0.0.1:0").unwrap_or_else(|error| panic!("{error}"));
    let url = format!("http://{}", server.server_addr());
    std::thread::spawn(move || {
        while let Ok(request) = server.recv_timeout(Duration::from_secs(3600)) {
            let Some(mut request) = request else { break };
            let mut body = String::new();
            let _ = request.as_reader().read_to_string(&mut body);
            let path = request.url().split('?').next().unwrap_or_default().to_owned();
            let json = Header::from_bytes("content-type", "application/json").ok();
            let response = match answer(&path, &body) {
                Some(value) => Response::from_string(value.to_string()),
                None => Response::from_string("{}").with_status_code(404),
            };
            let _ = request.respond(json.into_iter().fold(response, Response::with_header));
        }
    });
    url
}
