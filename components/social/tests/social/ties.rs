//! The six verbs.

use http::Method;
use serde_json::{Value, json};

use crate::common::{keys, problem, relationship, town};

const VERBS: [&str; 6] = ["/follow", "/unfollow", "/block", "/unblock", "/mute", "/unmute"];

#[tokio::test]
async fn each_verb_answers_the_relationship_after_it_and_again_the_same() {
    let town = town().await;
    for (verb, after) in [
        ("/follow", &["following"][..]),
        ("/mute", &["following", "muting"]),
        ("/unfollow", &["muting"]),
        ("/unmute", &[]),
        ("/follow", &["following"]),
        ("/block", &["blocking"]),
        ("/unblock", &[]),
    ] {
        for _ in 0..2 {
            assert_eq!(town.tie(&town.alice, verb, &town.bob).await, relationship(after), "{verb}");
        }
    }
    let named = town.post(&town.alice, "/follow", json!({ "handle": " BOB " })).await;
    assert_eq!((named.status, named.body), (200, relationship(&["following"])));
    assert_eq!(town.tie(&town.bob, "/unfollow", &town.alice).await, relationship(&["followedBy"]));
}

#[tokio::test]
async fn following_a_private_person_asks_and_unfollowing_takes_it_back() {
    let town = town().await;
    town.make_private(&town.bob).await;
    for _ in 0..2 {
        assert_eq!(town.tie(&town.alice, "/follow", &town.bob).await, relationship(&["requested"]));
    }
    assert_eq!(town.ties("social").await, ["alice asks bob"]);
    assert_eq!(town.tie(&town.alice, "/unfollow", &town.bob).await, relationship(&[]));
    assert_eq!(town.ties("social").await, [""; 0]);
}

#[tokio::test]
async fn who_follows_already_needs_not_ask_when_the_person_goes_private() {
    let town = town().await;
    town.tie(&town.alice, "/follow", &town.bob).await;
    town.make_private(&town.bob).await;
    assert_eq!(town.tie(&town.alice, "/follow", &town.bob).await, relationship(&["following"]));
    assert_eq!(town.ties("social").await, ["alice follows bob"]);
}

#[tokio::test]
async fn going_public_turns_requests_into_follows() {
    let town = town().await;
    town.make_private(&town.bob).await;
    town.tie(&town.alice, "/follow", &town.bob).await;
    town.tie(&town.carla, "/follow", &town.bob).await;
    town.change(&town.bob, "user.updated", 3, json!({ "private": 0 })).await;
    assert_eq!(town.ties("social").await, ["alice follows bob", "carla follows bob"]);
    let kinds: Vec<String> = town.outbox().await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "follow.request_removed").count(), 2);
    assert_eq!(kinds.iter().filter(|kind| *kind == "follow.created").count(), 2);
    let bob = town.get(&town.alice, "/u/bob").await;
    assert_eq!(bob.body["counts"]["followers"], 2);
}

#[tokio::test]
async fn blocking_cuts_follows_and_requests_both_ways_and_unblocking_restores_none() {
    let town = town().await;
    town.tie(&town.alice, "/follow", &town.bob).await;
    town.make_private(&town.alice).await;
    town.tie(&town.bob, "/follow", &town.alice).await;
    town.tie(&town.carla, "/follow", &town.bob).await;
    assert_eq!(town.tie(&town.alice, "/block", &town.bob).await, relationship(&["blocking"]));
    assert_eq!(town.ties("social").await, ["alice blocks bob", "carla follows bob"]);
    assert_eq!(town.tie(&town.alice, "/unblock", &town.bob).await, relationship(&[]));
    assert_eq!(town.ties("social").await, ["carla follows bob"]);
    let bob = town.get(&town.alice, "/u/bob").await;
    assert_eq!(bob.body["counts"], json!({ "posts": 0, "followers": 1, "following": 0 }));
}

#[tokio::test]
async fn who_blocks_the_caller_is_missing_to_every_verb_but_block_and_unblock() {
    let town = town().await;
    town.tie(&town.bob, "/mute", &town.alice).await;
    town.tie(&town.alice, "/block", &town.bob).await;
    for verb in ["/follow", "/unfollow", "/mute", "/unmute"] {
        for body in [town.alice.named(), json!({ "handle": "alice" })] {
            assert_eq!(problem(&town.post(&town.bob, verb, body).await), (404, "not_found"), "{verb}");
        }
    }
    // To block back is the only way to a block both ways, and unblocking must end it.
    assert_eq!(town.tie(&town.bob, "/block", &town.alice).await, relationship(&["blocking", "muting"]));
    for _ in 0..2 {
        assert_eq!(town.tie(&town.bob, "/unblock", &town.alice).await, relationship(&["muting"]));
    }
    assert_eq!(town.ties("social").await, ["alice blocks bob", "bob mutes alice"]);
}

#[tokio::test]
async fn following_whom_the_caller_blocks_is_a_conflict() {
    let town = town().await;
    town.tie(&town.alice, "/block", &town.bob).await;
    let refused = town.post(&town.alice, "/follow", town.bob.named()).await;
    assert_eq!(problem(&refused), (409, "blocking"));
    town.make_private(&town.bob).await;
    let refused = town.post(&town.alice, "/follow", town.bob.named()).await;
    assert_eq!(problem(&refused), (409, "blocking"));
    assert_eq!(town.tie(&town.alice, "/mute", &town.bob).await, relationship(&["blocking", "muting"]));
}

#[tokio::test]
async fn oneself_is_422_and_an_unknown_suspended_or_deleted_person_is_404() {
    let town = town().await;
    town.change(&town.bob, "user.suspended", 2, json!({ "status": "suspended" })).await;
    town.change(
        &town.carla,
        "user.deleted",
        2,
        json!({ "status": "deleted", "handle": null, "deletionId": town.world.id() }),
    )
    .await;
    for verb in VERBS {
        for (body, field) in [(town.alice.named(), "userId"), (json!({ "handle": "Alice" }), "handle")] {
            let answer = town.post(&town.alice, verb, body).await;
            assert_eq!(problem(&answer), (422, "invalid"), "{verb}");
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
        for body in [
            json!({ "userId": town.world.id() }),
            json!({ "handle": "nobody" }),
            json!({ "handle": "no body!" }),
            json!({ "handle": "x".repeat(5_000) }),
            town.bob.named(),
            json!({ "handle": "bob" }),
            town.carla.named(),
        ] {
            let answer = town.post(&town.alice, verb, body.clone()).await;
            assert_eq!(problem(&answer), (404, "not_found"), "{verb} {body}");
        }
    }
    assert_eq!(town.ties("social").await, [""; 0]);
}

#[tokio::test]
async fn bodies_that_name_nobody_or_two_are_422_and_further_members_change_nothing() {
    let town = town().await;
    for verb in VERBS {
        for (body, status) in [
            (json!({}), 422),
            (json!({ "userId": "7" }), 422),
            (json!({ "userId": 7 }), 422),
            (json!({ "userId": town.bob.id, "handle": "bob" }), 422),
            (json!([]), 422),
        ] {
            let answer = town.post(&town.alice, verb, body.clone()).await;
            assert_eq!(answer.status, status, "{verb} {body} {answer:?}");
        }
        let anonymous = town.world.post("social", verb, "", town.bob.named()).await;
        assert_eq!(problem(&anonymous), (401, "invalid_token"));
    }
    let body = json!({ "userId": town.bob.id, "follower": town.carla.id, "createdAt": "1999-01-01T00:00:00.000Z", "private": true });
    let answer = town.post(&town.alice, "/follow", body).await;
    assert_eq!(keys(&answer.body), ["blocking", "followedBy", "following", "muting", "requested"]);
    assert_eq!(town.ties("social").await, ["alice follows bob"]);
}

#[tokio::test]
async fn a_retry_under_one_key_is_answered_from_the_first() {
    let town = town().await;
    let key = [("idempotency-key", "k")];
    let send = async |body: Value| {
        town.world.call("social", Method::POST, "/follow", &town.alice.token, &key, body).await
    };
    let first = send(town.bob.named()).await;
    town.tie(&town.alice, "/unfollow", &town.bob).await;
    let again = send(town.bob.named()).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(town.ties("social").await, [""; 0], "the retry followed nobody");
    assert_eq!(problem(&send(town.carla.named()).await), (422, "idempotency_mismatch"));
}

#[tokio::test]
async fn somebody_whose_event_has_not_arrived_is_asked_for() {
    let town = town().await;
    let dora = town.register_elsewhere("dora").await;
    let emil = town.register_elsewhere("emil").await;
    assert_eq!(town.tie(&town.alice, "/follow", &dora).await, relationship(&["following"]));
    let named = town.post(&town.alice, "/follow", json!({ "handle": "emil" })).await;
    assert_eq!((named.status, named.body), (200, relationship(&["following"])));
    // And so is a caller.
    assert_eq!(town.tie(&emil, "/follow", &town.alice).await, relationship(&["following", "followedBy"]));
}

#[tokio::test]
async fn the_muted_never_learn_of_it() {
    let town = town().await;
    town.tie(&town.bob, "/follow", &town.alice).await;
    town.tie(&town.alice, "/mute", &town.bob).await;
    let alice = town.get(&town.bob, "/u/alice").await;
    assert_eq!(alice.body["relationship"], relationship(&["following"]));
    assert_eq!(town.get(&town.bob, "/u/alice/followers").await.status, 200);
    assert_eq!(town.get(&town.bob, "/muted").await.body["items"], json!([]));
}
