//! `/me`.

use http::Method;
use serde_json::{Value, json};
use shared::ids::Id;
use shared::testing::World;

use crate::{ME, field, keys, newcomer, person, problem, register, suspend, told, world, world_with};

#[tokio::test]
async fn me_has_exactly_the_members_of_the_contract() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    let answer = world.get("users", "/me", &alice).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut expected = answer.body.clone();
    assert_eq!(keys(&answer.body), ME);
    expected["createdAt"] = json!("");
    assert_eq!(
        expected,
        json!({
            "id": id, "handle": "alice", "displayName": null, "bio": null, "avatarUrl": null, "private": false,
            "createdAt": "", "email": "alice@example.org", "emailVerified": false, "roles": [],
            "counts": { "posts": 0, "followers": 0, "following": 0 },
            "terms": { "acceptedVersion": null, "acceptedAt": null, "currentVersion": "1" },
            "notificationPreferences": {
                "push": { "follow": true, "reaction": true, "comment": true, "mention": true, "scoop": true },
                "quietHours": null
            }
        })
    );
}

#[tokio::test]
async fn me_has_an_etag_and_is_304_for_who_has_it() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let first = world.get("users", "/me", &alice).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(first.headers["cache-control"], "private, no-cache");
    let known = [("if-none-match", tag.as_str())];
    let again = world.call("users", Method::GET, "/me", &alice, &known, Value::Null).await;
    assert_eq!(again.status, 304);
    world.patch("users", "/me", &alice, json!({ "bio": "New." })).await;
    let changed = world.call("users", Method::GET, "/me", &alice, &known, Value::Null).await;
    assert_eq!(changed.status, 200);
}

#[tokio::test]
async fn every_personal_route_is_401_without_a_token_and_for_a_stranger() {
    let world = world().await;
    let stranger = world.token(world.id());
    for (method, path, body) in [
        (Method::GET, "/me", Value::Null),
        (Method::PATCH, "/me", json!({})),
        (Method::DELETE, "/me", Value::Null),
        (Method::GET, "/me/export", Value::Null),
        (Method::POST, "/me/avatar", json!({ "key": "k" })),
        (Method::GET, "/me/notification-preferences", Value::Null),
        (Method::PATCH, "/me/notification-preferences", json!({})),
        (Method::POST, "/me/accept-terms", json!({ "version": "1" })),
        (Method::GET, "/me/invite", Value::Null),
        (Method::POST, "/me/invite", Value::Null),
        (Method::POST, "/username", json!({ "handle": "alice" })),
        (Method::GET, "/search?q=a", Value::Null),
    ] {
        for token in ["", "garbage", &stranger] {
            let answer = world.call("users", method.clone(), path, token, &[], body.clone()).await;
            assert_eq!(problem(&answer), (401, "invalid_token"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_clears() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let patch = json!({ "displayName": "  Zoë 🛴  ", "bio": "One\r\nTwo", "private": true });
    let answer = world.patch("users", "/me", &alice, patch).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(keys(&answer.body), ME);
    assert_eq!(answer.body["displayName"], "Zoë 🛴");
    assert_eq!(answer.body["bio"], "One\nTwo");
    assert_eq!(answer.body["private"], true);
    assert_eq!(answer.body, world.get("users", "/me", &alice).await.body);
    let answer = world.patch("users", "/me", &alice, json!({ "bio": null })).await;
    assert_eq!((&answer.body["bio"], &answer.body["displayName"]), (&Value::Null, &json!("Zoë 🛴")));
    let answer = world.patch("users", "/me", &alice, json!({ "displayName": "   " })).await;
    assert_eq!(answer.body["displayName"], Value::Null);
}

#[tokio::test]
async fn what_does_not_fit_is_422_with_its_field_and_changes_nothing() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    for (body, at_fault) in [
        (json!({ "displayName": "x".repeat(51) }), "displayName"),
        (json!({ "displayName": "a\u{0}b" }), "displayName"),
        (json!({ "displayName": "a\nb" }), "displayName"),
        (json!({ "displayName": 7 }), "displayName"),
        (json!({ "bio": "x".repeat(301) }), "bio"),
        (json!({ "bio": "a\u{7}b" }), "bio"),
        (json!({ "private": null }), "private"),
        (json!({ "private": "yes" }), "private"),
        (json!({ "displayName": "Alice", "bio": "x".repeat(301) }), "bio"),
    ] {
        let answer = world.patch("users", "/me", &alice, body.clone()).await;
        assert_eq!((answer.status, field(&answer)), (422, at_fault), "{body}");
    }
    let me = world.get("users", "/me", &alice).await.body;
    assert_eq!((&me["displayName"], &me["bio"], &me["private"]), (&Value::Null, &Value::Null, &json!(false)));
    assert_eq!(world.patch("users", "/me", &alice, json!([])).await.status, 422);
}

#[tokio::test]
async fn members_that_are_not_the_callers_to_set_change_nothing() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let before = world.get("users", "/me", &alice).await.body;
    let body = json!({ "id": world.id(), "role": "admin", "roles": ["admin"], "handle": "boss", "email": "x@y.z",
        "emailVerified": true, "counts": { "followers": 9 }, "avatarUrl": "http://x", "createdAt": "2020",
        "status": "active", "rev": 99, "terms": { "acceptedVersion": "1" } });
    let answer = world.patch("users", "/me", &alice, body).await;
    assert_eq!((answer.status, answer.body), (200, before));
    assert_eq!(told(&world).await.len(), 1, "nothing changed, so nothing was told");
}

#[tokio::test]
async fn accepting_the_current_terms_is_noted_once() {
    let world = world_with(&[("terms_version", "2026-11")]).await;
    let (_, alice) = person(&world, "alice").await;
    for wrong in ["1", "", "2026-12"] {
        let answer = world.post("users", "/me/accept-terms", &alice, json!({ "version": wrong })).await;
        assert_eq!((answer.status, field(&answer)), (422, "version"), "{wrong}");
    }
    let body = json!({ "version": "2026-11" });
    let first = world.post("users", "/me/accept-terms", &alice, body.clone()).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(keys(&first.body), ME);
    assert_eq!(first.body["terms"]["acceptedVersion"], "2026-11");
    assert!(first.body["terms"]["acceptedAt"].as_str().unwrap().ends_with('Z'));
    let again = world.post("users", "/me/accept-terms", &alice, body).await;
    assert_eq!(again.body, first.body);
}

/// From now on every upload that is claimed is `status`.
fn claims_are(world: &World, status: &'static str) {
    let answer = async move |body: String| {
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["purpose"], "avatar");
        let key = body["keys"][0].as_str().unwrap();
        let media = json!({ "key": key, "status": status, "error": null });
        let url = format!("http://127.0.0.1:3000/avatars/{key}");
        json!({ "items": [{ "key": key, "status": status, "media": media, "avatarUrl": url }] }).to_string()
    };
    let routes = axum::Router::new().route("/internal/claims", axum::routing::post(answer));
    world.platform.mesh.lock().unwrap().insert("media.spin.internal".to_owned(), routes);
}

#[tokio::test]
async fn a_picture_is_shown_when_it_is_ready_and_the_one_before_until_then() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    let (first, second) = (world.id(), world.id());
    let url = |key: Id| json!(format!("http://127.0.0.1:3000/avatars/{key}"));
    claims_are(&world, "ready");
    let set = async |key: Id| world.post("users", "/me/avatar", &alice, json!({ "key": key })).await;
    assert_eq!(set(first).await.body["avatarUrl"], url(first));
    claims_are(&world, "processing");
    assert_eq!(set(second).await.body["avatarUrl"], url(first));
    let ready = |key: Id| {
        let body = json!({ "key": key, "ownerId": id, "media": {}, "avatarUrl": url(key) });
        [("media.ready", "k", body)]
    };
    world.hear("users", "media", &ready(world.id())).await;
    assert_eq!(world.get("users", "/me", &alice).await.body["avatarUrl"], url(first), "another one");
    world.hear("users", "media", &ready(second)).await;
    assert_eq!(world.get("users", "/me", &alice).await.body["avatarUrl"], url(second));
    let told = told(&world).await;
    let keys: Vec<&Value> =
        told.iter().filter(|(kind, _)| kind == "avatar.changed").map(|(_, body)| &body["key"]).collect();
    assert_eq!(keys, [&json!(first), &json!(second)]);
    assert_eq!(told.last().unwrap().1["avatarUrl"], url(second), "the other services hear of it");
    world.hear("users", "media", &[("media.deleted", "k", json!({ "key": second, "ownerId": id }))]).await;
    assert_eq!(world.get("users", "/me", &alice).await.body["avatarUrl"], Value::Null);
}

#[tokio::test]
async fn a_picture_that_was_ready_a_moment_before_it_was_wanted_is_shown() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    let key = world.id();
    let body = json!({ "key": key, "ownerId": id, "media": {}, "avatarUrl": "x" });
    world.hear("users", "media", &[("media.ready", &key.to_string(), body)]).await;
    claims_are(&world, "processing");
    let me = world.post("users", "/me/avatar", &alice, json!({ "key": key })).await;
    assert_eq!(me.body["avatarUrl"], format!("http://127.0.0.1:3000/avatars/{key}"));
}

#[tokio::test]
async fn a_picture_cannot_be_set_while_nothing_answers_for_uploads() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    assert_eq!(world.post("users", "/me/avatar", &alice, json!({ "key": "k" })).await.status, 503);
    assert_eq!(world.post("users", "/me/avatar", &alice, json!({})).await.status, 422);
}

#[tokio::test]
async fn an_administrator_is_who_has_a_verified_address_of_one() {
    let world = world_with(&[("admin_emails", "boss@example.org, Alice@Example.org")]).await;
    let (id, alice) = person(&world, "alice").await;
    let (_, bob) = person(&world, "bob").await;
    let roles = async |token: &str| world.get("users", "/me", token).await.body["roles"].clone();
    assert_eq!(roles(&alice).await, json!([]), "not verified yet");
    let verified = json!({ "userId": id, "email": "alice@example.org" });
    world.hear("users", "auth", &[("email.verified", "k", verified)]).await;
    assert_eq!(roles(&alice).await, json!(["admin"]));
    assert_eq!(world.get("users", "/me", &alice).await.body["emailVerified"], true);
    assert_eq!(roles(&bob).await, json!([]));
}

#[tokio::test]
async fn an_address_that_is_not_theirs_any_more_is_not_verified() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    let verified = json!({ "userId": id, "email": "other@example.org" });
    world.hear("users", "auth", &[("email.verified", "k", verified)]).await;
    assert_eq!(world.get("users", "/me", &alice).await.body["emailVerified"], false);
}

#[tokio::test]
async fn a_retry_with_the_same_key_replays_the_answer() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let key = [("idempotency-key", "k1")];
    let send =
        async |path: &str, body: Value| world.call("users", Method::POST, path, &alice, &key, body).await;
    for (path, body, other) in [
        ("/username", json!({ "handle": "alice_two" }), json!({ "handle": "alice_three" })),
        ("/me/accept-terms", json!({ "version": "1" }), json!({ "version": "2" })),
        ("/me/invite", json!({}), json!({ "x": 1 })),
    ] {
        let (first, again) = (send(path, body.clone()).await, send(path, body).await);
        assert_eq!(first.body, again.body, "{path}");
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(problem(&send(path, other).await), (422, "idempotency_mismatch"), "{path}");
    }
    assert_eq!(world.get("users", "/me/invite", &alice).await.body["remaining"], 9);
    let _ = register(&world, &newcomer(&world, "bob")).await;
}

#[tokio::test]
async fn suspended_people_are_403_on_every_route_of_theirs() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    suspend(&world, id, true).await;
    assert_eq!(problem(&world.get("users", "/me", &alice).await), (403, "account_suspended"));
    let patch = world.patch("users", "/me", &alice, json!({ "bio": "x" })).await;
    assert_eq!(problem(&patch), (403, "account_suspended"));
    suspend(&world, id, false).await;
    assert_eq!(world.get("users", "/me", &alice).await.status, 200);
}
