//! Events come twice, and in any order of their sources.

use serde_json::json;
use shared::testing::INTERNAL_TOKEN;

use crate::{ALICE, BOB, CARLA, POST, next, start};

#[tokio::test]
async fn what_comes_twice_is_told_once() {
    let house = start().await;
    let mut stream = house.listen(ALICE).await;
    let at = house.world.app("realtime").now().rfc3339();
    let body = json!({ "postId": POST, "authorId": house.ids[BOB], "visibility": "public" });
    let event =
        |seq: i64| json!({ "seq": seq, "type": "post.published", "key": "k", "at": at, "body": body });
    for (after, events, applied) in [
        (0, vec![event(1), event(2)], 2),
        (0, vec![event(1), event(2)], 2),
        (1, vec![event(2), event(3)], 3),
        (7, vec![event(8)], 3),
    ] {
        let batch = json!({ "source": "posts", "after": after, "events": events });
        let answer = house.world.post("realtime", "/internal/events", INTERNAL_TOKEN, batch).await;
        assert_eq!(answer.body["seq"], applied);
    }
    for number in 1..=3 {
        assert_eq!(next(&mut stream).await.0, number);
    }
    assert!(stream.is_silent(200).await);
}

#[tokio::test]
async fn a_post_of_somebody_not_heard_of_yet_is_told_when_they_are() {
    let house = start().await;
    let newcomer = house.world.id();
    let follow = json!({ "followerId": house.ids[ALICE], "followeeId": newcomer });
    let post = json!({ "postId": POST, "authorId": newcomer, "visibility": "public" });
    drop(house.listen(ALICE).await);
    house.hear("social", "follow.created", follow).await;
    house.hear("posts", "post.published", post).await;
    // Nothing is shown of who is unknown; the log has it.
    let (mut stream, _) = house.resume(ALICE, 0).await;
    assert!(stream.is_silent(200).await);
    drop(stream);
    let person = json!({ "id": newcomer, "handle": "dave", "displayName": null, "bio": null, "avatarUrl": null,
        "private": 0, "createdAt": "", "status": "active", "rev": 1 });
    house.hear("users", "user.registered", person).await;
    let (mut stream, _) = house.resume(ALICE, 0).await;
    assert_eq!(next(&mut stream).await.2["authorId"], json!(newcomer));
}

#[tokio::test]
async fn a_block_and_a_friendship_end_the_same_in_either_order() {
    for block_first in [true, false] {
        let house = start().await;
        house.befriend("close_friend.added", BOB, CARLA).await;
        if block_first {
            house.tie("block.created", BOB, CARLA).await;
        }
        house.befriend("close_friend.removed", BOB, CARLA).await;
        if !block_first {
            house.tie("block.created", BOB, CARLA).await;
        }
        house.tie("block.removed", BOB, CARLA).await;
        let mut stream = house.listen(CARLA).await;
        house.show(BOB, "close_friends").await;
        assert!(stream.is_silent(200).await, "{block_first}");
    }
}

#[tokio::test]
async fn nothing_late_brings_the_deleted_back() {
    let house = start().await;
    house.change("user.deleted", BOB, json!({ "status": "deleted", "deletionId": house.world.id() })).await;
    let mut stream = house.listen(ALICE).await;
    house.befriend("close_friend.added", BOB, ALICE).await;
    house.tie("follow.created", ALICE, BOB).await;
    house.publish(BOB, POST).await;
    house.show(BOB, "close_friends").await;
    assert!(stream.is_silent(200).await);
    assert_eq!(
        house.one("select (select count(*) from close_friends) + (select count(*) from log)").await,
        "0"
    );
}
