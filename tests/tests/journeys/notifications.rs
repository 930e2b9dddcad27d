//! What people are told, and a browser that gets it: its push service is a server of the test's own, and it decrypts.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect should stop")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{Aead, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac_sha256::HKDF;
use journeys::stack::eventually_within;
use journeys::{Person, Stack, eventually};
use jwt_simple::prelude::{ECDSAP256PublicKeyLike, ES256PublicKey, NoCustomClaims};
use p256::ecdh::diffie_hellman;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{PublicKey, SecretKey};
use serde_json::{Value, json};
use tiny_http::{Response, Server};

use crate::{keys, stack};

/// A push is sent 2 s after its event, by a tick every half second.
const PUSHED: Duration = Duration::from_secs(8);

/// The types and counts of what somebody is told: `reaction 2`.
fn told(person: &Person) -> Vec<String> {
    let page = person.get("/notifications").expect(200);
    page.items()
        .iter()
        .map(|one| format!("{} {}", one["type"].as_str().unwrap(), one["actorCount"]))
        .collect()
}

#[track_caller]
fn is_told(person: &Person, expected: &[&str]) {
    let mut last = Vec::new();
    eventually(&format!("{} is told {expected:?}", person.handle), || {
        last = told(person);
        last == expected
    });
}

fn unread(person: &Person) -> Value {
    person.get("/notifications?unread=true&limit=1").expect(200).body["unreadCount"].clone()
}

#[test]
fn what_bob_and_carla_do_is_told_to_alice_and_withdrawn_when_they_take_it_back() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    let post = alice.publish("look");
    let like = |who: &Person| who.post(&format!("/reactions/{post}"), json!({ "type": "like" })).expect(200);
    like(&bob);
    is_told(&alice, &["reaction 1"]);
    like(&carla);
    is_told(&alice, &["reaction 2"]);
    bob.follow(&alice);
    let comment = carla.post(&format!("/comments/{post}"), json!({ "text": "nice" })).expect(201).body;
    is_told(&alice, &["comment 1", "follow 1", "reaction 2"]);
    let page = alice.get("/notifications").expect(200);
    assert_eq!(keys(&page.body), ["items", "nextCursor", "unreadCount"]);
    assert_eq!(page.body["unreadCount"], 3);
    let reaction = page.items()[2].clone();
    let names = ["actorCount", "actors", "createdAt", "id", "read", "target", "type", "updatedAt"];
    assert_eq!(keys(&reaction), names);
    assert_eq!(reaction["target"], json!({ "type": "post", "id": post }));
    assert_eq!(
        (&reaction["actors"][0]["id"], &reaction["actors"][1]["id"]),
        (&json!(carla.id), &json!(bob.id))
    );
    // Two have it, one takes it back, then the other.
    like(&carla);
    is_told(&alice, &["comment 1", "follow 1", "reaction 1"]);
    like(&bob);
    is_told(&alice, &["comment 1", "follow 1"]);
    let path = format!("/comments/{post}/{}", comment["id"].as_str().unwrap());
    carla.delete(&path).expect(204);
    bob.post("/unfollow", json!({ "userId": alice.id })).expect(200);
    is_told(&alice, &[]);
    assert_eq!(unread(&alice), 0);
}

#[test]
fn answers_and_mentions_reach_whom_they_mean_and_nobody_across_a_block_or_a_mute() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    let post = alice.publish("ask me");
    let ask = carla.post(&format!("/comments/{post}"), json!({ "text": "why?" })).expect(201).body;
    let answer = json!({ "text": format!("because, @{}", carla.handle), "parentId": ask["id"] });
    bob.post(&format!("/comments/{post}"), answer).expect(201);
    bob.publish(&format!("hello @{}", carla.handle));
    is_told(&carla, &["mention 1", "comment 1"]);
    is_told(&alice, &["comment 2"]);
    carla.post("/block", json!({ "userId": bob.id })).expect(200);
    is_told(&carla, &[]);
    assert_eq!(unread(&carla), 0);
    alice.post("/mute", json!({ "userId": carla.id })).expect(200);
    eventually("the mute is known", || {
        let sql = format!(
            "select count(*) from mutes as m join people as p on p.pk = m.muted where p.id = '{}'",
            carla.id
        );
        stack().query::<i64>("notifications", &sql).unwrap() == 1
    });
    carla.post(&format!("/reactions/{post}"), json!({ "type": "fire" })).expect(200);
    bob.post(&format!("/reactions/{post}"), json!({ "type": "fire" })).expect(200);
    is_told(&alice, &["reaction 1", "comment 2"]);
}

#[test]
fn reading_some_and_all_leaves_the_right_number_and_a_private_account_is_asked() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    alice.patch("/me", json!({ "private": true })).expect(200);
    bob.follow(&alice);
    carla.follow(&alice);
    is_told(&alice, &["follow_request 2"]);
    alice.post(&format!("/follow-requests/{}/accept", bob.id), json!({})).expect(204);
    alice.post(&format!("/follow-requests/{}/reject", carla.id), json!({})).expect(204);
    is_told(&alice, &["follow 1"]);
    for post in [alice.publish("a"), alice.publish("b")] {
        bob.post(&format!("/reactions/{post}"), json!({ "type": "wow" })).expect(200);
    }
    is_told(&alice, &["reaction 1", "reaction 1", "follow 1"]);
    let first = alice.get("/notifications?limit=2").expect(200);
    let next = format!("/notifications?limit=2&cursor={}", first.body["nextCursor"].as_str().unwrap());
    assert_eq!(alice.get(&next).expect(200).items()[0]["type"], "follow");
    let read = |body: Value| alice.post("/notifications/read", body).expect(200).body;
    let ids: Vec<Value> = first.items().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(read(json!({ "ids": [ids[0]] })), json!({ "unreadCount": 2 }));
    // Ids of alice's mean nothing to bob.
    bob.post("/notifications/read", json!({ "ids": ids })).expect(200);
    assert_eq!(unread(&alice), 2);
    assert_eq!(read(json!({ "upTo": ids[1] })), json!({ "unreadCount": 0 }));
    assert_eq!(read(json!({})), json!({ "unreadCount": 0 }));
    assert_eq!(told(&alice).len(), 3, "they stay");
    stack().anonymous().get("/notifications").expect_problem(401, "invalid_token");
}

/// What came to the server: path, headers, body.
type Came = (String, Vec<(String, String)>, Vec<u8>);

/// A push service of browsers at `/push/...`, Expo's at `/expo`; `/gone` is where nobody subscribes any more.
struct PushService {
    url: String,
    came: Arc<Mutex<Vec<Came>>>,
}

impl PushService {
    fn start() -> Self {
        let server = Server::http("127.0.0.1:0").unwrap();
        let (url, came) = (format!("http://{}", server.server_addr()), Arc::<Mutex<Vec<Came>>>::default());
        let kept = came.clone();
        std::thread::spawn(move || {
            while let Ok(mut request) = server.recv() {
                let mut body = Vec::new();
                let _ = request.as_reader().read_to_end(&mut body);
                let path = request.url().to_owned();
                let header = |header: &tiny_http::Header| {
                    (header.field.to_string().to_lowercase(), header.value.to_string())
                };
                kept.lock().unwrap().push((
                    path.clone(),
                    request.headers().iter().map(header).collect(),
                    body,
                ));
                let (status, said) = match path.as_str() {
                    "/expo" => (200, r#"{"data":{"status":"ok","id":"1"}}"#),
                    "/gone" => (410, ""),
                    _ => (201, ""),
                };
                let _ = request.respond(Response::from_string(said).with_status_code(status));
            }
        });
        Self { url, came }
    }

    /// What came to a path, waited for until there are so many.
    #[track_caller]
    fn wait_for(&self, path: &str, count: usize) -> Vec<Came> {
        let mut found = Vec::new();
        eventually_within(PUSHED, &format!("{count} pushes to {path}"), || {
            let came = self.came.lock().unwrap();
            found = came.iter().filter(|came| came.0 == path).cloned().collect();
            found.len() >= count
        });
        found
    }
}

/// A browser that subscribed.
struct Browser {
    secret: SecretKey,
    auth: [u8; 16],
    endpoint: String,
}

impl Browser {
    fn new(service: &PushService, path: &str) -> Self {
        // Any 32 bytes below the order of the curve are a key.
        let secret = hmac_sha256::Hash::hash(format!("{}{path}", service.url).as_bytes());
        let secret = SecretKey::from_slice(&secret).unwrap();
        Self { secret, auth: [3; 16], endpoint: format!("{}{path}", service.url) }
    }

    fn register(&self, person: &Person) -> String {
        let point = URL_SAFE_NO_PAD.encode(self.secret.public_key().to_encoded_point(false));
        let keys = json!({ "p256dh": point, "auth": URL_SAFE_NO_PAD.encode(self.auth) });
        let body =
            json!({ "provider": "webpush", "subscription": { "endpoint": self.endpoint, "keys": keys } });
        person.post("/push/register", body).expect(201).body["id"].as_str().unwrap().to_owned()
    }

    /// RFC 8291, as a browser does it.
    fn open(&self, body: &[u8]) -> Value {
        let (salt, theirs, sealed) = (&body[..16], &body[21..86], &body[86..]);
        let public = PublicKey::from_sec1_bytes(theirs).unwrap();
        let agreed = diffie_hellman(self.secret.to_nonzero_scalar(), public.as_affine());
        let own = self.secret.public_key().to_encoded_point(false);
        let (mut input, mut key, mut nonce) = ([0; 32], [0; 16], [0; 12]);
        let info = [b"WebPush: info\0", own.as_bytes(), theirs].concat();
        HKDF::expand(&mut input, HKDF::extract(self.auth, agreed.raw_secret_bytes()), info);
        let secret = HKDF::extract(salt, input);
        HKDF::expand(&mut key, secret, b"Content-Encoding: aes128gcm\0");
        HKDF::expand(&mut nonce, secret, b"Content-Encoding: nonce\0");
        let plain = Aes128Gcm::new(&key.into()).decrypt(&nonce.into(), sealed).unwrap();
        serde_json::from_slice(plain.strip_suffix(&[2]).unwrap()).unwrap()
    }
}

#[test]
fn a_push_reaches_the_browser_that_can_open_it_and_ends_when_it_is_unwanted() {
    let service = PushService::start();
    let stack = Stack::start(&[("expo_push_url", &format!("{}/expo", service.url))]).unwrap();
    let (alice, bob) = (stack.person("alice"), stack.person("bob"));
    let (browser, gone) = (Browser::new(&service, "/push/a"), Browser::new(&service, "/gone"));
    let id = browser.register(&alice);
    assert_eq!(browser.register(&alice), id);
    gone.register(&alice);
    let expo = json!({ "provider": "expo", "token": "ExponentPushToken[alice]" });
    alice.post("/push/register", expo).expect(201);
    let post = alice.publish("look");
    bob.post(&format!("/comments/{post}"), json!({ "text": "nice" })).expect(201);

    let (_, headers, body) = service.wait_for("/push/a", 1).remove(0);
    let header = |name: &str| headers.iter().find(|header| header.0 == name).unwrap().1.as_str();
    let push = browser.open(&body);
    assert_eq!(keys(&push), ["body", "notification", "title", "url"]);
    assert_eq!(push["notification"], alice.get("/notifications").expect(200).items()[0]);
    assert_eq!(push["url"], format!("{}/posts/{post}", stack.url));
    assert_eq!((header("content-encoding"), header("ttl")), ("aes128gcm", "172800"));
    let (token, key) = header("authorization").strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    let public = alice.get("/push/vapid-public-key").expect(200).body["publicKey"].clone();
    assert_eq!(public, key);
    let public = ES256PublicKey::from_bytes(&URL_SAFE_NO_PAD.decode(key).unwrap()).unwrap();
    let claims = public.verify_token::<NoCustomClaims>(token, None).unwrap();
    assert_eq!(claims.audiences.unwrap().into_string().unwrap(), service.url);

    let message: Value = serde_json::from_slice(&service.wait_for("/expo", 1)[0].2).unwrap();
    assert_eq!((&message["to"], &message["body"]), (&json!("ExponentPushToken[alice]"), &push["body"]));
    service.wait_for("/gone", 1);
    eventually("a subscription that is no more is forgotten", || {
        stack.query::<i64>("notifications", "select count(*) from push_endpoints").unwrap() == 2
    });

    // Read within two seconds, switched off, unregistered: nothing more.
    bob.follow(&alice);
    eventually("the follow is told", || unread(&alice) == 2);
    alice.post("/notifications/read", json!({})).expect(200);
    let off = json!({ "push": { "reaction": false } });
    alice.patch("/me/notification-preferences", off).expect(200);
    bob.post(&format!("/reactions/{post}"), json!({ "type": "like" })).expect(200);
    eventually_within(PUSHED, "nothing waits any more", || {
        unread(&alice) == 1
            && stack.query::<i64>("notifications", "select count(*) from pushes").unwrap() == 0
    });
    let unregister = json!({ "endpoint": browser.endpoint });
    alice.send("DELETE", "/push/unregister", &[], unregister.clone()).expect(204);
    alice.send("DELETE", "/push/unregister", &[], unregister).expect(204);
    bob.publish(&format!("@{}", alice.handle));
    assert_eq!(service.wait_for("/expo", 2).len(), 2, "the mention, to what is left");
    assert_eq!(service.wait_for("/push/a", 1).len(), 1);
}

#[test]
fn places_inside_are_refused_even_where_loopback_is_admitted() {
    let alice = stack().person("alice");
    let register = |endpoint: &str| {
        let keys = json!({ "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg" });
        alice.post(
            "/push/register",
            json!({ "provider": "webpush", "subscription": { "endpoint": endpoint, "keys": keys } }),
        )
    };
    for inside in [
        "https://10.0.0.1/",
        "http://169.254.169.254/latest",
        "https://users.spin.internal/",
        "https://[fd00::1]/",
    ] {
        register(inside).expect_problem(422, "endpoint_forbidden");
    }
    register("http://127.0.0.1:1/nobody-listens").expect(201);
    alice
        .send("DELETE", "/push/unregister", &[], json!({ "endpoint": "http://127.0.0.1:1/nobody-listens" }))
        .expect(204);
}
