//! `GET /u/{handle}`.

use http::Method;
use serde_json::{Value, json};
use shared::params;

use crate::common::{PROFILE, Who, keys, problem, relationship, town};

#[tokio::test]
async fn a_profile_has_exactly_its_members_and_is_open() {
    let town = town().await;
    let anonymous = town.world.get("social", "/u/Alice", "").await;
    assert_eq!((anonymous.status, keys(&anonymous.body)), (200, PROFILE.to_vec()));
    assert_eq!(anonymous.body["id"], town.alice.id.to_string());
    assert_eq!(anonymous.body["private"], false);
    assert_eq!(anonymous.body["counts"], json!({ "posts": 0, "followers": 0, "following": 0 }));
    assert_eq!(anonymous.body["relationship"], Value::Null);
    assert_eq!(anonymous.headers["cache-control"], "private, no-cache");
    assert_eq!(town.get(&town.alice, "/u/alice").await.body["relationship"], Value::Null);
    town.tie(&town.bob, "/follow", &town.alice).await;
    let seen = town.get(&town.bob, "/u/alice").await;
    assert_eq!(seen.body["relationship"], relationship(&["following"]));
    assert_eq!(seen.body["counts"], json!({ "posts": 0, "followers": 1, "following": 0 }));
    assert_eq!(town.world.get("social", "/u/alice", "bad").await.status, 401);
}

#[tokio::test]
async fn a_profile_the_client_has_is_304_until_it_changes() {
    let town = town().await;
    let first = town.get(&town.bob, "/u/alice").await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let known = [("if-none-match", tag.as_str())];
    let again = async || {
        town.world.call("social", Method::GET, "/u/alice", &town.bob.token, &known, Value::Null).await.status
    };
    assert_eq!(again().await, 304);
    town.tie(&town.carla, "/follow", &town.alice).await;
    assert_eq!(again().await, 200);
}

#[tokio::test]
async fn a_private_profile_is_shown_to_all() {
    let town = town().await;
    town.make_private(&town.alice).await;
    for token in ["", &town.bob.token] {
        let seen = town.world.get("social", "/u/alice", token).await;
        assert_eq!((seen.status, keys(&seen.body)), (200, PROFILE.to_vec()));
        assert_eq!(seen.body["private"], true);
    }
}

/// The rule of blocks: 404 to the blocked, found by who blocked, 404 to both where both did.
#[tokio::test]
async fn who_finds_whom_across_a_block() {
    let town = town().await;
    let (alice, bob) = (&town.alice, &town.bob);
    let see = async |who: &Who, whom: &Who| {
        let seen = town.get(who, &format!("/u/{}", whom.handle)).await;
        (seen.status, seen.body["relationship"]["blocking"].clone())
    };
    town.tie(alice, "/block", bob).await;
    assert_eq!(see(bob, alice).await, (404, Value::Null));
    assert_eq!(see(alice, bob).await, (200, json!(true)));
    town.tie(bob, "/block", alice).await;
    assert_eq!(see(bob, alice).await, (404, Value::Null));
    assert_eq!(see(alice, bob).await, (404, Value::Null));
    town.tie(alice, "/unblock", bob).await;
    assert_eq!(see(bob, alice).await, (200, json!(true)));
    assert_eq!(see(alice, bob).await, (404, Value::Null));
    town.tie(bob, "/unblock", alice).await;
    assert_eq!(see(bob, alice).await, (200, json!(false)));
    assert_eq!(see(alice, bob).await, (200, json!(false)));
    assert_eq!(see(&town.carla, alice).await, (200, json!(false)));
}

#[tokio::test]
async fn missing_suspended_deleted_and_blocking_people_are_the_same_404() {
    let town = town().await;
    town.tie(&town.alice, "/block", &town.bob).await;
    let mut missing = Vec::new();
    missing.push(town.get(&town.bob, "/u/nobody").await);
    missing.push(town.get(&town.bob, "/u/alice").await);
    for name in ["x".repeat(300), "no%20body".to_owned(), "%00".to_owned(), "b%C3%B6b".to_owned()] {
        missing.push(town.get(&town.bob, &format!("/u/{name}")).await);
    }
    town.change(&town.carla, "user.suspended", 2, json!({ "status": "suspended" })).await;
    missing.push(town.get(&town.bob, "/u/carla").await);
    let gone = json!({ "status": "deleted", "handle": null, "deletionId": town.world.id() });
    town.change(&town.carla, "user.deleted", 3, gone).await;
    missing.push(town.get(&town.bob, "/u/carla").await);
    for answer in &missing {
        assert_eq!(problem(answer), (404, "not_found"), "{answer:?}");
        assert_eq!(keys(&answer.body), keys(&missing[0].body));
        assert_eq!(answer.body["detail"], missing[0].body["detail"]);
    }
}

#[tokio::test]
async fn a_held_old_handle_leads_to_the_new_one() {
    let town = town().await;
    let rename = json!({ "handle": "alicia" });
    town.change(&town.alice, "user.updated", 2, rename.clone()).await;
    let alicia = serde_json::from_value(town.account(&town.alice, 2, rename)).unwrap();
    shared::people::adopt(town.world.app("users"), &alicia).await.unwrap();
    town.rows("users", "insert into old_handles values ('alice', ?1)", params![town.alice.id]).await;
    for (path, location) in [
        ("/u/alice", "/u/alicia"),
        ("/u/ALICE", "/u/alicia"),
        ("/u/alice/followers", "/u/alicia/followers"),
        ("/u/alice/following?limit=3", "/u/alicia/following?limit=3"),
    ] {
        let answer = town.get(&town.bob, path).await;
        assert_eq!((answer.status, answer.headers["location"].to_str().unwrap()), (308, location));
    }
    assert_eq!(town.world.get("social", "/u/alice", "").await.status, 308);
    town.tie(&town.alice, "/block", &town.bob).await;
    assert_eq!(problem(&town.get(&town.bob, "/u/alice").await), (404, "not_found"));
}

#[tokio::test]
async fn somebody_new_is_found_before_their_event_arrives() {
    let town = town().await;
    town.register_elsewhere("dora").await;
    let dora = town.get(&town.alice, "/u/dora").await;
    assert_eq!((dora.status, &dora.body["handle"]), (200, &json!("dora")));
    town.register_elsewhere("emil").await;
    let followers = town.get(&town.alice, "/u/emil/followers").await;
    assert_eq!((followers.status, &followers.body["items"]), (200, &json!([])));
}
