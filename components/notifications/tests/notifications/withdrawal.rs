//! What happens to a notification when its cause does not hold any more.

use serde_json::json;

use crate::{ALICE, BOB, CARLA, COMMENT, DORA, House, OTHER, POST, REPLY, actors, start};

async fn nothing_is_left(house: &House) {
    for table in ["notifications", "actors", "causes", "moves", "pushes"] {
        assert_eq!(house.one(&format!("select count(*) from {table}")).await, "0", "{table}");
    }
}

#[tokio::test]
async fn a_reaction_taken_back_takes_its_actor_and_the_last_one_the_row() {
    let house = start().await;
    for kind in ["like", "love"] {
        house.react(BOB, POST, kind).await;
    }
    house.react(CARLA, POST, "like").await;
    house.unreact(BOB, POST, "like").await;
    assert_eq!(house.told(ALICE).await, ["reaction 2"], "he loves it still");
    house.unreact(BOB, POST, "love").await;
    let told = house.list(ALICE).await;
    assert_eq!((&told[0]["actorCount"], actors(&told[0])), (&json!(1), vec!["carla"]));
    house.unreact(CARLA, POST, "love").await;
    assert_eq!(house.told(ALICE).await, ["reaction 1"], "which was never there");
    house.unreact(CARLA, POST, "like").await;
    assert_eq!((house.list(ALICE).await.len(), house.unread(ALICE).await), (0, 0));
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn it_goes_from_what_was_read_too() {
    let house = start().await;
    house.react(BOB, POST, "like").await;
    house.post("/notifications/read", ALICE, json!({})).await;
    house.react(CARLA, POST, "like").await;
    house.unreact(BOB, POST, "like").await;
    assert_eq!(house.told(ALICE).await, ["reaction 1"]);
    assert_eq!(house.unread(ALICE).await, 1);
}

#[tokio::test]
async fn a_deleted_comment_is_taken_from_everybody_who_was_told() {
    let house = start().await;
    house.comment(CARLA, COMMENT, None, &[]).await;
    house.comment(BOB, REPLY, Some((COMMENT, CARLA)), &[DORA]).await;
    house.comment(BOB, OTHER, None, &[]).await;
    house.uncomment(BOB, REPLY).await;
    assert_eq!(house.told(ALICE).await, ["comment 2"], "bob's other one");
    assert!(house.list(CARLA).await.is_empty() && house.list(DORA).await.is_empty());
    house.uncomment(BOB, OTHER).await;
    house.uncomment(CARLA, COMMENT).await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_deleted_post_takes_all_that_was_told_of_it() {
    let house = start().await;
    house.publish(ALICE, POST, "public", &[DORA]).await;
    house.react(BOB, POST, "like").await;
    house.comment(CARLA, COMMENT, None, &[DORA]).await;
    house.comment(BOB, REPLY, Some((COMMENT, CARLA)), &[]).await;
    house.react(BOB, OTHER, "like").await;
    house.unpublish(ALICE, POST).await;
    assert_eq!(house.told(ALICE).await, ["reaction 1"], "to the other post");
    assert!(house.list(CARLA).await.is_empty() && house.list(DORA).await.is_empty());
    assert_eq!(house.unread(ALICE).await, 1);
}

#[tokio::test]
async fn whom_an_edit_names_no_more_was_not_named() {
    let house = start().await;
    house.publish(BOB, POST, "public", &[ALICE, CARLA]).await;
    let edited = |mentions: &[usize]| {
        let named: Vec<_> = mentions.iter().map(|who| house.ids[*who]).collect();
        json!({ "postId": POST, "authorId": house.ids[BOB], "mentions": named })
    };
    house.hear("posts", "post.updated", edited(&[CARLA, DORA])).await;
    assert!(house.list(ALICE).await.is_empty() && house.list(DORA).await.is_empty());
    assert_eq!(house.told(CARLA).await, ["mention 1"]);
    house.hear("posts", "post.updated", edited(&[])).await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn ties_that_end_take_what_was_told_of_them() {
    let house = start().await;
    house.tie("follow.created", BOB, ALICE).await;
    house.tie("follow.created", CARLA, ALICE).await;
    house.tie("follow.created", BOB, CARLA).await;
    house.tie("follow.requested", DORA, ALICE).await;
    house.tie("follow.removed", BOB, ALICE).await;
    house.tie("follow.request_removed", DORA, ALICE).await;
    assert_eq!(house.told(ALICE).await, ["follow 1"]);
    assert_eq!(house.told(CARLA).await, ["follow 1"], "of another tie");
    house.tie("follow.removed", CARLA, ALICE).await;
    house.tie("follow.removed", BOB, CARLA).await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn a_scoop_or_a_media_that_is_gone_is_told_no_more() {
    let house = start().await;
    let viewed =
        |scoop: &str| json!({ "scoopId": scoop, "authorId": house.ids[ALICE], "viewerId": house.ids[BOB] });
    for scoop in [POST, OTHER] {
        house.hear("scoops", "scoop.viewed", viewed(scoop)).await;
    }
    let media = json!({ "key": COMMENT, "ownerId": house.ids[ALICE], "media": { "kind": "video" }, "avatarUrl": null });
    house.hear("media", "media.ready", media).await;
    house.hear("scoops", "scoop.expired", json!({ "scoopId": POST, "authorId": house.ids[ALICE] })).await;
    assert_eq!(house.told(ALICE).await, ["media_ready 0", "scoop_view 1"]);
    let deleted = json!({ "scoopId": OTHER, "authorId": house.ids[ALICE], "mediaKey": REPLY });
    house.hear("scoops", "scoop.deleted", deleted).await;
    house.hear("media", "media.deleted", json!({ "key": COMMENT, "ownerId": house.ids[ALICE] })).await;
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn what_was_taken_back_may_be_done_again() {
    let house = start().await;
    for _ in 0..3 {
        house.react(BOB, POST, "like").await;
        assert_eq!(house.told(ALICE).await, ["reaction 1"]);
        house.unreact(BOB, POST, "like").await;
        assert!(house.list(ALICE).await.is_empty());
    }
}
