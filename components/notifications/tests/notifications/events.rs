//! What is told, what a deletion leaves, what an export holds.

use notifications::events::{ErasureCompleted, NotificationRead, NotificationTold};
use serde_json::{Value, json};
use shared::events::CATALOGUE;
use shared::testing::INTERNAL_TOKEN;

use crate::receivers::Browser;
use crate::{ALICE, BOB, CARLA, COMMENT, House, OTHER, POST, keys, start};

async fn delete(house: &House, who: usize) -> Value {
    let deletion = json!(house.world.id());
    let change = json!({ "status": "deleted", "handle": null, "deletionId": deletion });
    house.change("user.deleted", who, change).await;
    deletion
}

#[tokio::test]
async fn every_event_told_has_exactly_the_members_of_the_catalogue() {
    let house = start().await;
    house.react(BOB, POST, "like").await;
    house.react(CARLA, POST, "like").await;
    house.unreact(BOB, POST, "like").await;
    house.post("/notifications/read", ALICE, json!({})).await;
    delete(&house, BOB).await;
    for kind in CATALOGUE.iter().filter(|kind| kind.source == "notifications") {
        let told = house.emitted(kind.name).await;
        assert!(!told.is_empty(), "{} was not told", kind.name);
        for body in told {
            let mut members = kind.body.to_vec();
            members.sort_unstable();
            assert_eq!(keys(&body), members, "{}", kind.name);
            match kind.name {
                "notification.read" => drop(serde_json::from_value::<NotificationRead>(body).unwrap()),
                "erasure.completed" => drop(serde_json::from_value::<ErasureCompleted>(body).unwrap()),
                _ => drop(serde_json::from_value::<NotificationTold>(body).unwrap()),
            }
        }
    }
}

#[tokio::test]
async fn a_row_is_told_when_it_is_made_and_at_every_change_of_who_did_it() {
    let house = start().await;
    house.react(BOB, POST, "like").await;
    let id = house.list(ALICE).await[0]["id"].clone();
    let expected = json!({ "notificationId": id, "userId": house.ids[ALICE] });
    assert_eq!(house.emitted("notification.created").await, std::slice::from_ref(&expected));
    assert!(house.emitted("notification.updated").await.is_empty());
    house.react(CARLA, POST, "like").await;
    house.unreact(CARLA, POST, "like").await;
    house.unreact(BOB, POST, "like").await;
    assert_eq!(house.emitted("notification.updated").await, [expected.clone(), expected.clone(), expected]);
    assert_eq!(
        house.one("select count(*) from outbox where key <> json_extract(body, '$.userId')").await,
        "0"
    );
}

#[tokio::test]
async fn a_deleted_person_is_erased_and_so_is_what_they_did() {
    let house = start().await;
    Browser::new("a").register(&house, ALICE).await;
    house.want(ALICE, json!({ "follow": false }), Value::Null).await;
    house.react(BOB, POST, "like").await;
    house.react(CARLA, POST, "like").await;
    house.tie("follow.created", ALICE, BOB).await;
    house.tie("follow.created", ALICE, CARLA).await;
    house.tie("follow.created", BOB, CARLA).await;
    house.publish(ALICE, OTHER, "public", &[CARLA]).await;
    let deletion = delete(&house, ALICE).await;
    // Herself, a notification, three times an actor, her preferences, a place.
    let receipt =
        json!({ "userId": house.ids[ALICE], "deletionId": deletion, "service": "notifications", "rows": 7 });
    assert_eq!(house.emitted("erasure.completed").await, [receipt]);
    assert!(house.list(BOB).await.is_empty());
    assert_eq!(house.told(CARLA).await, ["follow 1"], "bob's");
    assert_eq!(house.unread(CARLA).await, 1);
    for (table, column) in [
        ("notifications", "person"),
        ("actors", "person"),
        ("actors", "owner"),
        ("causes", "actor"),
        ("push_endpoints", "person"),
        ("preferences", "person"),
        ("boxes", "person"),
        ("withdrawn", "person"),
        ("moves", "person"),
    ] {
        let left = format!("select count(*) from {table} where {column} = 1");
        assert_eq!(house.one(&left).await, "0", "{table}.{column}");
    }
    assert_eq!(house.one("select count(*) from pushes").await, "0");
    assert_eq!(house.get("/notifications", ALICE).await.status, 401);
    // Nothing late brings anything back.
    house.react(BOB, POST, "love").await;
    house.want(ALICE, json!({}), Value::Null).await;
    house.tie("follow.created", ALICE, BOB).await;
    for table in ["notifications", "preferences"] {
        assert_eq!(
            house.one(&format!("select count(*) from {table} where person = 1")).await,
            "0",
            "{table}"
        );
    }
    assert!(house.list(BOB).await.is_empty());
}

#[tokio::test]
async fn somebody_nothing_is_held_of_counts_as_one() {
    let house = start().await;
    delete(&house, CARLA).await;
    assert_eq!(house.emitted("erasure.completed").await[0]["rows"], 1);
}

#[tokio::test]
async fn an_export_has_everything_held_about_a_person_and_nobody_elses() {
    let house = start().await;
    let id = Browser::new("a").register(&house, ALICE).await;
    Browser::new("b").register(&house, BOB).await;
    house.want(ALICE, json!({ "scoop": false }), Value::Null).await;
    house.react(BOB, POST, "like").await;
    house.comment(BOB, COMMENT, None, &[]).await;
    house.tie("follow.created", ALICE, BOB).await;
    let path = format!("/internal/export/{}", house.ids[ALICE]);
    let export = house.world.get("notifications", &path, INTERNAL_TOKEN).await.body;
    assert_eq!(keys(&export), ["did", "notifications", "preferences", "pushEndpoints"]);
    assert_eq!(export["notifications"].as_array().unwrap().len(), 2);
    assert_eq!(export["notifications"][0]["actors"], json!([house.ids[BOB]]));
    assert_eq!((&export["did"][0]["type"], export["did"].as_array().unwrap().len()), (&json!("follow"), 1));
    assert_eq!(export["preferences"]["push"]["scoop"], false);
    assert_eq!(
        (&export["pushEndpoints"][0]["id"], export["pushEndpoints"].as_array().unwrap().len()),
        (&json!(id), 1)
    );
    assert_eq!(house.get(&path, ALICE).await.status, 404, "not for clients");
    let nobody = format!("/internal/export/{}", house.world.id());
    let nothing = house.world.get("notifications", &nobody, INTERNAL_TOKEN).await;
    assert_eq!((nothing.status, &nothing.body["notifications"]), (200, &json!([])));
}
