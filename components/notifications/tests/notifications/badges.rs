//! Badges that people are given.

use serde_json::{Value, json};

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
