//! Who is told of whom.

use serde_json::json;

use crate::{ALICE, BOB, CARLA, COMMENT, DORA, House, OTHER, POST, REPLY, actors, start};

/// Everything bob can do to alice and carla.
async fn bob_does_everything(house: &House) {
    house.tie("follow.created", BOB, ALICE).await;
    house.react(BOB, POST, "like").await;
    house.comment(BOB, COMMENT, None, &[CARLA]).await;
    house.publish(BOB, REPLY, "public", &[ALICE]).await;
    let viewed = json!({ "scoopId": POST, "authorId": house.ids[ALICE], "viewerId": house.ids[BOB] });
    house.hear("scoops", "scoop.viewed", viewed).await;
}

#[tokio::test]
async fn nobody_hears_of_whom_they_block_or_mute_or_who_blocks_them() {
    for (tie, one, other) in
        [("block.created", ALICE, BOB), ("block.created", BOB, ALICE), ("mute.created", ALICE, BOB)]
    {
        let house = start().await;
        house.tie(tie, one, other).await;
        bob_does_everything(&house).await;
        assert!(house.list(ALICE).await.is_empty(), "{tie} {one} {other}");
        assert_eq!(house.unread(ALICE).await, 0, "{tie} {one} {other}");
        assert_eq!(house.told(CARLA).await, ["mention 1"], "between others nothing changes");
    }
    let house = start().await;
    house.tie("mute.created", BOB, ALICE).await;
    bob_does_everything(&house).await;
    assert_eq!(house.list(ALICE).await.len(), 5, "who mutes is heard of");
    house.tie("mute.created", ALICE, CARLA).await;
    house.react(CARLA, POST, "like").await;
    assert!(!house.told(ALICE).await.contains(&"reaction 2".to_owned()));
    house.tie("mute.removed", ALICE, CARLA).await;
    house.react(CARLA, POST, "love").await;
    assert!(house.told(ALICE).await.contains(&"reaction 2".to_owned()), "from now on");
}

#[tokio::test]
async fn a_block_takes_what_was_there_both_ways_and_for_good() {
    for (one, other) in [(ALICE, BOB), (BOB, ALICE)] {
        let house = start().await;
        bob_does_everything(&house).await;
        house.react(CARLA, POST, "like").await;
        house.tie("follow.created", ALICE, BOB).await;
        assert_eq!(house.unread(BOB).await, 1);
        house.tie("block.created", one, other).await;
        let told = house.list(ALICE).await;
        assert_eq!((told.len(), actors(&told[0])), (1, vec!["carla"]));
        assert_eq!((house.unread(ALICE).await, house.unread(BOB).await), (1, 0));
        house.tie("block.removed", one, other).await;
        assert_eq!(house.list(ALICE).await.len(), 1);
    }
}

#[tokio::test]
async fn who_is_suspended_is_not_shown_and_comes_back() {
    let house = start().await;
    bob_does_everything(&house).await;
    house.react(CARLA, POST, "like").await;
    house.change("user.suspended", BOB, json!({ "status": "suspended" })).await;
    let told = house.list(ALICE).await;
    assert_eq!((told.len(), actors(&told[0])), (1, vec!["carla"]));
    assert_eq!(told[0]["actorCount"], 2, "as the counts of posts");
    assert_eq!(house.unread(ALICE).await, 1);
    assert_eq!(house.get("/notifications", BOB).await.status, 403);
    house.change("user.unsuspended", BOB, json!({ "status": "active" })).await;
    assert_eq!((house.list(ALICE).await.len(), house.unread(ALICE).await), (5, 5));
}

#[tokio::test]
async fn a_private_person_is_seen_by_whose_post_it_is_and_named_by_followers_alone() {
    let house = start().await;
    house.change("user.updated", BOB, json!({ "private": 1 })).await;
    house.react(BOB, POST, "like").await;
    house.comment(BOB, COMMENT, None, &[DORA]).await;
    house.publish(BOB, REPLY, "public", &[CARLA]).await;
    assert_eq!(house.told(ALICE).await, ["comment 1", "reaction 1"]);
    for who in [CARLA, DORA] {
        assert!(house.list(who).await.is_empty(), "may not look at it");
        assert_eq!(house.unread(who).await, 0);
        house.tie("follow.created", who, BOB).await;
        assert_eq!((house.told(who).await, house.unread(who).await), (vec!["mention 1".to_owned()], 1));
    }
    house.tie("follow.removed", CARLA, BOB).await;
    assert_eq!((house.list(CARLA).await.len(), house.unread(CARLA).await), (0, 0));
}

#[tokio::test]
async fn going_private_covers_what_was_told_before() {
    let house = start().await;
    house.publish(BOB, REPLY, "public", &[CARLA]).await;
    assert_eq!(house.unread(CARLA).await, 1);
    house.change("user.updated", BOB, json!({ "private": 1 })).await;
    assert_eq!((house.list(CARLA).await.len(), house.unread(CARLA).await), (0, 0));
}

#[tokio::test]
async fn below_a_post_that_one_may_not_see_nothing_is_told() {
    let house = start().await;
    house.comment_below("followers", CARLA, COMMENT, None, &[DORA]).await;
    house.comment_below("followers", BOB, REPLY, Some((COMMENT, CARLA)), &[]).await;
    assert!(house.list(DORA).await.is_empty(), "she does not follow alice");
    assert!(house.list(CARLA).await.is_empty(), "not any more");
    assert_eq!(house.told(ALICE).await, ["comment 2"]);
    for who in [CARLA, DORA] {
        house.tie("follow.created", who, ALICE).await;
        assert_eq!(house.list(who).await.len(), 1);
    }
    house.tie("block.created", ALICE, DORA).await;
    assert!(house.list(DORA).await.is_empty(), "named by carla, below a post of alice's");
    house.publish(BOB, OTHER, "followers", &[DORA]).await;
    assert!(house.list(DORA).await.is_empty(), "named in a post that she may not see");
}

#[tokio::test]
async fn what_is_somebody_elses_cannot_be_read_marked_or_seen() {
    let house = start().await;
    house.react(BOB, POST, "like").await;
    let id = house.list(ALICE).await[0]["id"].clone();
    assert!(house.list(CARLA).await.is_empty());
    for body in [json!({ "ids": [id] }), json!({ "upTo": id }), json!({})] {
        let answer = house.post("/notifications/read", CARLA, body).await;
        assert_eq!((answer.status, answer.body), (200, json!({ "unreadCount": 0 })));
    }
    assert_eq!(house.unread(ALICE).await, 1);
    for path in ["/notifications", "/notifications?unread=true"] {
        assert_eq!(house.world.get("notifications", path, "").await.status, 401);
        assert_eq!(house.world.get("notifications", path, "nonsense").await.status, 401);
    }
}

#[tokio::test]
async fn who_is_named_before_users_told_of_them_is_shown_when_it_has() {
    let house = start().await;
    let mut reacted = house.reacted(BOB, POST, "like");
    let stranger = house.world.id();
    reacted["userId"] = json!(stranger);
    house.hear("posts", "reaction.created", reacted).await;
    assert_eq!((house.list(ALICE).await.len(), house.unread(ALICE).await), (0, 0));
    let person = json!({ "id": stranger, "handle": "newcomer", "displayName": null, "bio": null, "avatarUrl": null,
        "private": 0, "createdAt": "2026-11-21T12:00:00.000Z", "status": "active", "rev": 1 });
    let answer = person.to_string();
    let users =
        axum::Router::new().route("/internal/people/{id}", axum::routing::get(async move || answer.clone()));
    house.world.platform.mesh.lock().unwrap().insert("users.spin.internal".to_owned(), users);
    house.tick().await;
    assert_eq!(actors(&house.list(ALICE).await[0]), ["newcomer"], "the tick asks for them");
}
