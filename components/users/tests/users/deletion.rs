//! Leaving: deletion, its receipt, the export.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use http::Method;
use serde_json::{Value, json};
use shared::ids::Id;
use shared::testing::{INTERNAL_TOKEN, World};

use crate::{block, keys, newcomer, person, problem, register, suspend, told, world};

async fn delete(world: &World, token: &str) -> String {
    let answer = world.delete("users", "/me", token).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(keys(&answer.body), ["deletionId"]);
    answer.body["deletionId"].as_str().unwrap().to_owned()
}

async fn receipt(world: &World, deletion: &str) -> Value {
    world.get("users", &format!("/me/deletion/{deletion}"), "").await.body
}

/// A row of every kind about alice, and how many there are.
async fn lived_in(world: &World) -> (Id, String, i64) {
    let (alice_id, alice) = person(world, "alice").await;
    let (bob_id, _) = person(world, "bob").await;
    world.patch("users", "/me", &alice, json!({ "displayName": "Alice", "bio": "Hello." })).await;
    world.post("users", "/username", &alice, json!({ "handle": "alice_two" })).await;
    let code = world.post("users", "/me/invite", &alice, Value::Null).await.body["code"].clone();
    world.post("users", "/me/invite", &alice, Value::Null).await;
    let mut carla = newcomer(world, "carla");
    carla["inviteCode"] = code;
    assert_eq!(register(world, &carla).await.status, 201);
    let tie = |one: &str, other: &str| json!({ one: alice_id, other: bob_id });
    let events = [
        ("follow.created", "k", tie("followerId", "followeeId")),
        ("follow.created", "k", tie("followeeId", "followerId")),
        ("follow.requested", "k", tie("requesterId", "targetId")),
        ("mute.created", "k", tie("muterId", "mutedId")),
    ];
    world.hear("users", "social", &events).await;
    block(world, bob_id, alice_id).await;
    let verified = json!({ "userId": alice_id, "email": "alice@example.org" });
    world.hear("users", "auth", &[("email.verified", &alice_id.to_string(), verified)]).await;
    // Herself and her profile, an old handle, two invites, who came by one, five ties.
    (alice_id, alice, 2 + 1 + 2 + 1 + 5)
}

#[tokio::test]
async fn a_deleted_person_is_gone_at_once_and_their_token_is_401() {
    let world = world().await;
    let (_, alice, rows) = lived_in(&world).await;
    let deletion = delete(&world, &alice).await;
    assert_eq!(problem(&world.get("users", "/me", &alice).await), (401, "invalid_token"));
    assert_eq!(problem(&world.delete("users", "/me", &alice).await), (401, "invalid_token"));
    let expected = json!({ "status": "running", "services": {
        "analytics": { "done": false, "rows": 0 }, "auth": { "done": false, "rows": 0 }, "posts": { "done": false, "rows": 0 },
        "analytics": { "done": false, "rows": 0 }, "gamification": { "done": false, "rows": 0 }, "realtime": { "done": false, "rows": 0 },
        "media": { "done": false, "rows": 0 }, "notifications": { "done": false, "rows": 0 }, "scoops": { "done": false, "rows": 0 }, "social": { "done": false, "rows": 0 }, "users": { "done": true, "rows": rows } } });
    assert_eq!(receipt(&world, &deletion).await, expected);
    let (_, bob) = (0, world.token(world.people("users", &["dora"]).await[0]));
    assert_eq!(world.get("users", "/search?q=alice", &bob).await.body["items"], json!([]));
}

#[tokio::test]
async fn what_was_personal_is_in_no_table_any_more() {
    let world = world().await;
    let (_, alice, _) = lived_in(&world).await;
    delete(&world, &alice).await;
    let db = &world.app("users").db;
    let tables = db.rows("select name from sqlite_schema where type = 'table'", vec![]).await.unwrap();
    for table in tables.iter().filter_map(|row| row[0].as_text()) {
        let rows = db.rows(&format!("select * from {table}"), vec![]).await.unwrap();
        let text = format!("{rows:?}").to_lowercase();
        // The handle itself is held for 30 days, without whose it was; of the index of words only what
        // FTS5 keeps of the whole table is left.
        let left = text.contains("alice") && table != "old_handles";
        assert!(!left && !text.contains("hello."), "{table}: {text}");
    }
    let counts = "select json_array(followers, following, posts) from people where handle = 'bob'";
    assert_eq!(db.read(counts, vec![]).await.unwrap().as_deref(), Some("[0,0,0]"));
}

#[tokio::test]
async fn the_receipt_is_done_when_every_service_has_told_once() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    let deletion = delete(&world, &alice).await;
    let tell = async |service: &str, user: Id, rows: i64| {
        let body = json!({ "userId": user, "deletionId": deletion, "service": service, "rows": rows });
        world.hear("users", service, &[("erasure.completed", "k", body)]).await;
    };
    tell("posts", world.id(), 9).await;
    assert_eq!(receipt(&world, &deletion).await["services"]["posts"]["done"], false, "of somebody else");
    for (service, rows) in [
        ("posts", 7),
        ("social", 0),
        ("media", 3),
        ("scoops", 1),
        ("notifications", 4),
        ("analytics", 5),
        ("gamification", 6),
        ("realtime", 8),
        ("posts", 99),
    ] {
        tell(service, id, rows).await;
        assert_eq!(receipt(&world, &deletion).await["status"], "running");
    }
    tell("auth", id, 2).await;
    let done = receipt(&world, &deletion).await;
    assert_eq!(done["status"], "done");
    assert_eq!(done["services"]["posts"], json!({ "done": true, "rows": 7 }));
    assert_eq!(
        keys(&done["services"]),
        [
            "analytics",
            "auth",
            "gamification",
            "media",
            "notifications",
            "posts",
            "realtime",
            "scoops",
            "social",
            "users"
        ]
    );
    let unknown = json!({ "userId": id, "deletionId": world.id(), "service": "posts", "rows": 1 });
    world.hear("users", "posts", &[("erasure.completed", "k", unknown)]).await;
}

#[tokio::test]
async fn an_unknown_deletion_is_404() {
    let world = world().await;
    for id in [world.id().to_string(), "nonsense".to_owned()] {
        let answer = world.get("users", &format!("/me/deletion/{id}"), "").await;
        assert_eq!(problem(&answer), (404, "not_found"));
    }
}

#[tokio::test]
async fn deleting_twice_at_once_is_one_deletion() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let send = || world.delete("users", "/me", &alice);
    let (one, other) = tokio::join!(send(), send());
    for answer in [&one, &other] {
        assert!(answer.status == 202 || answer.status == 401, "{answer:?}");
    }
    let deleted = told(&world).await.iter().filter(|(kind, _)| kind == "user.deleted").count();
    assert_eq!(deleted, 1);
}

#[tokio::test]
async fn the_handle_of_a_deleted_person_is_held_for_30_days_and_leads_nowhere() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let (_, bob) = person(&world, "bob").await;
    delete(&world, &alice).await;
    let take = async || world.post("users", "/username", &bob, json!({ "handle": "alice" })).await;
    assert_eq!(problem(&take().await), (409, "handle_taken"));
    assert_eq!(problem(&register(&world, &newcomer(&world, "alice")).await), (409, "handle_taken"));
    assert_eq!(world.get("users", "/internal/handles/alice", INTERNAL_TOKEN).await.status, 404);
    let db = &world.app("users").db;
    db.rows("update old_handles set given_up_at = '2020-01-01T00:00:00.000Z'", vec![]).await.unwrap();
    world.post("users", "/internal/tick", INTERNAL_TOKEN, json!({})).await;
    let left = db.read("select count(*) from old_handles", vec![]).await.unwrap();
    assert_eq!(left.as_deref(), Some("0"), "the tick forgets it");
    assert_eq!(take().await.status, 200);
}

#[tokio::test]
async fn nothing_late_brings_a_deleted_person_back() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    let (bob, _) = person(&world, "bob").await;
    delete(&world, &alice).await;
    let post = json!({ "postId": world.id(), "authorId": id, "visibility": "public" });
    world.hear("users", "posts", &[("post.published", "k", post)]).await;
    let verified = json!({ "userId": id, "email": "alice@example.org" });
    world.hear("users", "auth", &[("email.verified", "k", verified)]).await;
    let follow = json!({ "followerId": id, "followeeId": bob });
    world.hear("users", "social", &[("follow.created", "k", follow)]).await;
    let person = world.get("users", &format!("/internal/people/{id}"), INTERNAL_TOKEN).await.body;
    assert_eq!(person["status"], "deleted");
    assert_eq!(world.get("users", "/me", &alice).await.status, 401);
    suspend(&world, id, true).await;
    suspend(&world, id, false).await;
    let person = world.get("users", &format!("/internal/people/{id}"), INTERNAL_TOKEN).await.body;
    assert_eq!(person["status"], "deleted");
}

/// Answers for a service that holds something about everybody.
fn holder(world: &World, service: &'static str) {
    let export = async move |Path(id): Path<String>| json!({ "of": id, "service": service }).to_string();
    let routes = Router::new()
        .route("/internal/export/{id}", get(export))
        .route("/internal/keys", get(async || "{\"keys\":[]}"));
    world.platform.mesh.lock().unwrap().insert(format!("{service}.spin.internal"), routes);
}

#[tokio::test]
async fn an_export_holds_what_every_service_holds() {
    let world = world().await;
    let (id, alice, _) = lived_in(&world).await;
    for service in [
        "auth",
        "posts",
        "social",
        "media",
        "scoops",
        "notifications",
        "analytics",
        "gamification",
        "realtime",
    ] {
        holder(&world, service);
    }
    let answer = world.get("users", "/me/export", &alice).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        keys(&answer.body),
        [
            "analytics",
            "auth",
            "exportedAt",
            "gamification",
            "media",
            "notifications",
            "posts",
            "realtime",
            "scoops",
            "social",
            "users"
        ]
    );
    assert_eq!(answer.body["posts"], json!({ "of": id, "service": "posts" }));
    let own = &answer.body["users"];
    assert_eq!(
        keys(own),
        [
            "email",
            "emailVerified",
            "handleHistory",
            "identities",
            "invitedBy",
            "invites",
            "notificationPreferences",
            "person",
            "terms"
        ]
    );
    assert_eq!((&own["email"], &own["emailVerified"]), (&json!("alice@example.org"), &json!(true)));
    assert_eq!(own["invites"].as_array().unwrap().len(), 2);
    assert_eq!(own["handleHistory"][0]["handle"], "alice");
    assert_eq!(own["person"]["displayName"], "Alice");
}

#[tokio::test]
async fn an_export_without_a_service_is_503_rather_than_half() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    holder(&world, "posts");
    let answer = world.get("users", "/me/export", &alice).await;
    assert_eq!(problem(&answer), (503, "unavailable"));
}

#[tokio::test]
async fn the_receipt_has_an_etag_and_is_open_to_the_deleted_but_not_to_a_bad_token() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let path = format!("/me/deletion/{}", delete(&world, &alice).await);
    assert_eq!(problem(&world.get("users", &path, "nonsense").await), (401, "invalid_token"));
    let answer = world.get("users", &path, &alice).await;
    assert_eq!(answer.status, 200, "the token is still one of ours");
    let known = [("if-none-match", answer.headers["etag"].to_str().unwrap())];
    assert_eq!(world.call("users", Method::GET, &path, "", &known, Value::Null).await.status, 304);
}
