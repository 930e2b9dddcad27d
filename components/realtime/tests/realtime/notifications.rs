//! What is told of notifications, by the service that has them.

use serde_json::{Value, json};

use crate::{ALICE, BOB, CARLA, POST, next, start};

#[tokio::test]
async fn a_like_is_a_notification_and_a_count() {
    let house = start().await;
    let mut stream = house.listen(ALICE).await;
    house.react(BOB, "like").await;
    let (number, name, data) = next(&mut stream).await;
    assert_eq!((number, name.as_str()), (1, "notification"));
    let listed = house.world.get("notifications", "/notifications", &house.tokens[ALICE]).await.body;
    assert_eq!(data, listed["items"][0]);
    assert_eq!(
        (&data["type"], &data["target"]),
        (&json!("reaction"), &json!({ "type": "post", "id": POST }))
    );
    assert_eq!(next(&mut stream).await, (2, "unread".to_owned(), json!({ "unreadCount": 1 })));
    // It is the same row, so the count is the same: no news.
    house.react(CARLA, "like").await;
    let (number, name, data) = next(&mut stream).await;
    assert_eq!((number, name.as_str(), &data["actorCount"]), (3, "notification", &json!(2)));
    assert!(stream.is_silent(300).await);
}

#[tokio::test]
async fn reading_on_one_device_is_told_on_the_other() {
    let house = start().await;
    let mut stream = house.listen(ALICE).await;
    house.react(BOB, "like").await;
    assert_eq!((next(&mut stream).await.0, next(&mut stream).await.0), (1, 2));
    let read =
        |body: Value| house.world.post("notifications", "/notifications/read", &house.tokens[ALICE], body);
    assert_eq!(read(json!({})).await.body["unreadCount"], 0);
    assert_eq!(next(&mut stream).await, (3, "unread".to_owned(), json!({ "unreadCount": 0 })));
    // Nothing was left to read.
    read(json!({})).await;
    assert!(stream.is_silent(300).await);
}

#[tokio::test]
async fn what_was_withdrawn_is_not_told_and_the_count_is() {
    let house = start().await;
    drop(house.listen(ALICE).await);
    house.react(BOB, "like").await;
    house.unreact(BOB, "like").await;
    house.eventually("select head from listeners", "4").await;
    let (mut stream, _) = house.resume(ALICE, 0).await;
    assert_eq!(next(&mut stream).await, (4, "unread".to_owned(), json!({ "unreadCount": 0 })));
    assert!(stream.is_silent(200).await);
}

#[tokio::test]
async fn of_a_hundred_likes_while_one_was_away_the_last_state_is_told() {
    let house = start().await;
    drop(house.listen(ALICE).await);
    for kind in ["like", "love", "laugh", "wow", "sad", "fire"] {
        house.react(BOB, kind).await;
        house.react(CARLA, kind).await;
    }
    house.eventually("select count(*) > 4 from log", "1").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let (mut stream, _) = house.resume(ALICE, 0).await;
    let (number, name, data) = next(&mut stream).await;
    assert_eq!((name.as_str(), &data["actorCount"]), ("notification", &json!(2)));
    let (last, name, _) = next(&mut stream).await;
    assert_eq!((last, name.as_str()), (number + 1, "unread"));
    assert_eq!(house.one("select head from listeners").await, last.to_string());
}

#[tokio::test]
async fn one_who_was_suspended_is_left_out_of_what_is_told_of_them() {
    let house = start().await;
    drop(house.listen(ALICE).await);
    house.react(BOB, "like").await;
    house.eventually("select head from listeners", "2").await;
    house
        .world
        .app("notifications")
        .db
        .rows("update people set status = 'suspended' where handle = 'bob'", vec![])
        .await
        .unwrap();
    let (mut stream, _) = house.resume(ALICE, 0).await;
    assert_eq!(next(&mut stream).await, (2, "unread".to_owned(), json!({ "unreadCount": 0 })));
}
