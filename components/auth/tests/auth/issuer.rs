//! An outside issuer: what does not exist any more, and how its keys are fetched and kept.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{Method, StatusCode};
use jwt_simple::prelude::*;
use serde_json::{Value, json};
use shared::answer;
use shared::testing::INTERNAL_TOKEN;

use crate::support::{House, PASSWORD, code, house};

pub const ISSUER: &str = "http://127.0.0.1:9999/pool";

/// An issuer at `127.0.0.1:9999`.
#[derive(Clone, Default)]
pub struct Issuer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    discovery: Value,
    keys: Vec<Value>,
    padding: String,
    down: bool,
    asked: Vec<&'static str>,
}

impl Issuer {
    pub fn start(house: &House) -> Self {
        let issuer = Self::default();
        issuer.state(|state| {
            state.discovery = json!({ "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys") });
        });
        let (one, two, three) = (issuer.clone(), issuer.clone(), issuer.clone());
        let router = Router::new()
            .route("/pool/.well-known/openid-configuration", get(async move || one.answer("discovery")))
            .route("/pool/keys", get(async move || two.answer("keys")))
            .route("/pool/.well-known/jwks.json", get(async move || three.answer("jwks.json")));
        house.route("127.0.0.1:9999", router);
        issuer
    }

    fn state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    fn answer(&self, document: &'static str) -> Response {
        self.state(|state| {
            state.asked.push(document);
            if state.down {
                return StatusCode::BAD_GATEWAY.into_response();
            }
            let body = match document {
                "discovery" if state.discovery.is_null() => return StatusCode::NOT_FOUND.into_response(),
                "discovery" => state.discovery.clone(),
                _ => json!({ "keys": state.keys, "padding": state.padding }),
            };
            answer::json(StatusCode::OK, &body)
        })
    }

    pub fn publish(&self, keys: &[Value]) {
        self.state(|state| state.keys = keys.to_vec());
    }

    /// Which documents were asked for since the last look.
    pub fn asked(&self) -> Vec<&'static str> {
        self.state(|state| std::mem::take(&mut state.asked))
    }
}

pub fn key(kid: &str) -> Value {
    public_jwk(&Ed25519KeyPair::generate(), kid)
}

pub fn public_jwk(pair: &Ed25519KeyPair, kid: &str) -> Value {
    use base64::Engine;
    let x = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(pair.public_key().to_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x })
}

async fn kids(house: &House, kid: &str) -> Vec<String> {
    let answer = house.get(&format!("/internal/keys?kid={kid}"), INTERNAL_TOKEN).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let keys = answer.body["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

const OUTSIDE: [(&str, &str); 2] = [("auth_issuer", ISSUER), ("allow_private_endpoints", "on")];

#[tokio::test]
async fn with_an_outside_issuer_nobody_signs_in_here() {
    let house = house(&OUTSIDE).await;
    Issuer::start(&house);
    let paths = [
        "/auth/register",
        "/auth/login",
        "/auth/refresh",
        "/auth/verify-email",
        "/auth/verify-email/resend",
        "/auth/password-reset",
        "/auth/password-reset/confirm",
        "/auth/logout",
        "/auth/password",
        "/auth/sessions",
        "/auth/sessions/0199b7a0-0000-7000-8000-000000000001",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
    ];
    let body = json!({ "email": "alice@example.com", "password": PASSWORD });
    for path in paths {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD] {
            for token in ["", "nonsense"] {
                for kind in ["application/json", "text/plain"] {
                    let headers = [("content-type", kind)];
                    let body = if kind == "text/plain" { Value::Null } else { body.clone() };
                    let answer = house.world.call("auth", method.clone(), path, token, &headers, body).await;
                    let expected = if method == Method::HEAD { "" } else { "not_found" };
                    assert_eq!(code(&answer), (404, expected), "{method} {path}");
                }
            }
        }
    }
    assert_eq!(house.get("/internal/health", INTERNAL_TOKEN).await.status, 200);
}

#[tokio::test]
async fn the_keys_come_by_discovery_and_are_kept() {
    let house = house(&OUTSIDE).await;
    let issuer = Issuer::start(&house);
    issuer.publish(&[key("a")]);
    assert_eq!(kids(&house, "a").await, ["a"]);
    assert_eq!(issuer.asked(), ["discovery", "keys"]);
    assert_eq!(kids(&house, "a").await, ["a"]);
    assert!(issuer.asked().is_empty());
}

#[tokio::test]
async fn an_unknown_key_makes_us_look_again_at_most_once_a_minute() {
    let house = house(&OUTSIDE).await;
    let issuer = Issuer::start(&house);
    issuer.publish(&[key("a")]);
    kids(&house, "a").await;
    issuer.asked();
    issuer.publish(&[key("a"), key("b")]);
    assert_eq!(kids(&house, "b").await, ["a", "b"], "a rotated key is found at once");
    for unknown in ["c", "d", "e"] {
        kids(&house, unknown).await;
    }
    assert_eq!(issuer.asked(), ["discovery", "keys"]);
    house.app().db.rows("update issuer_keys set asked_at = asked_at - 60000", vec![]).await.unwrap();
    kids(&house, "c").await;
    assert_eq!(issuer.asked().len(), 2);
}

#[tokio::test]
async fn while_the_issuer_is_away_its_last_keys_serve() {
    let house = house(&OUTSIDE).await;
    let issuer = Issuer::start(&house);
    issuer.publish(&[key("a")]);
    kids(&house, "a").await;
    issuer.state(|state| state.down = true);
    house.app().db.rows("update issuer_keys set fetched_at = fetched_at - 600001", vec![]).await.unwrap();
    issuer.asked();
    assert_eq!(kids(&house, "a").await, ["a"]);
    assert_eq!(issuer.asked().len(), 1, "a stale set is fetched again");
    assert_eq!(kids(&house, "a").await, ["a"]);
    assert!(issuer.asked().is_empty(), "but not at every call while that fails");
    // Back again, without the withdrawn key.
    issuer.state(|state| state.down = false);
    issuer.publish(&[key("b")]);
    house.app().db.rows("update issuer_keys set failed_at = failed_at - 60000", vec![]).await.unwrap();
    assert_eq!(kids(&house, "a").await, ["b"]);
}

#[tokio::test]
async fn an_issuer_that_never_answered_is_503_and_asked_again_soon() {
    let house = house(&OUTSIDE).await;
    let issuer = Issuer::start(&house);
    issuer.publish(&[key("a")]);
    issuer.state(|state| state.down = true);
    let ask = async || house.get("/internal/keys?kid=a", INTERNAL_TOKEN).await.status;
    assert_eq!((ask().await, ask().await), (503, 503));
    assert_eq!(issuer.asked().len(), 1);
    issuer.state(|state| state.down = false);
    house.app().db.rows("update issuer_keys set failed_at = failed_at - 5000", vec![]).await.unwrap();
    assert_eq!(ask().await, 200);
}

#[tokio::test]
async fn without_discovery_the_keys_are_where_cognito_has_them() {
    let house = house(&OUTSIDE).await;
    let issuer = Issuer::start(&house);
    issuer.state(|state| state.discovery = Value::Null);
    issuer.publish(&[key("a")]);
    assert_eq!(kids(&house, "a").await, ["a"]);
    assert_eq!(issuer.asked(), ["discovery", "jwks.json"]);
}

#[tokio::test]
async fn one_odd_key_does_not_spoil_the_set() {
    let house = house(&OUTSIDE).await;
    let issuer = Issuer::start(&house);
    let mut encrypts = key("enc");
    encrypts["use"] = json!("enc");
    let odd = [
        json!({ "kty": "oct", "kid": "secret", "k": "AAAA" }),
        json!({ "kid": 5 }),
        json!("nonsense"),
        json!({ "kty": "EC", "crv": "P-521", "kid": "p521", "x": "AA", "y": "AA" }),
        json!({ "kty": "RSA", "alg": "RS512", "kid": "rs512", "n": "AA", "e": "AQAB" }),
        encrypts,
        key(""),
        key("good"),
    ];
    issuer.publish(&odd);
    assert_eq!(kids(&house, "good").await, ["good"]);
}

#[tokio::test]
async fn documents_that_lie_lead_inside_or_never_end_are_refused() {
    let inside = Router::new().fallback(async || -> Response { panic!("asked inside") });
    let documents = [
        json!({ "issuer": "http://127.0.0.1:9999/other", "jwks_uri": format!("{ISSUER}/keys") }),
        json!({ "issuer": ISSUER, "jwks_uri": "http://10.0.0.1/keys" }),
        json!({ "issuer": ISSUER, "jwks_uri": "https://169.254.169.254/latest" }),
        json!({ "issuer": ISSUER, "jwks_uri": "http://users.spin.internal/internal/people" }),
        json!({ "issuer": ISSUER, "jwks_uri": "file:///etc/passwd" }),
        json!({ "issuer": ISSUER }),
        json!([1, 2, 3]),
    ];
    for document in documents {
        let house = house(&OUTSIDE).await;
        let issuer = Issuer::start(&house);
        issuer.publish(&[key("a")]);
        for host in ["10.0.0.1", "169.254.169.254", "users.spin.internal"] {
            house.route(host, inside.clone());
        }
        issuer.state(|state| state.discovery = document.clone());
        assert_eq!(house.get("/internal/keys?kid=a", INTERNAL_TOKEN).await.status, 503, "{document}");
    }
    let house = house(&OUTSIDE).await;
    let issuer = Issuer::start(&house);
    issuer.publish(&[key("a")]);
    issuer.state(|state| state.padding = "x".repeat(70_000));
    assert_eq!(house.get("/internal/keys?kid=a", INTERNAL_TOKEN).await.status, 503);
}

#[tokio::test]
async fn loopback_is_asked_only_where_the_variable_admits_it() {
    let house = house(&[("auth_issuer", ISSUER)]).await;
    let issuer = Issuer::start(&house);
    issuer.publish(&[key("a")]);
    assert_eq!(house.get("/internal/keys?kid=a", INTERNAL_TOKEN).await.status, 503);
    assert!(issuer.asked().is_empty());
}
