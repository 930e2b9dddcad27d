//! Many at once between the same few people.

use std::sync::Arc;

use crate::common::{Town, town};

/// What must hold of ties whatever happened.
async fn check(town: &Town) {
    for (what, sql) in [
        (
            "a follow across a block",
            "select count(*) from follows join blocks on (blocker = follower and blocked = followee)
                or (blocker = followee and blocked = follower)",
        ),
        (
            "a request across a block",
            "select count(*) from follow_requests join blocks on (blocker = requester and blocked = target)
                or (blocker = target and blocked = requester)",
        ),
        (
            "a request beside its follow",
            "select count(*) from follows join follow_requests on requester = follower and target = followee",
        ),
        (
            "counts that are not what they count",
            "select count(*) from people as p
            where followers <> (select count(*) from follows where followee = p.pk)
               or following <> (select count(*) from follows where follower = p.pk)",
        ),
    ] {
        assert_eq!(town.number("social", sql).await, 0, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_changes_at_once_leave_no_follow_across_a_block() {
    let town = Arc::new(town().await);
    town.introduce().await;
    let mut all = Vec::new();
    for n in 0..1_000 {
        let town = town.clone();
        all.push(tokio::spawn(async move {
            let (who, whom) = if n % 2 == 0 { (&town.alice, &town.bob) } else { (&town.bob, &town.alice) };
            let verb = ["/follow", "/follow", "/block", "/unblock", "/unfollow", "/follow"][n / 2 % 6];
            let answer = town.post(who, verb, whom.named()).await;
            // Hidden from the blocked, refused to who blocks: never anything else.
            assert!([200, 404, 409].contains(&answer.status), "{verb} {answer:?}");
        }));
    }
    for one in all {
        one.await.unwrap();
    }
    check(&town).await;
    shared::events::relay(town.world.app("social")).await.unwrap();
    let truth = town.ties("social").await;
    for service in ["users", "posts"] {
        let heard: Vec<String> = town.ties(service).await;
        let truth: Vec<String> = truth.clone();
        assert_eq!(heard, truth, "{service}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accepting_rejecting_blocking_and_asking_at_once_agree() {
    let town = Arc::new(town().await);
    town.make_private(&town.alice).await;
    let mut all = Vec::new();
    for n in 0..300 {
        let town = town.clone();
        all.push(tokio::spawn(async move {
            let answer = match n % 5 {
                0 | 1 => town.post(&town.bob, "/follow", town.alice.named()).await,
                2 => {
                    let accept = format!("/follow-requests/{}/accept", town.bob.id);
                    town.post(&town.alice, &accept, serde_json::json!({})).await
                }
                3 => town.post(&town.alice, "/block", town.bob.named()).await,
                _ => town.post(&town.alice, "/unblock", town.bob.named()).await,
            };
            assert!([200, 204, 404].contains(&answer.status), "{answer:?}");
        }));
    }
    for one in all {
        one.await.unwrap();
    }
    check(&town).await;
}
