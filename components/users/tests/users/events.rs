//! What is told and what is heard.

use serde_json::{Value, json};
use shared::events::CATALOGUE;
use shared::people::Person;
use shared::testing::{INTERNAL_TOKEN, World};

use crate::{person, suspend, told, world};

/// One of each kind, as far as a life goes.
async fn a_life(world: &World) {
    let (id, alice) = person(world, "alice").await;
    world.patch("users", "/me", &alice, json!({ "displayName": "Alice", "private": true })).await;
    world.post("users", "/username", &alice, json!({ "handle": "alice_two" })).await;
    suspend(world, id, true).await;
    suspend(world, id, false).await;
}

#[tokio::test]
async fn every_change_is_told_once_with_exactly_the_members_of_the_catalogue() {
    let world = world().await;
    a_life(&world).await;
    let (_, bob) = person(&world, "bob").await;
    let mut all = told(&world).await;
    let hours = json!({ "start": "22:00", "end": "07:00", "timeZone": "Europe/Berlin" });
    world.patch("users", "/me/notification-preferences", &bob, json!({ "quietHours": hours })).await;
    let (kind, preferences) = told(&world).await.swap_remove(6);
    let known = CATALOGUE.iter().find(|known| known.name == kind).unwrap();
    assert_eq!((kind.as_str(), known.body), ("preferences.updated", &["userId", "preferences"][..]));
    assert_eq!(crate::keys(&preferences), ["preferences", "userId"]);
    assert_eq!(preferences["preferences"]["quietHours"], hours);
    world.delete("users", "/me", &bob).await;
    all.extend(told(&world).await.into_iter().filter(|(kind, _)| kind == "user.deleted"));
    let kinds: Vec<&str> = all.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "user.registered",
            "user.updated",
            "user.updated",
            "user.suspended",
            "user.unsuspended",
            "user.registered",
            "user.deleted"
        ]
    );
    for (kind, body) in &all {
        let known = CATALOGUE.iter().find(|known| known.name == kind).unwrap();
        let (mut expected, mut members) = (known.body.to_vec(), crate::keys(body));
        expected.sort_unstable();
        members.sort_unstable();
        assert_eq!(members, expected, "{kind}");
        serde_json::from_value::<Person>(body.clone()).unwrap();
    }
    let revs: Vec<&Value> = all.iter().map(|(_, body)| &body["rev"]).collect();
    assert_eq!(revs, [1, 2, 3, 4, 5, 1, 2], "a change, a rev");
    assert_eq!((&all[1].1["displayName"], &all[1].1["private"]), (&json!("Alice"), &json!(1)));
    assert_eq!((&all[3].1["status"], &all[4].1["status"]), (&json!("suspended"), &json!("active")));
    let deleted = &all[6].1;
    assert_eq!((&deleted["status"], &deleted["handle"]), (&json!("deleted"), &Value::Null));
    assert!(deleted["deletionId"].is_string());
}

#[tokio::test]
async fn what_changes_nothing_shown_is_not_told() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    let (bob, _) = person(&world, "bob").await;
    world.patch("users", "/me", &alice, json!({ "private": false, "bio": null })).await;
    world.post("users", "/username", &alice, json!({ "handle": "alice" })).await;
    world.post("users", "/me/accept-terms", &alice, json!({ "version": "1" })).await;
    world.post("users", "/me/invite", &alice, Value::Null).await;
    let follow = json!({ "followerId": id, "followeeId": bob });
    world.hear("users", "social", &[("follow.created", "k", follow)]).await;
    assert_eq!(told(&world).await.len(), 2);
}

#[tokio::test]
async fn counts_are_of_what_is_published_and_followed_now() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    let (bob, _) = person(&world, "bob").await;
    let post = world.id();
    let published = json!({ "postId": post, "authorId": id, "visibility": "public" });
    let deleted = |was: Value| json!({ "postId": post, "authorId": id, "wasPublished": was });
    let counts = async || world.get("users", "/me", &alice).await.body["counts"].clone();
    let events = [("post.published", "k", published.clone()), ("post.published", "k", published)];
    world.hear("users", "posts", &events).await;
    let (follow, back) =
        (json!({ "followerId": id, "followeeId": bob }), json!({ "followerId": bob, "followeeId": id }));
    let events = [("follow.created", "k", follow.clone()), ("follow.created", "k", back)];
    world.hear("users", "social", &events).await;
    assert_eq!(counts().await, json!({ "posts": 2, "followers": 1, "following": 1 }));
    let events = [
        ("post.deleted", "k", deleted(json!(true))),
        ("post.deleted", "k", deleted(json!(false))),
        ("post.deleted", "k", deleted(json!(0))),
    ];
    world.hear("users", "posts", &events).await;
    world.hear("users", "social", &[("follow.removed", "k", follow)]).await;
    assert_eq!(counts().await, json!({ "posts": 1, "followers": 1, "following": 0 }));
    world.hear("users", "posts", &[("post.deleted", "k", deleted(json!(1)))]).await;
    assert_eq!(counts().await["posts"], 0);
}

#[tokio::test]
async fn an_event_that_comes_twice_counts_once() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    let body = json!({ "postId": world.id(), "authorId": id, "visibility": "public" });
    let event = json!({ "seq": 4, "type": "post.published", "key": "k", "at": "2026-11-21T00:00:00.000Z", "body": body });
    let batch = json!({ "source": "posts", "after": 0, "events": [event] });
    for _ in 0..2 {
        let answer = world.post("users", "/internal/events", INTERNAL_TOKEN, batch.clone()).await;
        assert_eq!(answer.body["seq"], 4, "{answer:?}");
    }
    assert_eq!(world.get("users", "/me", &alice).await.body["counts"]["posts"], 1);
}

#[tokio::test]
async fn an_event_of_somebody_unknown_is_heard_without_harm_and_tells_nothing() {
    let world = world().await;
    let (one, other) = (world.id(), world.id());
    let follow = json!({ "followerId": one, "followeeId": other });
    world.hear("users", "social", &[("follow.created", "k", follow)]).await;
    let post = json!({ "postId": world.id(), "authorId": one, "visibility": "public" });
    world.hear("users", "posts", &[("post.published", "k", post)]).await;
    assert!(told(&world).await.is_empty());
    assert_eq!(world.get("users", "/me", &world.token(one)).await.status, 401);
    assert_eq!(world.get("users", &format!("/internal/people/{one}"), INTERNAL_TOKEN).await.status, 404);
}
