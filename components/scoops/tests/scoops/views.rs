//! Views and viewers.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{problem, start};

#[tokio::test]
async fn a_view_counts_once_whoever_sends_it_how_often() {
    let scoops = start().await;
    scoops.tie("follow.created", 2, 0).await;
    let scoop = scoops.make(&scoops.alice).await;
    let views = join_all((0..10).map(|n| scoops.view(&scoop, [&scoops.bob, &scoops.carla][n % 2]))).await;
    assert!(views.iter().all(|status| *status == 204), "{views:?}");
    assert_eq!(scoops.view(&scoop, &scoops.alice).await, 204, "hers is not counted");
    let path = format!("/scoops/{scoop}");
    assert_eq!(scoops.get(&path, &scoops.alice).await.body["viewCount"], 2);
    let seen = scoops.get(&path, &scoops.bob).await.body;
    assert_eq!((&seen["viewed"], &seen["viewCount"]), (&json!(true), &Value::Null));
    assert_eq!(scoops.get(&path, &scoops.alice).await.body["viewed"], false);
    assert_eq!(scoops.told("scoop.viewed").await.len(), 2);
}

#[tokio::test]
async fn viewers_come_newest_first_for_the_author_alone() {
    let scoops = start().await;
    scoops.tie("follow.created", 2, 0).await;
    let scoop = scoops.make(&scoops.alice).await;
    for token in [&scoops.bob, &scoops.carla, &scoops.bob] {
        scoops.view(&scoop, token).await;
    }
    let path = format!("/scoops/{scoop}/viewers");
    let handles = async || -> Vec<String> {
        let all = scoops.all(&path, &scoops.alice, 1).await;
        all.iter().map(|one| one["user"]["handle"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(handles().await, ["carla", "bob"]);
    let first = scoops.get(&path, &scoops.alice).await.body["items"][0].clone();
    assert_eq!(crate::keys(&first), ["user", "viewedAt"]);
    assert_eq!(problem(&scoops.get(&path, &scoops.bob).await), (403, "not_author"));
    scoops.change("user.suspended", 2, json!({ "status": "suspended" })).await;
    assert_eq!(handles().await, ["bob"]);
    scoops.change("user.unsuspended", 2, json!({ "status": "active" })).await;
    assert_eq!(handles().await, ["carla", "bob"]);
    scoops.change("user.deleted", 2, json!({ "status": "deleted", "deletionId": scoops.world.id() })).await;
    assert_eq!(handles().await, ["bob"]);
    assert_eq!(
        scoops.get(&format!("/scoops/{scoop}"), &scoops.alice).await.body["viewCount"],
        2,
        "they did look"
    );
}

#[tokio::test]
async fn a_view_before_the_media_is_ready_is_of_nothing() {
    let scoops = start().await;
    scoops.claims_are("processing");
    let scoop = scoops.make(&scoops.alice).await;
    assert_eq!(scoops.view(&scoop, &scoops.bob).await, 404);
    assert_eq!(scoops.view(&scoop, &scoops.alice).await, 204);
    let viewers = scoops.get(&format!("/scoops/{scoop}/viewers"), &scoops.alice).await;
    assert_eq!((viewers.status, &viewers.body["items"]), (200, &json!([])));
    assert_eq!(
        problem(&scoops.get(&format!("/scoops/{scoop}/viewers"), &scoops.bob).await),
        (404, "not_found")
    );
}
