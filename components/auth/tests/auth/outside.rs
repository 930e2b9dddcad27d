//! The authorizer against tokens of outside issuers (RFC 8725): each line of the list of dangers is
//! a test. A service of two routes stands in for every service that takes tokens.

use std::sync::OnceLock;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use jwt_simple::prelude::*;
use serde_json::{Value, json};
use shared::app::{Ctx, Relay, Service};
use shared::auth::{Caller, MaybeCaller};
use shared::error::ApiResult;
use shared::routes::Routes;
use shared::testing::World;
use shared::{answer, events, people};

use crate::issuer::{ISSUER, Issuer, public_jwk};
use crate::support::{House, house_of};

static PROBE: Service = Service {
    name: "notes",
    migrations: &[events::CORE, people::PEOPLE],
    routes: || Routes::new().internal("/worker/who", get(read_who)).internal("/worker/open", get(read_open)),
    relay: Relay::AfterAnswer,
    tick: None,
    keys: None,
    identify: None,
    rebuild: None,
};

async fn read_who(State(app): State<Ctx>, caller: Caller) -> ApiResult {
    let who = json!({ "id": caller.id, "admin": caller.is_admin(&app), "email": caller.token.email });
    Ok(answer::json(StatusCode::OK, &who))
}

async fn read_open(caller: MaybeCaller) -> ApiResult {
    Ok(answer::json(StatusCode::OK, &json!({ "id": caller.id() })))
}

struct Outside {
    house: House,
    issuer: Issuer,
    pair: Ed25519KeyPair,
}

async fn outside() -> Outside {
    let variables = [
        ("auth_issuer", ISSUER),
        ("allow_private_endpoints", "on"),
        ("auth_audience", "scooterbooter, client-1"),
        ("admin_emails", "admin@example.com"),
        ("rate_limits", "off"),
    ];
    let house = house_of(World::start(&[&auth::SERVICE, &PROBE], &variables).await);
    let issuer = Issuer::start(&house);
    let pair = Ed25519KeyPair::generate();
    let es = es_pair();
    let point = es.public_key().public_key().to_bytes_uncompressed();
    let es_key = json!({ "kty": "EC", "crv": "P-256", "kid": "es", "use": "sig",
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65]) });
    let parts = rs_pair().public_key().to_components();
    let rs_key = json!({ "kty": "RSA", "kid": "rs", "alg": "RS256",
        "n": URL_SAFE_NO_PAD.encode(&parts.n), "e": URL_SAFE_NO_PAD.encode(&parts.e) });
    issuer.publish(&[public_jwk(&pair, "ed"), es_key, rs_key]);
    Outside { house, issuer, pair }
}

fn rs_pair() -> &'static RS256KeyPair {
    static PAIR: OnceLock<RS256KeyPair> = OnceLock::new();
    PAIR.get_or_init(|| RS256KeyPair::generate(2048).unwrap().with_key_id("rs"))
}

fn es_pair() -> &'static ES256KeyPair {
    static PAIR: OnceLock<ES256KeyPair> = OnceLock::new();
    PAIR.get_or_init(|| ES256KeyPair::generate().with_key_id("es"))
}

fn now() -> i64 {
    shared::clock::Clock::default().now().seconds()
}

/// Good claims, changed by `with`; a null member takes one away.
fn claims(with: Value) -> Value {
    let mut claims =
        json!({ "iss": ISSUER, "aud": "scooterbooter", "sub": "alice", "iat": now(), "exp": now() + 600 });
    for (name, value) in with.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token of any header, signed by `pair`.
fn sign(pair: &Ed25519KeyPair, header: Value, claims: &Value) -> String {
    let text = format!("{}.{}", encode(&header), encode(claims));
    let signature = pair.key_pair().as_ref().sk.sign(&text, None);
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(*signature))
}

impl Outside {
    fn token(&self, with: Value) -> String {
        sign(&self.pair, json!({ "alg": "EdDSA", "kid": "ed", "typ": "JWT" }), &claims(with))
    }

    fn headed(&self, header: Value) -> String {
        sign(&self.pair, header, &claims(json!({})))
    }

    async fn who(&self, token: &str) -> (u16, Value) {
        let answer = self.house.world.get("notes", "/worker/who", token).await;
        if answer.status == 401 {
            assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
            assert_eq!(answer.body["code"], "invalid_token");
        }
        (answer.status, answer.body)
    }

    async fn accepts(&self, token: &str) -> Value {
        let (status, body) = self.who(token).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn refuses(&self, token: &str, why: &str) {
        assert_eq!(self.who(token).await.0, 401, "{why}");
        // A bad token is 401 on an open route too.
        assert_eq!(self.house.world.get("notes", "/worker/open", token).await.status, 401, "{why}");
    }
}

/// The claims as jwt-simple takes them, for the key kinds it signs itself.
fn typed(with: Value) -> JWTClaims<serde_json::Map<String, Value>> {
    serde_json::from_value(claims(with)).unwrap()
}

#[tokio::test]
async fn rs256_es256_and_eddsa_are_accepted_and_a_subject_is_one_person() {
    let outside = outside().await;
    let ed = outside.accepts(&outside.token(json!({}))).await;
    let es = outside.accepts(&es_pair().sign(typed(json!({}))).unwrap()).await;
    let rs = outside.accepts(&rs_pair().sign(typed(json!({}))).unwrap()).await;
    assert_eq!((&ed["id"], &ed["id"]), (&es["id"], &rs["id"]));
    let bob = outside.accepts(&outside.token(json!({ "sub": "bob" }))).await;
    assert_ne!(bob["id"], ed["id"]);
    let told = outside.house.users.lock().unwrap().created.clone();
    assert_eq!((&told[0]["issuer"], &told[0]["subject"]), (&json!(ISSUER), &json!("alice")));
}

#[tokio::test]
async fn cognito_access_tokens_are_accepted_by_their_client() {
    let outside = outside().await;
    let access = |with: Value| {
        let mut all =
            json!({ "aud": null, "token_use": "access", "client_id": "client-1", "scope": "openid" });
        all.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        outside.token(all)
    };
    outside.accepts(&access(json!({}))).await;
    outside.refuses(&access(json!({ "client_id": "client-2" })), "another client").await;
    outside.refuses(&access(json!({ "client_id": null })), "no client").await;
    outside
        .refuses(&access(json!({ "client_id": null, "aud": "client-1" })), "an audience is no client")
        .await;
    outside.refuses(&access(json!({ "token_use": "id", "aud": "client-1" })), "an id token").await;
    outside.refuses(&access(json!({ "token_use": "refresh", "aud": "client-1" })), "another use").await;
}

#[tokio::test]
async fn the_audience_must_be_one_of_ours() {
    let outside = outside().await;
    outside.accepts(&outside.token(json!({ "aud": "client-1" }))).await;
    outside.accepts(&outside.token(json!({ "aud": ["other", "scooterbooter"] }))).await;
    for aud in [json!("other"), json!(["other"]), json!([]), json!(""), Value::Null] {
        outside.refuses(&outside.token(json!({ "aud": aud })), &format!("aud {aud}")).await;
    }
}

#[tokio::test]
async fn the_issuer_is_the_configured_one_and_never_chosen_by_the_token() {
    let outside = outside().await;
    for iss in [json!("http://127.0.0.1:6666/pool"), json!(format!("{ISSUER}/")), json!(""), Value::Null] {
        outside.refuses(&outside.token(json!({ "iss": iss })), &format!("iss {iss}")).await;
    }
}

#[tokio::test]
async fn a_token_has_an_end_and_it_has_not_come() {
    let outside = outside().await;
    outside.refuses(&outside.token(json!({ "exp": null })), "no end").await;
    outside.refuses(&outside.token(json!({ "exp": now() - 61 })), "ended").await;
    outside.refuses(&outside.token(json!({ "exp": 0 })), "ended long ago").await;
    outside.refuses(&outside.token(json!({ "exp": -5 })), "ended before time began").await;
    outside.refuses(&outside.token(json!({ "exp": 1e30 })), "a time that never comes").await;
    outside.refuses(&outside.token(json!({ "exp": "tomorrow" })), "no time").await;
    outside.refuses(&outside.token(json!({ "nbf": now() + 120 })), "not begun").await;
    outside.refuses(&outside.token(json!({ "iat": now() + 120 })), "made in the future").await;
    outside.refuses(&outside.token(json!({ "sub": null })), "nobody's").await;
    outside.refuses(&outside.token(json!({ "sub": "" })), "of nobody either").await;
}

#[tokio::test]
async fn only_access_tokens_by_type() {
    let outside = outside().await;
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
        let status = outside.who(&outside.headed(json!({ "alg": "EdDSA", "kid": "ed", "typ": typ }))).await.0;
        // jwt-simple knows no media type with `application/`.
        assert!(status == 200 || typ.contains('/'), "{typ} {status}");
    }
    outside.accepts(&outside.headed(json!({ "alg": "EdDSA", "kid": "ed" }))).await;
    for typ in ["dpop+jwt", "secevent+jwt", "JWE", "JOSE", "logout+jwt", ""] {
        let token = outside.headed(json!({ "alg": "EdDSA", "kid": "ed", "typ": typ }));
        outside.refuses(&token, &format!("typ {typ}")).await;
    }
}

#[tokio::test]
async fn none_is_no_algorithm() {
    let outside = outside().await;
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        for signature in ["", "AAAA"] {
            let header = json!({ "alg": alg, "kid": "ed", "typ": "JWT" });
            let token = format!("{}.{}.{signature}", encode(&header), encode(&claims(json!({}))));
            outside.refuses(&token, alg).await;
        }
        outside.refuses(&outside.headed(json!({ "alg": alg, "kid": "ed" })), "well signed, but").await;
    }
}

#[tokio::test]
async fn a_public_key_is_no_secret_to_sign_with() {
    let outside = outside().await;
    let pem = rs_pair().public_key().to_pem().unwrap();
    let components = rs_pair().public_key().to_components();
    let secrets: [(&str, Vec<u8>); 5] = [
        ("rs", pem.clone().into_bytes()),
        ("rs", pem.trim().as_bytes().to_vec()),
        ("rs", rs_pair().public_key().to_der().unwrap()),
        ("rs", components.n),
        ("ed", outside.pair.public_key().to_bytes()),
    ];
    for (kid, secret) in secrets {
        let key = HS256Key::from_bytes(&secret).with_key_id(kid);
        outside.refuses(&key.authenticate(typed(json!({}))).unwrap(), kid).await;
        // And with the header saying what the key expects.
        let key = HS256Key::from_bytes(&secret);
        let header = json!({ "alg": "RS256", "kid": kid, "typ": "JWT" });
        let text = format!("{}.{}", encode(&header), encode(&claims(json!({}))));
        let mac = hmac_sha256::HMAC::mac(text.as_bytes(), key.to_bytes());
        outside.refuses(&format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac)), "RS256 said, HMAC done").await;
    }
}

#[tokio::test]
async fn the_algorithm_belongs_to_the_key() {
    let outside = outside().await;
    for (alg, kid) in
        [("EdDSA", "rs"), ("EdDSA", "es"), ("RS256", "ed"), ("ES256", "ed"), ("RS512", "rs"), ("PS256", "rs")]
    {
        let token = outside.headed(json!({ "alg": alg, "kid": kid, "typ": "JWT" }));
        outside.refuses(&token, &format!("{alg} {kid}")).await;
    }
    let es = ES256KeyPair::from_bytes(&es_pair().to_bytes()).unwrap().with_key_id("rs");
    outside.refuses(&es.sign(typed(json!({}))).unwrap(), "an ES256 token that names the RSA key").await;
}

#[tokio::test]
async fn keys_named_by_a_header_are_not_trusted_nor_fetched() {
    let outside = outside().await;
    let mallory = Ed25519KeyPair::generate();
    let evil = "https://evil.example/keys";
    let trap = Router::new().fallback(async || -> StatusCode { panic!("fetched what a token named") });
    outside.house.route("evil.example", trap);
    let own = public_jwk(&mallory, "ed");
    let certificate = json!([URL_SAFE_NO_PAD.encode(mallory.public_key().to_der())]);
    for header in [
        json!({ "jku": evil }),
        json!({ "x5u": evil }),
        json!({ "jwk": own }),
        json!({ "jwk": own.to_string() }),
        json!({ "x5c": certificate }),
        json!({ "jku": evil, "kid": "new" }),
        json!({ "x5u": evil, "kid": "new" }),
        json!({ "jwk": own, "kid": "new" }),
        json!({ "kid": evil }),
        json!({ "kid": "../../ed" }),
        json!({ "kid": "ed' or '1'='1" }),
    ] {
        let mut all = json!({ "alg": "EdDSA", "kid": "ed", "typ": "JWT" });
        all.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
        outside.refuses(&sign(&mallory, all, &claims(json!({}))), &header.to_string()).await;
    }
    let good = json!({ "alg": "EdDSA", "kid": "ed", "typ": "JWT", "jku": evil, "x5u": evil });
    outside.accepts(&outside.headed(good)).await;
}

#[tokio::test]
async fn an_unknown_or_missing_kid_is_401_and_asks_the_issuer_once() {
    let outside = outside().await;
    outside.accepts(&outside.token(json!({}))).await;
    outside.issuer.asked();
    outside.refuses(&outside.headed(json!({ "alg": "EdDSA", "typ": "JWT" })), "no kid").await;
    for kid in ["x", "y", "z"] {
        outside.refuses(&outside.headed(json!({ "alg": "EdDSA", "kid": kid, "typ": "JWT" })), kid).await;
    }
    assert_eq!(outside.issuer.asked(), ["discovery", "keys"]);
    outside.accepts(&outside.token(json!({ "jti": "another" }))).await;
}

#[tokio::test]
async fn a_rotated_key_is_accepted_at_once() {
    let outside = outside().await;
    outside.accepts(&outside.token(json!({}))).await;
    let next = Ed25519KeyPair::generate();
    outside.issuer.publish(&[public_jwk(&outside.pair, "ed"), public_jwk(&next, "next")]);
    let header = json!({ "alg": "EdDSA", "kid": "next", "typ": "JWT" });
    outside.accepts(&sign(&next, header, &claims(json!({})))).await;
}

#[tokio::test]
async fn what_is_no_token_is_401() {
    let outside = outside().await;
    let good = outside.token(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let flipped = encode(&claims(json!({ "sub": "bob" })));
    for bad in [
        "x".to_owned(),
        "a.b.c".to_owned(),
        "..".to_owned(),
        format!("{good}."),
        format!("{good}.x"),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{flipped}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], &parts[2][2..]),
        format!("{}.{}.{}", encode(&json!(5)), parts[1], parts[2]),
        outside.headed(json!({ "alg": "EdDSA", "kid": "ed", "crit": ["b64"], "b64": false })),
        outside.headed(json!({ "alg": "EdDSA", "kid": "ed", "crit": [] })),
        outside.token(json!({ "padding": "x".repeat(8 << 10) })),
        sign(&Ed25519KeyPair::generate(), json!({ "alg": "EdDSA", "kid": "ed" }), &claims(json!({}))),
    ] {
        outside.refuses(&bad, &bad).await;
    }
    for header in ["Bearer", "Bearer ", "Basic abc", &good] {
        let headers = [("authorization", header)];
        let answer =
            outside.house.world.call("notes", http::Method::GET, "/worker/open", "", &headers, Value::Null);
        assert_eq!(answer.await.status, 401, "{header}");
    }
    outside.accepts(&good).await;
}

#[tokio::test]
async fn administrators_are_of_the_group_or_have_a_verified_address() {
    let outside = outside().await;
    let admin = async |with: Value| outside.accepts(&outside.token(with)).await["admin"].clone();
    assert_eq!(admin(json!({ "cognito:groups": ["users", "admin"] })).await, true);
    assert_eq!(admin(json!({ "groups": ["admin"] })).await, true);
    assert_eq!(admin(json!({ "email": "Admin@Example.com", "email_verified": true })).await, true);
    assert_eq!(admin(json!({ "email": "admin@example.com", "email_verified": "true" })).await, true);
    for with in [
        json!({}),
        json!({ "groups": ["administrators"] }),
        json!({ "groups": "admin" }),
        json!({ "cognito:groups": [["admin"]] }),
        json!({ "roles": ["admin"] }),
        json!({ "email": "admin@example.com" }),
        json!({ "email": "admin@example.com", "email_verified": false }),
        json!({ "email": "admin@example.com", "email_verified": "false" }),
        json!({ "email": "alice@example.com", "email_verified": true }),
    ] {
        assert_eq!(admin(with.clone()).await, false, "{with}");
    }
}

#[tokio::test]
async fn tokens_of_the_built_in_issuer_end_where_an_outside_one_is_set() {
    let house = crate::support::house(&[]).await;
    let alice = house.register("alice").await;
    let outside = outside().await;
    outside.refuses(&alice.access, "ours").await;
}

#[tokio::test]
async fn an_administrator_of_ours_is_one_as_soon_as_their_address_is_verified() {
    let variables = [
        ("admin_emails", "alice@example.com"),
        ("rate_limits", "off"),
        ("mail_url", "http://mail.example/hook"),
    ];
    let house = house_of(World::start(&[&auth::SERVICE, &PROBE], &variables).await);
    let (alice, bob) = (house.register("alice").await, house.register("bob").await);
    let admin =
        async |token: &str| house.world.get("notes", "/worker/who", token).await.body["admin"].clone();
    assert_eq!(admin(&alice.access).await, false);
    let verify = |id: &str| {
        let mut users = house.users.lock().unwrap();
        users.people.get_mut(id).unwrap()["verified"] = json!(true);
    };
    verify(&alice.user);
    verify(&bob.user);
    assert_eq!(admin(&alice.access).await, true, "with the token of before");
    assert_eq!(admin(&bob.access).await, false);
    house.stop_users();
    assert_eq!(admin(&alice.access).await, false, "nobody to ask");
}
