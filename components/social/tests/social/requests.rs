//! Follow requests.

use serde_json::json;

use crate::common::{USER, handles, keys, problem, relationship, town};

#[tokio::test]
async fn a_request_accepted_becomes_a_follow_and_is_gone() {
    let town = town().await;
    town.make_private(&town.alice).await;
    town.tie(&town.bob, "/follow", &town.alice).await;
    town.tie(&town.carla, "/follow", &town.alice).await;
    let page = town.get(&town.alice, "/follow-requests").await;
    assert_eq!(handles(&page), ["carla", "bob"]);
    assert_eq!(
        (keys(&page.body), keys(&page.body["items"][0])),
        (vec!["items", "nextCursor"], USER.to_vec())
    );
    let accept = format!("/follow-requests/{}/accept", town.bob.id);
    let accepted = town.post(&town.alice, &accept, json!({})).await;
    assert_eq!((accepted.status, accepted.body), (204, json!(null)));
    assert_eq!(problem(&town.post(&town.alice, &accept, json!({})).await), (404, "not_found"));
    let reject = format!("/follow-requests/{}/reject", town.carla.id);
    assert_eq!(town.post(&town.alice, &reject, json!({})).await.status, 204);
    assert_eq!(problem(&town.post(&town.alice, &reject, json!({})).await), (404, "not_found"));
    assert_eq!(town.ties("social").await, ["bob follows alice"]);
    let alice = town.get(&town.bob, "/u/alice").await;
    assert_eq!(alice.body["relationship"], relationship(&["following"]));
    assert_eq!(alice.body["counts"]["followers"], 1);
}

#[tokio::test]
async fn a_request_is_answered_without_a_body_too() {
    let town = town().await;
    town.make_private(&town.alice).await;
    town.tie(&town.bob, "/follow", &town.alice).await;
    let accept = format!("/follow-requests/{}/accept", town.bob.id);
    assert_eq!(town.post(&town.alice, &accept, json!(null)).await.status, 204);
}

#[tokio::test]
async fn nobody_else_sees_accepts_or_rejects_a_request() {
    let town = town().await;
    town.make_private(&town.alice).await;
    town.tie(&town.bob, "/follow", &town.alice).await;
    for who in [&town.bob, &town.carla] {
        assert_eq!(handles(&town.get(who, "/follow-requests").await), [""; 0]);
        for verb in ["accept", "reject"] {
            for id in [town.bob.id.to_string(), town.alice.id.to_string(), "7".to_owned()] {
                let answer = town.post(who, &format!("/follow-requests/{id}/{verb}"), json!({})).await;
                assert_eq!(problem(&answer), (404, "not_found"), "{} {verb} {id}", who.handle);
            }
        }
    }
    assert_eq!(town.ties("social").await, ["bob asks alice"]);
    for path in ["/follow-requests", "/blocked", "/muted", "/me/reports"] {
        assert_eq!(town.world.get("social", path, "").await.status, 401);
    }
}

#[tokio::test]
async fn the_suspended_ask_nobody_until_they_are_back() {
    let town = town().await;
    town.make_private(&town.alice).await;
    town.tie(&town.bob, "/follow", &town.alice).await;
    town.change(&town.bob, "user.suspended", 2, json!({ "status": "suspended" })).await;
    assert_eq!(handles(&town.get(&town.alice, "/follow-requests").await), [""; 0]);
    let accept = format!("/follow-requests/{}/accept", town.bob.id);
    assert_eq!(problem(&town.post(&town.alice, &accept, json!({})).await), (404, "not_found"));
    assert_eq!(
        problem(&town.post(&town.bob, "/unfollow", town.alice.named()).await),
        (403, "account_suspended")
    );
    town.change(&town.bob, "user.unsuspended", 3, json!({})).await;
    assert_eq!(handles(&town.get(&town.alice, "/follow-requests").await), ["bob"]);
}
