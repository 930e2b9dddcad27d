//! What is read, and what is left.

use serde_json::{Value, json};
use shared::testing::INTERNAL_TOKEN;

use crate::{ALICE, BOB, CARLA, COMMENT, DORA, House, OTHER, POST, REPLY, refusal, start};

async fn read(house: &House, body: Value) -> i64 {
    let answer = house.post("/notifications/read", ALICE, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["unreadCount"].as_i64().unwrap()
}

/// Four rows of alice's, newest first.
async fn four(house: &House) -> Vec<Value> {
    house.tie("follow.created", BOB, ALICE).await;
    house.react(BOB, POST, "like").await;
    house.react(BOB, OTHER, "like").await;
    house.comment(BOB, COMMENT, None, &[]).await;
    house.list(ALICE).await.iter().map(|one| one["id"].clone()).collect()
}

#[tokio::test]
async fn some_all_up_to_one_or_all_are_read_and_the_count_follows() {
    let house = start().await;
    let ids = four(&house).await;
    assert_eq!(house.unread(ALICE).await, 4);
    assert_eq!(read(&house, json!({ "ids": [ids[1]] })).await, 3);
    assert_eq!(read(&house, json!({ "ids": [ids[1]] })).await, 3, "again");
    assert_eq!(read(&house, json!({ "ids": [] })).await, 3);
    assert_eq!(read(&house, json!({ "upTo": ids[2] })).await, 1, "it and what is below it");
    let unread = house.get("/notifications?unread=true", ALICE).await.body;
    assert_eq!((unread["items"].as_array().unwrap().len(), &unread["items"][0]["id"]), (1, &ids[0]));
    assert_eq!(house.list(ALICE).await.len(), 4, "they stay");
    assert_eq!(house.list(ALICE).await[1]["read"], true);
    assert_eq!(read(&house, json!({})).await, 0);
    assert_eq!(read(&house, json!({ "ids": null, "upTo": null })).await, 0);
}

#[tokio::test]
async fn up_to_goes_by_the_order_of_the_list() {
    let house = start().await;
    let ids = four(&house).await;
    // The oldest moves to the top.
    house.tie("follow.created", CARLA, ALICE).await;
    assert_eq!(house.list(ALICE).await[0]["id"], ids[3]);
    assert_eq!(read(&house, json!({ "upTo": ids[0] })).await, 1);
}

#[tokio::test]
async fn what_is_not_there_is_passed_over_and_what_is_no_id_is_refused() {
    let house = start().await;
    let ids = four(&house).await;
    let unknown = house.world.id();
    assert_eq!(read(&house, json!({ "ids": [unknown, ids[0]] })).await, 3);
    assert_eq!(read(&house, json!({ "upTo": unknown })).await, 3);
    let many: Vec<_> = (0..1001).map(|_| unknown).collect();
    for (body, field) in [
        (json!({ "ids": ["x"] }), "ids[0]"),
        (json!({ "ids": "x" }), "ids"),
        (json!({ "ids": [null] }), "ids[0]"),
        (json!({ "upTo": 7 }), "upTo"),
        (json!({ "ids": [], "upTo": ids[0] }), "ids"),
        (json!({ "ids": many }), "ids"),
        (json!([]), ""),
    ] {
        let answer = house.post("/notifications/read", ALICE, body).await;
        assert_eq!(refusal(&answer), (422, "invalid", field));
    }
    assert_eq!(house.get("/notifications?unread=maybe", ALICE).await.status, 422);
    assert_eq!(house.unread(ALICE).await, 3);
}

#[tokio::test]
async fn a_retry_reads_once() {
    let house = start().await;
    let ids = four(&house).await;
    let key = [("idempotency-key", "k")];
    let send = async || {
        let body = json!({ "ids": [ids[0]] });
        house
            .world
            .call(
                "notifications",
                http::Method::POST,
                "/notifications/read",
                &house.tokens[ALICE],
                &key,
                body,
            )
            .await
    };
    let first = send().await;
    house.react(CARLA, REPLY, "like").await;
    let again = send().await;
    assert_eq!((first.body.clone(), again.body), (json!({ "unreadCount": 3 }), first.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
}

#[tokio::test]
async fn events_that_come_twice_or_from_two_sources_in_any_order_count_once() {
    let house = start().await;
    let reaction = json!({ "seq": 1, "type": "reaction.created", "key": "k", "at": "2026-11-21T12:00:00.000Z",
        "body": house.reacted(BOB, POST, "like") });
    let batch = json!({ "source": "posts", "after": 0, "events": [reaction] });
    for _ in 0..3 {
        let answer =
            house.world.post("notifications", "/internal/events", INTERNAL_TOKEN, batch.clone()).await;
        assert_eq!(answer.body["seq"], 1, "{answer:?}");
    }
    assert_eq!((house.told(ALICE).await, house.unread(ALICE).await), (vec!["reaction 1".to_owned()], 1));
    // A block that social told before posts told of the like it should have kept away, and the other way round.
    for first in ["social", "posts"] {
        let house = start().await;
        if first == "social" {
            house.tie("block.created", ALICE, BOB).await;
        }
        house.react(BOB, POST, "like").await;
        if first == "posts" {
            house.tie("block.created", ALICE, BOB).await;
        }
        assert_eq!((house.list(ALICE).await.len(), house.unread(ALICE).await), (0, 0), "{first}");
    }
    // A like of somebody who is deleted already.
    let house = start().await;
    let deletion = json!({ "status": "deleted", "handle": null, "deletionId": house.world.id() });
    house.change("user.deleted", BOB, deletion).await;
    house.react(BOB, POST, "like").await;
    assert_eq!(
        (house.list(ALICE).await.len(), house.one("select count(*) from actors").await),
        (0, "0".into())
    );
}

/// A number below `below`, another each time, the same in each run.
pub fn random(seed: &mut u64, below: u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % below
}

/// One of the things that happen between four people.
async fn anything(house: &House, seed: &mut u64) {
    let mut pick = |below: u64| usize::try_from(random(seed, below)).unwrap();
    let (one, other, post) = (pick(4), pick(4), [POST, OTHER][pick(2)]);
    let kind = ["like", "love"][pick(2)];
    let comment = [COMMENT, REPLY][pick(2)];
    match pick(14) {
        0..3 => house.react(one, post, kind).await,
        3 | 4 => house.unreact(one, post, kind).await,
        5 => house.comment(one, comment, Some((COMMENT, other)), &[pick(4)]).await,
        6 => house.uncomment(one, comment).await,
        7 => house.tie("follow.created", one, other).await,
        8 => house.tie("follow.removed", one, other).await,
        9 => {
            house
                .tie(["block.created", "block.removed", "mute.created", "mute.removed"][pick(4)], one, other)
                .await
        }
        10 => house.publish(one, post, ["public", "followers"][pick(2)], &[other]).await,
        11 => house.unpublish(one, post).await,
        12 => {
            let change = [json!({ "private": 1 }), json!({ "private": 0 })][pick(2)].clone();
            house.change("user.updated", one, change).await;
        }
        _ => {
            let id = house.list(one).await.last().map(|one| one["id"].clone());
            house.post("/notifications/read", one, json!({ "upTo": id })).await;
        }
    }
}

#[tokio::test]
async fn whatever_happens_the_count_is_of_what_is_shown_and_unread() {
    let house = start().await;
    let mut seed = 7;
    for step in 0..400 {
        anything(&house, &mut seed).await;
        for who in [ALICE, BOB, CARLA, DORA] {
            let list = house.list(who).await;
            let unread = list.iter().filter(|one| one["read"] == false).count();
            assert_eq!(house.unread(who).await, i64::try_from(unread).unwrap(), "step {step}, {who}");
            for one in &list {
                let shown = one["actors"].as_array().unwrap().len() as u64;
                let count = one["actorCount"].as_u64().unwrap();
                assert!(shown > 0 && (shown <= count) && shown <= 3, "step {step}: {one}");
            }
        }
        let wrong = "select count(*) from notifications as n where actor_count = 0
            or actor_count <> (select count(*) from actors where notification = n.pk)
            or exists (select 1 from actors as a where a.notification = n.pk and (a.causes = 0 or a.causes <>
                (select count(*) from causes where notification = n.pk and actor = a.person)))";
        assert_eq!(house.one(wrong).await, "0", "step {step}");
        let kept = "select count(*) from boxes where kept <> (select count(*) from notifications where person = boxes.person)";
        assert_eq!(house.one(kept).await, "0", "step {step}");
        let twice = "select count(*) from (select 1 from notifications where read = 0 group by person, type, target_id having count(*) > 1)";
        assert_eq!(house.one(twice).await, "0", "step {step}");
    }
}

#[tokio::test]
async fn that_something_was_read_is_told_once_and_nothing_where_nothing_was_left() {
    let house = start().await;
    let ids = four(&house).await;
    let told = json!({ "userId": house.ids[ALICE] });
    read(&house, json!({ "ids": [ids[0], ids[1]] })).await;
    assert_eq!(house.emitted("notification.read").await, std::slice::from_ref(&told));
    for nothing in [
        json!({ "ids": [ids[0], house.world.id()] }),
        json!({ "ids": [] }),
        json!({ "upTo": house.world.id() }),
    ] {
        read(&house, nothing).await;
    }
    house.post("/notifications/read", BOB, json!({})).await;
    assert_eq!(house.emitted("notification.read").await.len(), 1);
    read(&house, json!({})).await;
    read(&house, json!({})).await;
    assert_eq!(house.emitted("notification.read").await, [told.clone(), told]);
}

#[tokio::test]
async fn other_services_are_told_what_each_person_is_shown_by_now() {
    let house = start().await;
    house.react(BOB, POST, "like").await;
    house.tie("follow.created", CARLA, ALICE).await;
    house.tie("follow.created", ALICE, BOB).await;
    let mine = house.list(ALICE).await;
    let bobs = house.list(BOB).await;
    let ids = json!([mine[0]["id"], mine[1]["id"], bobs[0]["id"], house.world.id(), "x"]);
    let ask = json!({ "people": [
        { "userId": house.ids[ALICE], "ids": ids }, { "userId": house.ids[BOB], "ids": [] },
        { "userId": house.world.id(), "ids": ids }] });
    let tell = async || {
        house.world.post("notifications", "/internal/notifications", INTERNAL_TOKEN, ask.clone()).await.body
    };
    let told = tell().await;
    let [alice, bob] = [ALICE, BOB].map(|who| told["people"][house.ids[who].to_string()].clone());
    assert_eq!(told["people"].as_object().unwrap().len(), 2);
    assert_eq!((&alice["unreadCount"], &bob), (&json!(2), &json!({ "unreadCount": 1, "notifications": {} })));
    let expected: Vec<Value> =
        mine.iter().map(|one| alice["notifications"][one["id"].as_str().unwrap()].clone()).collect();
    assert_eq!((expected, alice["notifications"].as_object().unwrap().len()), (mine.clone(), 2));
    house.change("user.suspended", BOB, json!({ "status": "suspended" })).await;
    let told = tell().await;
    assert_eq!(told["people"].as_object().unwrap().len(), 1);
    assert_eq!(told["people"][house.ids[ALICE].to_string()]["unreadCount"], 1);
    let answer = house.post("/internal/notifications", ALICE, ask).await;
    assert_eq!(answer.status, 404, "not for clients");
    let nobody = house
        .world
        .post("notifications", "/internal/notifications", INTERNAL_TOKEN, json!({ "people": [] }))
        .await;
    assert_eq!(nobody.body, json!({ "people": {} }));
}
