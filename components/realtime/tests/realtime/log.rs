//! The log: how much of it stays, and that no number ever names two things.

use serde_json::json;

use crate::{ALICE, BOB, POST, next, start};

async fn publish_many(house: &crate::House, count: usize) {
    let body = json!({ "postId": POST, "authorId": house.ids[BOB], "visibility": "public" });
    let events: Vec<_> = (0..count).map(|_| ("post.published", "k", body.clone())).collect();
    house.world.hear("realtime", "posts", &events).await;
}

#[tokio::test]
async fn the_newest_thousand_stay_and_are_had_in_order() {
    let house = start().await;
    drop(house.listen(ALICE).await);
    publish_many(&house, 1_100).await;
    assert_eq!(house.one("select count(*) from log").await, "1000");
    let (mut stream, opening) = house.resume(ALICE, 100).await;
    assert_eq!(opening.name, "");
    for number in 101..=1_100 {
        assert_eq!(next(&mut stream).await.0, number);
    }
    house.publish(BOB, POST).await;
    assert_eq!(next(&mut stream).await.0, 1_101, "it is up to date");
    let (_, opening) = house.resume(ALICE, 99).await;
    assert_eq!((opening.name.as_str(), opening.id), ("reset", Some(1_101)));
}

#[tokio::test]
async fn a_day_stays_and_numbers_go_on() {
    let mut house = start().await;
    drop(house.listen(ALICE).await);
    publish_many(&house, 3).await;
    house.sql("update log set at = '2026-01-01T00:00:00.000Z' where seq < 3").await;
    house.tick().await;
    assert_eq!(house.one("select group_concat(seq) from log").await, "3");
    assert_eq!(house.resume(ALICE, 2).await.1.name, "");
    assert_eq!(house.resume(ALICE, 1).await.1.name, "reset");
    house.sql("delete from log").await;
    house.sql("delete from streams").await;
    assert_eq!(house.resume(ALICE, 3).await.1.name, "", "nothing happened since");
    publish_many(&house, 1).await;
    assert_eq!(house.one("select seq from log").await, "4");
    house.clock(25 * 3_600).await;
    house.tick().await;
    assert_eq!(house.one("select count(*) from log").await, "0");
}

#[tokio::test]
async fn nothing_is_kept_for_who_has_not_listened_for_a_day_and_they_are_told_so() {
    let house = start().await;
    drop(house.listen(ALICE).await);
    publish_many(&house, 2).await;
    house.sql("update listeners set until = '2026-01-01T00:00:00.000Z'").await;
    publish_many(&house, 2).await;
    assert_eq!(house.one("select count(*) from log").await, "2");
    // Their last number is the newest there is, and they missed something all the same.
    let (mut stream, opening) = house.resume(ALICE, 2).await;
    assert_eq!((opening.name.as_str(), opening.id), ("reset", Some(3)));
    publish_many(&house, 1).await;
    assert_eq!(next(&mut stream).await.0, 4);
}

#[tokio::test]
async fn who_never_listened_has_no_log() {
    let house = start().await;
    publish_many(&house, 2).await;
    assert_eq!(house.one("select count(*) from log").await, "0");
    let mut stream = house.listen(ALICE).await;
    publish_many(&house, 1).await;
    assert_eq!(next(&mut stream).await.0, 1);
}

#[tokio::test]
async fn a_listener_stays_one_for_as_long_as_a_stream_is_open() {
    let house = start().await;
    let _stream = house.listen(ALICE).await;
    house.sql("update listeners set until = '2026-01-01T00:00:00.000Z'").await;
    house.sql("update streams set until = until + 1").await;
    let day = "select until > strftime('%Y-%m-%dT%H:%M:%fZ', (select max(until) from streams) / 1000.0, 'unixepoch', '+23 hours') from listeners";
    assert_eq!(house.one(day).await, "1");
}

#[tokio::test]
async fn the_streams_of_an_instance_that_died_make_room() {
    let mut house = start().await;
    let _open = house.listen(ALICE).await;
    let died = "insert into streams (pk, person, until) select 1000 + value, 1, until from json_each('[1,2,3,4]'), streams limit 4";
    house.sql(died).await;
    assert_eq!(house.one("select count(*) from streams").await, "5");
    // Nobody answers for them.
    let _another = house.listen(ALICE).await;
    house.tick().await;
    assert_eq!(house.one("select count(*) from streams").await, "2");
    // Nobody asks, and a minute later they are gone as well.
    house.sql(died).await;
    house.clock(61).await;
    house.tick().await;
    assert_eq!(house.one("select count(*) from streams").await, "0");
}
