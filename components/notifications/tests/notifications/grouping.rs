//! What becomes a notification, and of whom.

use serde_json::json;

use crate::{ALICE, BOB, CARLA, COMMENT, DORA, EVE, OTHER, POST, REPLY, actors, keys, start};

#[tokio::test]
async fn people_who_do_the_same_to_the_same_thing_are_one_row_with_the_newest_first() {
    let house = start().await;
    house.react(BOB, POST, "like").await;
    let first = house.list(ALICE).await;
    let names = ["actorCount", "actors", "createdAt", "id", "read", "target", "type", "updatedAt"];
    assert_eq!(keys(&first[0]), names);
    assert_eq!(first[0]["target"], json!({ "type": "post", "id": POST }));
    assert_eq!(first[0]["createdAt"], first[0]["updatedAt"]);
    house.react(CARLA, OTHER, "like").await;
    for who in [CARLA, DORA, EVE] {
        house.hear_at(1, "posts", "reaction.created", house.reacted(who, POST, "fire")).await;
    }
    let told = house.list(ALICE).await;
    assert_eq!(told.len(), 2);
    assert_eq!((&told[0]["id"], &told[0]["actorCount"]), (&first[0]["id"], &json!(4)), "it moved to the top");
    assert_eq!(actors(&told[0]).len(), 3);
    assert!(!actors(&told[0]).contains(&"bob"), "{:?}", actors(&told[0]));
    assert!(told[0]["updatedAt"].as_str() > told[0]["createdAt"].as_str());
    assert_eq!(told[0]["createdAt"], first[0]["createdAt"]);
    assert_eq!(house.unread(ALICE).await, 2);
}

#[tokio::test]
async fn an_actor_counts_once_and_their_newest_counts() {
    let house = start().await;
    house.react(BOB, POST, "like").await;
    house.hear_at(1, "posts", "reaction.created", house.reacted(CARLA, POST, "like")).await;
    assert_eq!(actors(&house.list(ALICE).await[0]), ["carla", "bob"]);
    house.hear_at(2, "posts", "reaction.created", house.reacted(BOB, POST, "love")).await;
    let told = house.list(ALICE).await;
    assert_eq!((told.len(), &told[0]["actorCount"]), (1, &json!(2)));
    assert_eq!(actors(&told[0]), ["bob", "carla"]);
}

#[tokio::test]
async fn what_was_read_or_is_twelve_hours_old_gets_no_more() {
    let house = start().await;
    let react = async |who: usize, minutes: i64| {
        house.hear_at(minutes, "posts", "reaction.created", house.reacted(who, POST, "like")).await;
    };
    react(BOB, -723).await;
    react(CARLA, -2).await;
    assert_eq!(house.told(ALICE).await, ["reaction 1", "reaction 1"]);
    react(DORA, 0).await;
    assert_eq!(house.told(ALICE).await, ["reaction 2", "reaction 1"], "the younger one");
    house.post("/notifications/read", ALICE, json!({})).await;
    react(EVE, 1).await;
    assert_eq!(house.told(ALICE).await, ["reaction 1", "reaction 2", "reaction 1"]);
    assert_eq!(house.unread(ALICE).await, 1);
}

#[tokio::test]
async fn nobody_hears_of_themselves() {
    let house = start().await;
    house.react(ALICE, POST, "like").await;
    house.comment(ALICE, COMMENT, None, &[ALICE]).await;
    house.comment(ALICE, REPLY, Some((COMMENT, ALICE)), &[]).await;
    house.publish(ALICE, OTHER, "public", &[ALICE]).await;
    assert!(house.list(ALICE).await.is_empty());
    assert_eq!(house.one("select count(*) from notifications").await, "0");
}

#[tokio::test]
async fn a_comment_is_told_to_whose_post_it_is_whom_it_answers_and_whom_it_names_each_once() {
    let house = start().await;
    house.comment(CARLA, COMMENT, None, &[]).await;
    house.comment(BOB, REPLY, Some((COMMENT, CARLA)), &[ALICE, CARLA, DORA, BOB]).await;
    assert_eq!(house.told(ALICE).await, ["comment 2"], "carla's and bob's");
    assert_eq!(house.told(CARLA).await, ["comment 1"]);
    let dora = house.list(DORA).await;
    assert_eq!((dora.len(), &dora[0]["type"]), (1, &json!("mention")));
    assert_eq!(dora[0]["target"], json!({ "type": "comment", "id": REPLY }));
    assert!(house.list(BOB).await.is_empty());
    // Alice answers herself below her own post: one row.
    house.comment(ALICE, OTHER, Some((COMMENT, CARLA)), &[]).await;
    assert_eq!(house.told(CARLA).await, ["comment 2"]);
    assert_eq!(house.told(ALICE).await, ["comment 2"]);
}

#[tokio::test]
async fn a_post_is_told_to_whom_it_names() {
    let house = start().await;
    house.publish(BOB, POST, "public", &[ALICE, CARLA]).await;
    for who in [ALICE, CARLA] {
        let told = house.list(who).await;
        assert_eq!((told.len(), &told[0]["type"], actors(&told[0])), (1, &json!("mention"), vec!["bob"]));
        assert_eq!(told[0]["target"], json!({ "type": "post", "id": POST }));
    }
}

#[tokio::test]
async fn followers_are_one_row_and_a_request_becomes_a_follow() {
    let house = start().await;
    for who in [BOB, CARLA] {
        house.tie("follow.created", who, ALICE).await;
    }
    let told = house.list(ALICE).await;
    assert_eq!((told.len(), &told[0]["actorCount"], &told[0]["target"]), (1, &json!(2), &json!(null)));
    house.tie("follow.requested", DORA, ALICE).await;
    assert_eq!(house.told(ALICE).await, ["follow_request 1", "follow 2"]);
    // As social tells of an acceptance.
    house.tie("follow.request_removed", DORA, ALICE).await;
    house.tie("follow.created", DORA, ALICE).await;
    assert_eq!(house.told(ALICE).await, ["follow 3"]);
}

#[tokio::test]
async fn who_looks_at_a_scoop_and_what_becomes_of_a_video_are_told() {
    let house = start().await;
    let viewed =
        |who: usize| json!({ "scoopId": POST, "authorId": house.ids[ALICE], "viewerId": house.ids[who] });
    house.hear("scoops", "scoop.viewed", viewed(BOB)).await;
    house.hear("scoops", "scoop.viewed", viewed(CARLA)).await;
    let media = |kind: &str| json!({ "key": OTHER, "ownerId": house.ids[ALICE], "media": { "kind": kind, "key": OTHER }, "avatarUrl": null });
    house.hear("media", "media.ready", media("image")).await;
    assert_eq!(house.told(ALICE).await, ["scoop_view 2"], "pictures are not told");
    house.hear("media", "media.failed", media("video")).await;
    assert_eq!(house.told(ALICE).await, ["media_failed 0", "scoop_view 2"]);
    house.hear("media", "media.ready", media("video")).await;
    let told = house.list(ALICE).await;
    assert_eq!(house.told(ALICE).await, ["media_ready 0", "scoop_view 2"], "tried once more");
    assert_eq!(
        (&told[0]["target"], &told[0]["actors"]),
        (&json!({ "type": "media", "id": OTHER }), &json!([]))
    );
    assert_eq!(told[1]["target"], json!({ "type": "scoop", "id": POST }));
    assert_eq!(house.unread(ALICE).await, 2);
}

#[tokio::test]
async fn ids_are_uuids_of_their_time_and_no_two_are_the_same() {
    let house = start().await;
    let now = house.world.app("notifications").now().millis();
    for n in 0..40 {
        let post = format!("01a20052-fe97-7114-a1f4-07248e949f{n:02x}");
        house.react(BOB, &post, "like").await;
    }
    let mut seen = std::collections::BTreeSet::new();
    for one in house.list(ALICE).await {
        let id = one["id"].as_str().unwrap();
        assert_eq!(shared::ids::Id::parse(id).unwrap().to_string(), id);
        assert!(id.as_bytes()[14] == b'7' && b"89ab".contains(&id.as_bytes()[19]), "{id}");
        let millis = i64::from_str_radix(&id.replace('-', "")[..12], 16).unwrap();
        assert!((now..now + 60_000).contains(&millis), "{id}");
        assert!(seen.insert(id.to_owned()), "{id}");
    }
    assert_eq!(seen.len(), 40);
}

#[tokio::test]
async fn the_newest_thousand_stay() {
    let house = start().await;
    let reacted = |n: i64| house.reacted(BOB, &format!("01a20052-fe97-7114-a1f4-{n:012x}"), "like");
    let events: Vec<_> = (0..1005).map(|n| ("reaction.created", "k", reacted(n))).collect();
    for batch in events.chunks(200) {
        house.world.hear("notifications", "posts", batch).await;
    }
    assert_eq!(house.one("select count(*) from notifications").await, "1000");
    assert_eq!(house.one("select kept from boxes").await, "1000");
    assert_eq!(house.unread(ALICE).await, 1000);
    assert_eq!(house.list(ALICE).await[0]["target"]["id"], "01a20052-fe97-7114-a1f4-0000000003ec");
    house.hear_at(-91 * 24 * 60, "posts", "reaction.created", house.reacted(CARLA, POST, "like")).await;
    house.tick().await;
    assert_eq!(house.unread(ALICE).await, 999, "one made room, and was too old itself");
}
