//! `/close-friends`.

use http::Method;
use serde_json::{Value, json};

use crate::{Scoops, problem, start};

async fn handles(scoops: &Scoops, token: &str) -> Vec<String> {
    let all = scoops.all("/close-friends", token, 1).await;
    all.iter().map(|person| person["handle"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn naming_and_taking_back_are_idempotent_and_newest_first() {
    let scoops = start().await;
    for who in [1, 2, 1] {
        scoops.befriend(&scoops.alice, who).await;
    }
    assert_eq!(handles(&scoops, &scoops.alice).await, ["carla", "bob"]);
    let page = scoops.get("/close-friends?limit=1", &scoops.alice).await;
    assert_eq!(
        crate::keys(&page.body["items"][0]),
        ["avatarUrl", "bio", "createdAt", "displayName", "handle", "id", "private"]
    );
    let path = format!("/close-friends/{}", scoops.ids[1]);
    for _ in 0..2 {
        assert_eq!(scoops.status(Method::DELETE, &path, &scoops.alice).await, 204);
        assert_eq!(handles(&scoops, &scoops.alice).await, ["carla"]);
    }
    assert!(handles(&scoops, &scoops.carla).await.is_empty(), "theirs is another list");
    assert!(scoops.told("close_friend.created").await.is_empty());
    let other = "select count(*) from outbox where type not like 'close_friend.%'";
    assert_eq!(scoops.one(other).await, "0", "nobody else learns of it");
}

#[tokio::test]
async fn oneself_is_422_and_who_is_not_there_404() {
    let scoops = start().await;
    let unknown = async || {
        (http::StatusCode::NOT_FOUND, json!({
        "type": "/docs#not_found", "title": "Not Found", "status": 404, "detail": "There is nothing here.", "code": "not_found",
        "requestId": "r" }).to_string())
    };
    let routes = axum::Router::new().route("/internal/people/{id}", axum::routing::get(unknown));
    scoops.world.platform.mesh.lock().unwrap().insert("users.spin.internal".to_owned(), routes);
    scoops.change("user.suspended", 2, json!({ "status": "suspended" })).await;
    for method in [Method::PUT, Method::DELETE] {
        let own =
            scoops.call(method.clone(), &format!("/close-friends/{}", scoops.ids[0]), &scoops.alice).await;
        assert_eq!((problem(&own), &own.body["errors"][0]["field"]), ((422, "invalid"), &json!("userId")));
        for id in [scoops.world.id().to_string(), scoops.ids[2].to_string(), "nonsense".to_owned()] {
            let answer = scoops.call(method.clone(), &format!("/close-friends/{id}"), &scoops.alice).await;
            assert_eq!(problem(&answer), (404, "not_found"), "{method} {id}");
        }
    }
    scoops.world.stop("users");
    let answer =
        scoops.call(Method::PUT, &format!("/close-friends/{}", scoops.world.id()), &scoops.alice).await;
    assert_eq!(problem(&answer), (503, "unavailable"));
}

#[tokio::test]
async fn a_block_ends_it_for_good_in_both_directions() {
    let scoops = start().await;
    scoops.befriend(&scoops.alice, 1).await;
    scoops.befriend(&scoops.bob, 0).await;
    scoops.befriend(&scoops.alice, 2).await;
    scoops.tie("block.created", 1, 0).await;
    for (token, other) in [(&scoops.alice, 1), (&scoops.bob, 0)] {
        let path = format!("/close-friends/{}", scoops.ids[other]);
        for method in [Method::PUT, Method::DELETE] {
            assert_eq!(scoops.status(method, &path, token).await, 404);
        }
    }
    scoops.tie("block.removed", 1, 0).await;
    assert_eq!(handles(&scoops, &scoops.alice).await, ["carla"]);
    assert!(handles(&scoops, &scoops.bob).await.is_empty());
}

#[tokio::test]
async fn the_suspended_and_the_deleted_are_not_shown() {
    let scoops = start().await;
    scoops.befriend(&scoops.alice, 1).await;
    scoops.befriend(&scoops.alice, 2).await;
    scoops.change("user.suspended", 1, json!({ "status": "suspended" })).await;
    assert_eq!(handles(&scoops, &scoops.alice).await, ["carla"]);
    scoops.change("user.unsuspended", 1, json!({ "status": "active" })).await;
    let deletion = json!({ "status": "deleted", "deletionId": scoops.world.id() });
    scoops.change("user.deleted", 2, deletion).await;
    assert_eq!(handles(&scoops, &scoops.alice).await, ["bob"]);
    assert_eq!(scoops.get("/close-friends", &scoops.carla).await.body.get("items"), None::<&Value>);
}

#[tokio::test]
async fn each_change_of_a_list_is_told_once_and_so_is_what_a_block_takes() {
    let scoops = start().await;
    for _ in 0..2 {
        scoops.befriend(&scoops.alice, 1).await;
    }
    let names = |friend: usize| json!({ "ownerId": scoops.ids[0], "friendId": scoops.ids[friend] });
    assert_eq!(scoops.told("close_friend.added").await, [names(1)]);
    let path = format!("/close-friends/{}", scoops.ids[1]);
    for _ in 0..2 {
        assert_eq!(scoops.status(Method::DELETE, &path, &scoops.alice).await, 204);
    }
    assert_eq!(scoops.told("close_friend.removed").await, [names(1)]);
    scoops.befriend(&scoops.alice, 2).await;
    scoops.tie("block.created", 2, 0).await;
    assert_eq!(scoops.told("close_friend.removed").await, [names(1), names(2)]);
    assert_eq!(scoops.one("select count(*) from close_friends").await, "0");
}
