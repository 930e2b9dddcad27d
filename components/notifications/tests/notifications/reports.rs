//! What administrators decided.

use serde_json::{Value, json};

use crate::receivers::{Browser, Host};
use crate::{ALICE, BOB, CARLA, House, keys, start};

impl House {
    /// Hears that a report is decided: for who made it.
    async fn resolve(&self, report: &str, who: usize) {
        let body = json!({ "reportId": report, "reporterId": self.ids[who], "status": "content_removed" });
        self.hear("social", "report.resolved", body).await;
    }
}

fn targets(list: &[Value]) -> Vec<(&str, &str)> {
    assert!(list.iter().all(|one| one["type"] == "report_resolved"), "{list:?}");
    list.iter()
        .map(|one| (one["target"]["type"].as_str().unwrap(), one["target"]["id"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn whoever_reported_something_is_told_that_it_was_decided() {
    let house = start().await;
    let (report, other) = (house.world.id().to_string(), house.world.id().to_string());
    house.resolve(&report, ALICE).await;
    let list = house.list(ALICE).await;
    assert_eq!(targets(&list), [("report", report.as_str())]);
    assert_eq!(
        (&list[0]["actors"], &list[0]["actorCount"], &list[0]["read"]),
        (&json!([]), &json!(0), &json!(false))
    );
    assert_eq!(
        keys(&list[0]),
        ["actorCount", "actors", "createdAt", "id", "read", "target", "type", "updatedAt"]
    );
    house.resolve(&other, ALICE).await;
    assert_eq!(targets(&house.list(ALICE).await), [("report", other.as_str()), ("report", report.as_str())]);
    assert_eq!(house.unread(ALICE).await, 2);
    assert!(house.list(BOB).await.is_empty());
}

#[tokio::test]
async fn whose_it_was_is_told_and_nobody_sees_who_reported_it() {
    let house = start().await;
    let (removed, suspended, appeal) =
        (house.world.id().to_string(), house.world.id().to_string(), house.world.id().to_string());
    let body = json!({ "reportId": removed, "authorId": house.ids[BOB], "targetType": "post", "targetId": crate::POST });
    house.hear("social", "content.removed", body).await;
    house
        .hear("social", "suspension.begun", json!({ "reportId": suspended, "userId": house.ids[BOB] }))
        .await;
    let body = json!({ "appealId": appeal, "authorId": house.ids[BOB], "status": "overturned" });
    house.hear("social", "appeal.resolved", body).await;
    let list = house.list(BOB).await;
    let expected =
        [("appeal", appeal.as_str()), ("report", suspended.as_str()), ("report", removed.as_str())];
    assert_eq!(targets(&list), expected);
    assert!(list.iter().all(|one| one["actors"] == json!([])));
    for other in [ALICE, CARLA] {
        assert!(house.list(other).await.is_empty());
    }
}

#[tokio::test]
async fn of_one_report_both_sides_are_told_each_for_themselves() {
    let house = start().await;
    let report = house.world.id().to_string();
    house.resolve(&report, ALICE).await;
    let body = json!({ "reportId": report, "authorId": house.ids[BOB], "targetType": "post", "targetId": crate::POST });
    house.hear("social", "content.removed", body).await;
    assert_eq!((house.unread(ALICE).await, house.unread(BOB).await), (1, 1));
    let id = house.list(ALICE).await[0]["id"].clone();
    house.post("/notifications/read", ALICE, json!({ "ids": [id] })).await;
    assert_eq!((house.unread(ALICE).await, house.unread(BOB).await), (0, 1));
}

#[tokio::test]
async fn what_is_told_before_the_person_is_known_is_there_when_they_come() {
    let house = start().await;
    let (stranger, report) = (house.world.id(), house.world.id().to_string());
    let body = json!({ "reportId": report, "reporterId": stranger, "status": "dismissed" });
    house.hear("social", "report.resolved", body).await;
    let account = json!({ "id": stranger, "handle": "zoe", "displayName": null, "bio": null, "avatarUrl": null,
        "private": 0, "createdAt": "2026-01-01T00:00:00.000Z", "status": "active", "rev": 1 });
    house.hear("users", "user.registered", account).await;
    let told = house.world.get("notifications", "/notifications", &house.world.token(stranger)).await;
    assert_eq!(targets(told.body["items"].as_array().unwrap()), [("report", report.as_str())]);
}

#[tokio::test]
async fn a_push_of_it_says_no_more_than_that_something_was_decided() {
    let house = start().await;
    let host = Host::at(&house, "push.example.com");
    let browser = Browser::new("a");
    browser.register(&house, BOB).await;
    let body = json!({ "reportId": house.world.id(), "userId": house.ids[BOB] });
    house.hear("social", "suspension.begun", body).await;
    let body = json!({ "appealId": house.world.id(), "authorId": house.ids[BOB], "status": "upheld" });
    house.hear("social", "appeal.resolved", body).await;
    house.tick_later(5).await;
    let mut said: Vec<String> =
        host.take_all().iter().map(|came| browser.open(came)["body"].to_string()).collect();
    said.sort_unstable();
    assert_eq!(said, ["\"A report that concerns you was decided on.\"", "\"Your appeal was decided on.\""]);
}
