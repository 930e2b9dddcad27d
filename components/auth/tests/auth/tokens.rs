//! Access tokens and the keys they are signed with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use shared::testing::INTERNAL_TOKEN;

use crate::support::{PASSWORD, Session, house, keys_of};

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub fn claims(token: &str) -> Value {
    part(token, 1)
}

#[tokio::test]
async fn an_access_token_says_what_the_contract_promises() {
    let house = house(&[("auth_audience", "first, second"), ("public_url", "https://scooter.example")]).await;
    let alice = house.register("alice").await;
    let header = part(&alice.access, 0);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("JWT")));
    let claims = claims(&alice.access);
    assert_eq!(
        keys_of(&claims),
        ["aud", "email", "email_verified", "exp", "iat", "iss", "jti", "sid", "sub"]
    );
    assert_eq!(claims["iss"], "https://scooter.example");
    assert_eq!(claims["aud"], "first");
    assert_eq!(claims["sub"], alice.user);
    assert_eq!(claims["email"], "alice@example.com");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    let jwks = house.get("/.well-known/jwks.json", "").await;
    assert_eq!(jwks.body["keys"][0]["kid"], header["kid"]);
    let other = Session::of(&house.login("alice", PASSWORD).await);
    assert_ne!(self::claims(&other.access)["jti"], claims["jti"]);
}

#[tokio::test]
async fn tokens_follow_the_clock_and_the_variable() {
    let house = house(&[("test_clock_offset_seconds", "8640000"), ("access_token_minutes", "2")]).await;
    let alice = house.register("alice").await;
    let claims = claims(&alice.access);
    assert_eq!(claims["iat"].as_i64().unwrap(), house.app().now().seconds());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);
    assert_eq!(house.get("/auth/sessions", &alice.access).await.status, 200);
}

#[tokio::test]
async fn discovery_and_keys_are_public_and_cached() {
    let house = house(&[]).await;
    let discovery = house.get("/.well-known/openid-configuration", "").await;
    assert_eq!(discovery.status, 200);
    assert_eq!(discovery.body["issuer"], "http://127.0.0.1:3000");
    assert_eq!(discovery.body["jwks_uri"], "http://127.0.0.1:3000/.well-known/jwks.json");
    let jwks = house.get("/.well-known/jwks.json", "").await;
    assert_eq!(keys_of(&jwks.body["keys"][0]), ["alg", "crv", "kid", "kty", "use", "x"]);
    let tag = jwks.headers["etag"].to_str().unwrap().to_owned();
    let headers = [("if-none-match", tag.as_str())];
    let again =
        house.world.call("auth", http::Method::GET, "/.well-known/jwks.json", "", &headers, Value::Null);
    assert_eq!(again.await.status, 304);
    assert!(house.get("/internal/keys?kid=x", "").await.status == 404);
    assert_eq!(house.get("/internal/keys?kid=x", INTERNAL_TOKEN).await.body, jwks.body);
}

#[tokio::test]
async fn two_instances_that_start_at_once_sign_with_one_key() {
    let house = house(&[]).await;
    let other = shared::app::App::start(&auth::SERVICE, house.world.platform.clone()).await.unwrap();
    let router = shared::app::router(other);
    house.route("other.example", router);
    let fetch = async |n: usize| {
        let authority = if n.is_multiple_of(2) { "other.example" } else { "auth.spin.internal" };
        let request = http::Request::get(format!("http://{authority}/.well-known/jwks.json"))
            .body(bytes::Bytes::new())
            .unwrap();
        let answer = house.world.platform.send(request, 1 << 20).await.unwrap();
        serde_json::from_slice::<Value>(answer.body()).unwrap()
    };
    let sets = futures_util::future::join_all((0..8).map(fetch)).await;
    assert!(sets.iter().all(|set| set == &sets[0]));
    assert_eq!(sets[0]["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn after_ninety_days_another_key_signs_and_the_old_one_verifies_still() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let old = part(&alice.access, 0)["kid"].clone();
    let aged = "update signing_keys set made_at = made_at - 7776000001";
    house.app().db.rows(aged, vec![]).await.unwrap();
    let fresh = Session::of(&house.refresh(&alice.refresh).await);
    assert_ne!(part(&fresh.access, 0)["kid"], old);
    for token in [&fresh.access, &alice.access] {
        assert_eq!(house.get("/auth/sessions", token).await.status, 200);
    }
    let kids = async || {
        let jwks = house.get("/.well-known/jwks.json", "").await;
        jwks.body["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(kids().await.len(), 2);
    assert_eq!(house.sql("select count(*) from signing_keys where secret is not null").await, "1");
    house.tick().await;
    assert_eq!(kids().await.len(), 2, "its tokens live still");
    let later = "update signing_keys set made_at = made_at - 90000000";
    house.app().db.rows(later, vec![]).await.unwrap();
    house.app().db.rows("delete from chores", vec![]).await.unwrap();
    house.tick().await;
    let left = kids().await;
    assert_eq!(left.len(), 1);
    assert_ne!(left[0], old);
}
