//! What holds on every route: the conventions of the contract.

use journeys::eventually;
use serde_json::{Value, json};

use crate::stack;

/// A route of each service that needs a token, with a body that is fine.
const ROUTES: &[(&str, &str)] = &[
    ("GET", "/me"),
    ("PATCH", "/me"),
    ("GET", "/feed"),
    ("POST", "/posts"),
    ("POST", "/follow"),
    ("GET", "/blocked"),
    ("GET", "/auth/sessions"),
    ("GET", "/search?q=a"),
    ("GET", "/me/reports"),
];

#[test]
fn a_missing_or_bad_token_is_401_with_the_challenge_everywhere() {
    let nobody = stack().anonymous();
    for (method, path) in ROUTES {
        let body = if *method == "GET" { Value::Null } else { json!({}) };
        for token in ["", "nonsense", "a.b.c"] {
            let answer = nobody.with_token(token).send(method, path, &[], body.clone());
            let answer = answer.expect_problem(401, "invalid_token");
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer error=\"invalid_token\"",
                "{method} {path}"
            );
        }
    }
}

#[test]
fn a_bad_token_is_401_on_open_routes_too() {
    let alice = stack().person("alice");
    let stranger = alice.with_token("nonsense");
    stranger.get(&format!("/u/{}", alice.handle)).expect_problem(401, "invalid_token");
    stranger.get("/username?handle=someone").expect_problem(401, "invalid_token");
}

#[test]
fn unknown_routes_wrong_methods_types_and_sizes_are_problem_documents() {
    let alice = stack().person("alice");
    for path in ["/", "/nothing", "/me/nothing", "/posts/x/y/z", "/internal/events", "/internal/people/1"] {
        alice.get(path).expect_problem(404, "not_found");
    }
    let answer = alice.delete("/feed").expect_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
    alice
        .send_bytes("POST", "/posts", &[("content-type", "text/plain")], b"hello".to_vec())
        .expect_problem(415, "unsupported_media_type");
    let json = [("content-type", "application/json")];
    alice.send_bytes("POST", "/posts", &json, b"{\"text\":".to_vec()).expect_problem(400, "malformed_json");
    alice.send_bytes("POST", "/posts", &json, vec![b' '; 65 << 10]).expect_problem(413, "body_too_large");
    alice.send_bytes("POST", "/posts", &json, vec![b'['; 60 << 10]);
    let answer = alice.post("/posts", json!({ "text": 5 })).expect(422);
    assert_eq!(answer.body["errors"][0]["field"], "text");
}

#[test]
fn no_id_of_any_form_brings_a_5xx() {
    let alice = stack().person("alice");
    let long = "x".repeat(3000);
    for id in
        ["x", "0", "00000000-0000-0000-0000-000000000000", "%00", "%ff", "..%2f..", "'%20or%201=1--", &long]
    {
        for path in ["/posts/", "/comments/", "/reactions/", "/u/", "/tags/", "/me/deletion/"] {
            let answer = alice.get(&format!("{path}{id}"));
            assert!((200..500).contains(&answer.status), "{path}{id}: {answer:?}");
        }
        let answer = alice.delete(&format!("/auth/sessions/{id}"));
        assert!((200..500).contains(&answer.status), "{id}: {answer:?}");
        for path in ["/follow", "/block", "/mute"] {
            let answer = alice.post(path, json!({ "userId": id }));
            assert!([404, 422].contains(&answer.status), "{path} {id}: {answer:?}");
        }
    }
}

#[test]
fn request_ids_are_echoed_or_made() {
    let alice = stack().person("alice");
    let answer = alice.send("GET", "/me", &[("x-request-id", "my-id-1")], Value::Null);
    assert_eq!(answer.header("x-request-id"), "my-id-1");
    assert_eq!(alice.get("/me").header("x-request-id").len(), 36);
}

#[test]
fn personal_answers_are_private_and_single_resources_have_an_etag() {
    let alice = stack().person("alice");
    let post = alice.publish("cached");
    eventually("the post counts", || alice.get("/me").body["counts"]["posts"] == 1);
    eventually("and shows", || alice.get(&format!("/u/{}", alice.handle)).body["counts"]["posts"] == 1);
    for path in ["/me".to_owned(), format!("/posts/{post}"), format!("/u/{}", alice.handle)] {
        let first = alice.get(&path).expect(200);
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{path}: {tag}");
        assert_eq!(first.header("cache-control"), "private, no-cache");
        let again = alice.send("GET", &path, &[("if-none-match", &tag)], Value::Null).expect(304);
        assert_eq!(again.body, Value::Null);
        alice.send("GET", &path, &[("if-none-match", "\"other\"")], Value::Null).expect(200);
    }
}

#[test]
fn browsers_get_cors_for_allowed_origins() {
    let nobody = stack().anonymous();
    let asked = [("origin", "https://app.example"), ("access-control-request-method", "POST")];
    let preflight = nobody.send("OPTIONS", "/posts", &asked, Value::Null).expect(204);
    assert_eq!(preflight.header("access-control-allow-origin"), "https://app.example");
    assert!(preflight.header("access-control-allow-headers").contains("Idempotency-Key"));
    let answer = nobody.send("GET", "/me", &[("origin", "https://app.example")], Value::Null);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(answer.header("vary"), "Origin");
}

#[test]
fn a_retry_with_the_same_key_replays_and_another_body_is_refused() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    let key = [("idempotency-key", "journey-1")];
    let body = json!({ "text": "once" });
    let first = alice.send("POST", "/posts", &key, body.clone()).expect(201);
    let again = alice.send("POST", "/posts", &key, body.clone()).expect(201);
    assert_eq!((again.header("idempotency-replayed"), &again.body), ("true", &first.body));
    assert_eq!(again.header("location"), first.header("location"));
    alice
        .send("POST", "/posts", &key, json!({ "text": "other" }))
        .expect_problem(422, "idempotency_mismatch");
    // The key is the caller's own.
    let other = bob.send("POST", "/posts", &key, body).expect(201);
    assert_ne!(other.body["id"], first.body["id"]);
    assert_eq!(alice.get("/feed").items().len(), 1);
    let refused =
        alice.send("POST", "/posts", &[("idempotency-key", "journey-2")], json!({ "text": "" })).expect(422);
    let again =
        alice.send("POST", "/posts", &[("idempotency-key", "journey-2")], json!({ "text": "" })).expect(422);
    assert_eq!((again.header("idempotency-replayed"), &again.body), ("true", &refused.body));
    alice
        .send("POST", "/posts", &[("idempotency-key", &"x".repeat(256))], json!({ "text": "a" }))
        .expect(422);
}

#[test]
fn a_registration_sent_twice_with_a_key_is_one_account_with_the_same_session() {
    let nobody = stack().anonymous();
    let email = format!("retry-{}@example.com", std::process::id());
    let body = json!({ "email": email, "password": "correct horse battery" });
    let key = [("idempotency-key", "register-1")];
    let first = nobody.send("POST", "/auth/register", &key, body.clone()).expect(201);
    let again = nobody.send("POST", "/auth/register", &key, body).expect(201);
    assert_eq!(first.body, again.body);
    assert_eq!(again.header("idempotency-replayed"), "true");
}

#[test]
fn pages_have_bounds_and_cursors_that_are_checked() {
    let alice = stack().person("alice");
    for path in ["/feed", "/blocked", "/search?q=a", "/tags/x"] {
        let glue = if path.contains('?') { '&' } else { '?' };
        for bad in ["0", "101", "-1", "x", "99999999999999999999"] {
            let answer = alice.get(&format!("{path}{glue}limit={bad}")).expect(422);
            assert_eq!(answer.body["errors"][0]["field"], "limit", "{path}");
        }
        for bad in ["x", "bm9wZQ", "MTp4fHk", "%20", "MTp6"] {
            let answer = alice.get(&format!("{path}{glue}cursor={bad}"));
            assert!(answer.status == 422 || answer.status == 200, "{path} {bad}: {answer:?}");
        }
        alice.get(&format!("{path}{glue}cursor=x")).expect_problem(422, "invalid_cursor");
        alice.get(&format!("{path}{glue}limit=100")).expect(200);
    }
}

#[test]
fn limited_routes_say_their_limits_and_refuse_with_retry_after() {
    let limited =
        journeys::Stack::start(&[("rate_limits", "on")]).unwrap_or_else(|error| panic!("{error:#}"));
    let alice = limited.person("alice");
    let answer = alice.post("/posts", json!({ "text": "counted" })).expect(201);
    assert!(answer.header("ratelimit-policy").contains("q=5000"), "{answer:?}");
    assert!(answer.header("ratelimit").contains(";r="), "{answer:?}");
    let nobody = limited.anonymous();
    let wrong = json!({ "email": alice.email, "password": "wrong wrong wrong" });
    let mut statuses: Vec<u16> = (0..40).map(|_| nobody.post("/auth/login", wrong.clone()).status).collect();
    let refused = nobody.post("/auth/login", wrong).expect_problem(429, "rate_limited");
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    statuses.dedup();
    assert_eq!(statuses, [401, 429]);
    // A header of the client's own does not make them somebody else.
    for header in ["spin-client-addr", "x-forwarded-for", "x-real-ip", "forwarded"] {
        let other = json!({ "email": format!("{header}@example.com"), "password": "wrong wrong wrong" });
        let spoofed = nobody.send("POST", "/auth/login", &[(header, "203.0.113.9:4242")], other);
        assert_eq!(spoofed.status, 429, "{header}: {spoofed:?}");
    }
}
