//! Badges that people are given.

use serde_json::{Value, json};

use crate::receivers::{Browser, Host};
use crate::{ALICE, BOB, House, start};

async fn award(house: &House, who: usize, badge: &str) {
    let body = json!({ "userId": house.ids[who], "badgeId": badge, "name": "First words" });
    house.hear("gamification", "badge.awarded", body).await;
}

#[tokio::test]
async fn a_badge_is_a_notification_by_nobody_about_itself() {
    let house = start().await;
    award(&house, ALICE, "first_post").await;
    award(&house, ALICE, "posts_10").await;
    let list = house.list(ALICE).await;
    let targets: Vec<&Value> = list.iter().map(|one| &one["target"]).collect();
    let target = |id: &str| json!({ "type": "badge", "id": id });
    assert_eq!(targets, [&target("posts_10"), &target("first_post")], "each is one of its own");
    assert_eq!(
        (&list[0]["type"], &list[0]["actors"], &list[0]["actorCount"]),
        (&json!("badge"), &json!([]), &json!(0))
    );
    assert_eq!(house.unread(ALICE).await, 2);
    assert!(house.list(BOB).await.is_empty());
}

#[tokio::test]
async fn a_badge_of_somebody_deleted_is_nothing() {
    let house = start().await;
    award(&house, BOB, "first_post").await;
    let change = json!({ "status": "deleted", "handle": null, "deletionId": house.world.id() });
    house.change("user.deleted", BOB, change).await;
    award(&house, BOB, "posts_10").await;
    assert_eq!(house.one("select count(*) from notifications").await, "0");
}

#[tokio::test]
async fn a_push_names_the_badge_as_its_event_did_last() {
    let house = start().await;
    let host = Host::at(&house, "push.example.com");
    let browser = Browser::new("a");
    browser.put(&house, ALICE).await;
    let pushed = async |who: usize, badge: &str, name: Value| {
        let mut body = json!({ "userId": house.ids[who], "badgeId": badge, "name": name });
        if body["name"].is_null() {
            body.as_object_mut().unwrap().remove("name");
        }
        house.hear("gamification", "badge.awarded", body).await;
        house.tick_later(5).await;
        host.take_all().iter().map(|push| browser.open(push)["body"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        pushed(ALICE, "posts_10", json!("Storyteller")).await,
        ["You earned the badge “Storyteller”."]
    );
    // One that was told before events had names is no worse than it was.
    assert_eq!(pushed(ALICE, "streak_7", Value::Null).await, ["You earned a badge."]);
    assert!(pushed(BOB, "posts_100", json!("Chronicler")).await.is_empty(), "bob has no browser");
    assert!(pushed(BOB, "posts_100", json!("Annalist")).await.is_empty());
    assert_eq!(
        pushed(ALICE, "posts_100", Value::Null).await,
        ["You earned the badge “Annalist”."],
        "by whomever it was told"
    );
}
