//! The service among its real neighbours, `users` and `posts`.

use serde_json::{Value, json};
use shared::ids::Id;
use shared::testing::{Answer, INTERNAL_TOKEN, World};

use crate::common::{handles, problem, relationship};

/// Somebody registered.
struct Person {
    id: Id,
    token: String,
}

async fn world() -> World {
    World::start(&[&users::SERVICE, &posts::SERVICE, &social::SERVICE], &[]).await
}

async fn register(world: &World, handle: &str) -> Person {
    let id = world.id();
    let body = json!({ "id": id, "email": format!("{handle}@example.org"), "handle": handle, "displayName": null,
        "inviteCode": null });
    let answer = world.post("users", "/internal/people", INTERNAL_TOKEN, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    Person { id, token: world.token(id) }
}

async fn tie(world: &World, who: &Person, verb: &str, whom: &Person) -> Value {
    let answer = world.post("social", verb, &who.token, json!({ "userId": whom.id })).await;
    assert_eq!(answer.status, 200, "{verb} {answer:?}");
    answer.body
}

async fn publish(world: &World, who: &Person) -> Value {
    let answer = world.post("posts", "/posts", &who.token, json!({ "text": "Hello." })).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body["id"].clone()
}

async fn report(world: &World, who: &Person, kind: &str, id: &Value) -> Answer {
    let body = json!({ "targetType": kind, "targetId": id, "reason": "spam" });
    world.post("social", "/report", &who.token, body).await
}

/// What goes out right after an answer, or between services, has gone out.
async fn settle(world: &World) {
    for service in ["users", "posts", "social", "users", "posts", "social"] {
        world.post(service, "/internal/tick", INTERNAL_TOKEN, json!({})).await;
    }
}

#[tokio::test]
async fn somebody_registered_is_followed_found_and_renamed() {
    let world = world().await;
    let (alice, bob) = (register(&world, "alice").await, register(&world, "bob").await);
    assert_eq!(tie(&world, &alice, "/follow", &bob).await, relationship(&["following"]));
    let renamed = world.post("users", "/username", &bob.token, json!({ "handle": "bobby" })).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    let moved = world.get("social", "/u/bob", &alice.token).await;
    assert_eq!((moved.status, moved.headers["location"].to_str().unwrap()), (308, "/u/bobby"));
    assert_eq!(world.get("social", "/u/bobby", "").await.body["counts"]["followers"], 1);
    assert_eq!(problem(&world.get("social", "/u/nobody", "").await), (404, "not_found"));
}

#[tokio::test]
async fn going_private_and_public_is_felt_at_once() {
    let world = world().await;
    let (alice, bob) = (register(&world, "alice").await, register(&world, "bob").await);
    let set = async |private: bool| {
        let answer = world.patch("users", "/me", &bob.token, json!({ "private": private })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    set(true).await;
    assert_eq!(tie(&world, &alice, "/follow", &bob).await, relationship(&["requested"]));
    let lists = world.get("social", "/u/bob/followers", &alice.token).await;
    assert_eq!(problem(&lists), (403, "private_account"));
    set(false).await;
    let followers = world.get("social", "/u/bob/followers", &alice.token).await;
    assert_eq!(handles(&followers), ["alice"]);
    // The follows that came of it are told between services, after the answer.
    settle(&world).await;
    let found = world.get("users", "/search?q=bob", &alice.token).await;
    assert_eq!(found.body["items"][0]["relationship"], relationship(&["following"]));
}

#[tokio::test]
async fn a_block_hides_posts_and_profiles_when_its_answer_arrives() {
    let world = world().await;
    let (alice, bob) = (register(&world, "alice").await, register(&world, "bob").await);
    let post = publish(&world, &alice).await;
    let path = format!("/posts/{}", post.as_str().unwrap());
    tie(&world, &bob, "/follow", &alice).await;
    assert_eq!(world.get("posts", &path, &bob.token).await.status, 200);
    assert_eq!(report(&world, &bob, "post", &post).await.status, 201);
    assert_eq!(report(&world, &alice, "post", &post).await.status, 422);
    tie(&world, &alice, "/block", &bob).await;
    assert_eq!(world.get("posts", &path, &bob.token).await.status, 404);
    assert_eq!(world.get("posts", "/feed", &bob.token).await.body["items"], json!([]));
    assert_eq!(report(&world, &bob, "post", &post).await.status, 404);
    let found = world.get("users", "/search?q=alice", &bob.token).await;
    assert_eq!(found.body["items"], json!([]));
}

#[tokio::test]
async fn posts_are_counted_and_comments_reported() {
    let world = world().await;
    let (alice, bob) = (register(&world, "alice").await, register(&world, "bob").await);
    let post = publish(&world, &alice).await;
    publish(&world, &alice).await;
    let path = format!("/comments/{}", post.as_str().unwrap());
    let comment = world.post("posts", &path, &bob.token, json!({ "text": "Rude." })).await;
    assert_eq!(comment.status, 201, "{comment:?}");
    assert_eq!(report(&world, &alice, "comment", &comment.body["id"]).await.status, 201);
    let path = format!("/posts/{}", post.as_str().unwrap());
    assert_eq!(world.delete("posts", &path, &alice.token).await.status, 204);
    settle(&world).await;
    assert_eq!(world.get("social", "/u/alice", "").await.body["counts"]["posts"], 1);
    assert_eq!(report(&world, &bob, "post", &post).await.status, 404);
}

#[tokio::test]
async fn a_deletion_is_receipted() {
    let world = world().await;
    let (alice, bob) = (register(&world, "alice").await, register(&world, "bob").await);
    tie(&world, &alice, "/follow", &bob).await;
    tie(&world, &bob, "/mute", &alice).await;
    let deletion = world.delete("users", "/me", &alice.token).await;
    assert_eq!(deletion.status, 202, "{deletion:?}");
    settle(&world).await;
    let path = format!("/me/deletion/{}", deletion.body["deletionId"].as_str().unwrap());
    let receipt = world.get("users", &path, "").await;
    assert_eq!(receipt.body["services"]["social"], json!({ "done": true, "rows": 3 }), "{receipt:?}");
    assert_eq!(problem(&world.get("social", "/u/alice", &bob.token).await), (404, "not_found"));
    assert_eq!(world.get("social", "/u/bob", "").await.body["counts"]["followers"], 0);
    assert_eq!(world.get("social", "/muted", &bob.token).await.body["items"], json!([]));
}
