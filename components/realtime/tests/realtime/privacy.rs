//! Nobody is told what they may not see by the time it is told.

use http::Method;
use serde_json::json;

use crate::{ALICE, BOB, CARLA, House, POST, next, start};

/// The numbers that alice, who has heard nothing yet, is told in the end: a post of carla's is the last.
async fn heard(house: &House) -> Vec<i64> {
    let (mut stream, _) = house.resume(ALICE, 0).await;
    let mut numbers = Vec::new();
    loop {
        let (number, _, data) = next(&mut stream).await;
        if data["authorId"] == json!(house.ids[CARLA]) {
            return numbers;
        }
        numbers.push(number);
    }
}

async fn away() -> House {
    let house = start().await;
    house.tie("follow.created", ALICE, CARLA).await;
    drop(house.listen(ALICE).await);
    house
}

#[tokio::test]
async fn what_came_between_is_what_counts() {
    for (kind, one, other) in [
        ("follow.removed", ALICE, BOB),
        ("block.created", ALICE, BOB),
        ("block.created", BOB, ALICE),
        ("mute.created", ALICE, BOB),
    ] {
        let house = away().await;
        house.publish(BOB, POST).await;
        house.show(BOB, "followers").await;
        house.tie(kind, one, other).await;
        house.publish(CARLA, POST).await;
        assert!(heard(&house).await.is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn going_private_hides_nothing_from_followers_and_suspension_all() {
    let house = away().await;
    house.publish(BOB, POST).await;
    house.change("user.updated", BOB, json!({ "private": 1 })).await;
    house.publish(CARLA, POST).await;
    assert_eq!(heard(&house).await, [1]);
    house.change("user.suspended", BOB, json!({ "status": "suspended" })).await;
    assert!(heard(&house).await.is_empty());
    house.change("user.unsuspended", BOB, json!({ "status": "active" })).await;
    assert_eq!(heard(&house).await, [1]);
}

#[tokio::test]
async fn a_close_friend_who_is_none_any_more_is_told_nothing() {
    let house = away().await;
    house.befriend("close_friend.added", BOB, ALICE).await;
    house.show(BOB, "close_friends").await;
    house.publish(CARLA, POST).await;
    assert_eq!(heard(&house).await, [1]);
    house.befriend("close_friend.removed", BOB, ALICE).await;
    assert!(heard(&house).await.is_empty());
}

#[tokio::test]
async fn an_export_is_for_services_alone_and_only_counts() {
    let house = away().await;
    house.publish(BOB, POST).await;
    let path = format!("/internal/export/{}", house.ids[ALICE]);
    assert_eq!(house.status(Method::GET, &path, &house.tokens[ALICE]).await, 404);
    let export = house.world.get("realtime", &path, shared::testing::INTERNAL_TOKEN).await.body;
    assert_eq!((&export["events"], &export["lastEvent"]), (&json!(1), &json!(1)));
    let nobody = format!("/internal/export/{}", house.world.id());
    let export = house.world.get("realtime", &nobody, shared::testing::INTERNAL_TOKEN).await.body;
    assert_eq!(export, json!({ "events": 0, "lastEvent": null, "openStreams": 0 }));
}
