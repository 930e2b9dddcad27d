//! What is told of posts, scoops and media.

use serde_json::{Value, json};

use crate::{ALICE, BOB, CARLA, POST, SCOOP, next, start};

#[tokio::test]
async fn a_post_is_told_to_followers_who_listen_and_to_nobody_else() {
    let house = start().await;
    let mut alice = house.listen(ALICE).await;
    let mut carla = house.listen(CARLA).await;
    let mut bob = house.listen(BOB).await;
    house.publish(BOB, POST).await;
    let data = json!({ "postId": POST, "authorId": house.ids[BOB] });
    assert_eq!(next(&mut alice).await, (1, "feed".to_owned(), data));
    assert!(carla.is_silent(150).await && bob.is_silent(1).await);
    assert_eq!(house.one("select count(*) from log").await, "1");
}

#[tokio::test]
async fn of_somebody_whom_many_follow_those_are_told_who_listen() {
    let house = start().await;
    let mut alice = house.listen(ALICE).await;
    house.sql("update people set followers = 100000 where handle = 'bob'").await;
    house.publish(BOB, POST).await;
    house.show(BOB, "followers").await;
    assert_eq!((next(&mut alice).await.1, next(&mut alice).await.1), ("feed".to_owned(), "scoop".to_owned()));
    assert_eq!(house.one("select count(*) from log").await, "2");
}

#[tokio::test]
async fn a_scoop_is_told_to_its_audience() {
    let house = start().await;
    let mut alice = house.listen(ALICE).await;
    let mut carla = house.listen(CARLA).await;
    house.show(BOB, "followers").await;
    let data = json!({ "scoopId": SCOOP, "authorId": house.ids[BOB] });
    assert_eq!(next(&mut alice).await, (1, "scoop".to_owned(), data.clone()));
    // carla does not follow him, and is a close friend; alice is none.
    house.befriend("close_friend.added", BOB, CARLA).await;
    house.show(BOB, "close_friends").await;
    assert_eq!(next(&mut carla).await, (1, "scoop".to_owned(), data));
    assert!(alice.is_silent(150).await);
    house.befriend("close_friend.removed", BOB, CARLA).await;
    house.show(BOB, "close_friends").await;
    assert!(carla.is_silent(150).await);
}

#[tokio::test]
async fn a_scoop_that_ended_is_not_told_any_more() {
    let house = start().await;
    drop(house.listen(ALICE).await);
    let body = json!({ "scoopId": SCOOP, "authorId": house.ids[BOB], "audience": "followers",
        "expiresAt": "2026-01-01T00:00:00.000Z" });
    house.hear("scoops", "scoop.published", body).await;
    house.publish(BOB, POST).await;
    let (mut stream, _) = house.resume(ALICE, 0).await;
    assert_eq!(next(&mut stream).await.0, 2);
}

#[tokio::test]
async fn media_is_told_to_its_owner_with_links() {
    let house = start().await;
    let mut alice = house.listen(ALICE).await;
    let mut bob = house.listen(BOB).await;
    let key = house.world.id();
    let mut media = json!({ "key": key, "kind": "image", "status": "ready", "progress": 0, "error": null,
        "url": format!("@o/{key}/1/large.jpg"), "hlsUrl": null, "posterUrl": null, "width": 40, "height": 30,
        "durationMs": null, "blurhash": "LEHV6nWB2yk8" });
    let told = json!({ "key": key, "ownerId": house.ids[ALICE], "media": media, "avatarUrl": null });
    house.hear("media", "media.ready", told).await;
    let (number, name, data) = next(&mut alice).await;
    assert_eq!((number, name.as_str()), (1, "media"));
    let url = data["url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:9000/") && url.contains("large.jpg"), "{url}");
    media["url"] = data["url"].clone();
    media["alt"] = Value::Null;
    assert_eq!(data, media);
    let failed = json!({ "status": "failed", "error": { "code": "not_an_image", "detail": "It is none." } });
    let told = json!({ "key": key, "ownerId": house.ids[ALICE], "media": failed, "avatarUrl": null });
    house.hear("media", "media.failed", told).await;
    assert_eq!(next(&mut alice).await.2["error"]["code"], "not_an_image");
    assert!(bob.is_silent(100).await);
}

#[tokio::test]
async fn every_stream_of_a_person_is_told() {
    let house = start().await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(house.listen(ALICE).await);
    }
    for number in 1..=20 {
        house.publish(BOB, number.to_string()).await;
    }
    for stream in &mut streams {
        for number in 1..=20 {
            let (id, _, data) = next(stream).await;
            assert_eq!((id, &data["postId"]), (number, &json!(number.to_string())));
        }
    }
}
