//! `GET /analytics/overview`.

use serde_json::{Value, json};
use shared::testing::{INTERNAL_TOKEN, WORKER_TOKEN};

use crate::{ALICE, BOB, CARLA, House, POST, admin, refusal, start};

async fn overview(house: &House, query: &str) -> Value {
    let token = admin(&house.world, house.ids[CARLA]);
    let answer = house.world.get("analytics", &format!("/analytics/overview{query}"), &token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// What of a number of today and the days before is not 0: `days ago: number`.
fn days(body: &Value, name: &str) -> Vec<(usize, i64)> {
    let days = body["days"].as_array().unwrap().iter().rev().enumerate();
    days.map(|(ago, day)| (ago, day[name].as_i64().unwrap())).filter(|(_, number)| *number != 0).collect()
}

#[tokio::test]
async fn administrators_read_it_and_nobody_else() {
    let house = start().await;
    let path = "/analytics/overview";
    for token in ["", INTERNAL_TOKEN, WORKER_TOKEN, "nonsense"] {
        assert_eq!(
            refusal(&house.world.get("analytics", path, token).await),
            (401, "invalid_token"),
            "{token}"
        );
    }
    assert_eq!(refusal(&house.get(path, ALICE).await), (403, "admin_required"));
    assert_eq!(refusal(&house.get("/analytics/overview?days=0", ALICE).await), (403, "admin_required"));
    let token = admin(&house.world, house.ids[CARLA]);
    assert_eq!(house.world.get("analytics", path, &token).await.status, 200);
    for days in ["0", "91", "x"] {
        let answer = house.world.get("analytics", &format!("{path}?days={days}"), &token).await;
        assert_eq!(refusal(&answer), (422, "invalid"), "{days}");
    }
    house.sql("update people set status = 'suspended' where handle = 'carla'").await;
    assert_eq!(refusal(&house.world.get("analytics", path, &token).await), (403, "account_suspended"));
}

#[tokio::test]
async fn people_and_what_they_made_are_counted_on_their_days() {
    let house = start().await;
    let dave = house.world.id();
    house.hear("users", &[("user.registered", 3, house.person(dave, 3, "active", 1))]).await;
    let events = [
        ("post.published", 2, house.published(ALICE, POST)),
        ("reaction.created", 1, house.reacted(BOB, POST, "like")),
        ("comment.created", 1, house.commented(BOB, POST, "c1")),
        ("comment.created", 0, house.commented(BOB, POST, "c2")),
    ];
    house.hear("posts", &events).await;
    let body = overview(&house, "?days=4").await;
    assert_eq!(body["days"].as_array().unwrap().len(), 4);
    assert_eq!((&body["users"], &body["posts"]), (&json!(4), &json!(1)));
    assert_eq!(days(&body, "newUsers"), [(0, 3), (3, 1)]);
    assert_eq!(days(&body, "posts"), [(2, 1)]);
    assert_eq!(days(&body, "reactions"), [(1, 1)]);
    assert_eq!(days(&body, "comments"), [(0, 1), (1, 1)]);
    assert_eq!(days(&body, "activeUsers"), [(0, 1), (1, 1), (2, 1), (3, 1)]);
    house.hear("users", &[("user.suspended", 0, house.person(dave, 3, "suspended", 2))]).await;
    assert_eq!(overview(&house, "").await["users"], 4, "the suspended are still there");
}

#[tokio::test]
async fn active_is_who_did_or_looked_at_anything_each_once_a_day() {
    let house = start().await;
    let post = house.published(ALICE, POST);
    let scoop = json!({ "scoopId": "s", "authorId": house.ids[ALICE], "viewerId": house.ids[BOB] });
    house
        .hear("posts", &[("post.published", 40, post), ("post.viewed", 31, house.viewed(CARLA, POST))])
        .await;
    let shown =
        json!({ "scoopId": "s", "authorId": house.ids[ALICE], "audience": "followers", "expiresAt": "" });
    house
        .hear(
            "scoops",
            &[("scoop.published", 6, shown), ("scoop.viewed", 7, scoop.clone()), ("scoop.viewed", 7, scoop)],
        )
        .await;
    house
        .hear(
            "social",
            &[
                ("follow.created", 29, house.follow(CARLA, ALICE)),
                ("follow.removed", 0, house.follow(CARLA, ALICE)),
            ],
        )
        .await;
    let body = overview(&house, "?days=90").await;
    assert_eq!(days(&body, "activeUsers"), [(6, 1), (7, 1), (29, 1), (31, 1), (40, 1)]);
    assert_eq!([&body["dau"], &body["wau"], &body["mau"]], [0, 1, 3]);
    house.hear("posts", &[("reaction.created", 0, house.reacted(BOB, POST, "like"))]).await;
    house.hear("posts", &[("comment.created", 1, house.commented(BOB, POST, "c"))]).await;
    let body = overview(&house, "").await;
    assert_eq!([&body["dau"], &body["wau"], &body["mau"]], [1, 2, 3]);
}

#[tokio::test]
async fn retention_tells_of_each_week_of_newcomers_who_came_back() {
    let house = start().await;
    // Days on which weeks began, so many weeks ago.
    let since_monday = {
        let day = house.world.app("analytics").now().seconds() / 86_400;
        u32::try_from((day + 3) % 7).unwrap()
    };
    let monday = |weeks: u32| weeks * 7 + since_monday;
    let (dave, erin, frank) = (house.world.id(), house.world.id(), house.world.id());
    let came = |id, days| ("user.registered", days, house.person(id, days, "active", 1));
    let saw = |id, days| {
        ("post.viewed", days, json!({ "postId": POST, "authorId": house.ids[ALICE], "viewerId": id }))
    };
    // frank's doings are heard before himself.
    let views = [
        saw(dave, monday(2)),
        saw(dave, monday(2) - 6),
        saw(erin, monday(2) - 1),
        saw(dave, monday(0)),
        saw(frank, monday(1)),
        saw(frank, monday(1) - 1),
        saw(frank, monday(3)),
    ];
    house.hear("posts", &views).await;
    house.hear("users", &[came(dave, monday(3)), came(erin, monday(3) - 6), came(frank, monday(1))]).await;
    let body = overview(&house, "?days=1").await;
    let cohorts = body["retention"].as_array().unwrap();
    assert_eq!(cohorts.len(), 12);
    let of = |weeks: usize| {
        let cohort = &cohorts[11 - weeks];
        (cohort["week"].as_str().unwrap(), cohort["size"].as_i64().unwrap(), cohort["weeks"].clone())
    };
    assert_eq!(of(3), (house.date(monday(3)).as_str(), 2, json!([2, 2, 0, 1])));
    assert_eq!(of(1), (house.date(monday(1)).as_str(), 1, json!([1, 0])));
    assert_eq!(of(2), (house.date(monday(2)).as_str(), 0, json!([0, 0, 0])));
    assert_eq!(of(0).1, 3, "alice, bob and carla");
    let mut gone = house.person(dave, monday(3), "deleted", 2);
    gone["deletionId"] = json!(house.world.id());
    house.hear("users", &[("user.deleted", 0, gone)]).await;
    let body = overview(&house, "?days=1").await;
    let cohort = &body["retention"][8];
    assert_eq!((&cohort["size"], &cohort["weeks"]), (&json!(1), &json!([1, 1, 0, 0])));
}

#[tokio::test]
async fn who_was_active_is_forgotten_after_13_weeks_and_how_many_stays() {
    let house = start().await;
    house
        .hear(
            "posts",
            &[
                ("post.published", 92, house.published(ALICE, POST)),
                ("post.viewed", 90, house.viewed(BOB, POST)),
            ],
        )
        .await;
    house.sql("delete from chores").await;
    let tick = house.world.post("analytics", "/internal/tick", INTERNAL_TOKEN, json!({})).await;
    assert_eq!(tick.status, 200, "{tick:?}");
    assert_eq!(house.one("select count(*) from activity").await, "1");
    assert_eq!(house.one("select sum(active) from site_days").await, "2");
}
