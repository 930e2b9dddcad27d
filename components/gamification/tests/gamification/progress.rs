//! `GET /gamification/me`: levels, streaks, zones.

use http::Method;
use serde_json::{Value, json};

use crate::{ALICE, BOB, CARLA, House, keys, problem, start, start_at};

async fn streak(house: &House, who: usize) -> (i64, i64) {
    let me = house.progress(who).await;
    (me["streakDays"].as_i64().unwrap(), me["longestStreakDays"].as_i64().unwrap())
}

#[tokio::test]
async fn who_did_nothing_yet_is_at_the_first_level_without_ranks() {
    let house = start().await;
    let expected = json!({ "points": 0, "level": 1, "nextLevelAt": 100, "streakDays": 0, "longestStreakDays": 0, "badges": [],
        "rank": { "weekly": null, "allTime": null }, "optedOut": false });
    let me = house.progress(ALICE).await;
    assert_eq!(me, expected);
    assert_eq!(
        keys(&me),
        ["badges", "level", "longestStreakDays", "nextLevelAt", "optedOut", "points", "rank", "streakDays"]
    );
}

#[tokio::test]
async fn levels_go_up_and_down_with_points() {
    let house = start().await;
    for post in 0..10 {
        house.publish(ALICE, post, &format!("2026-11-24T08:{post:02}:00.000Z")).await;
    }
    let level = async || {
        let me = house.progress(ALICE).await;
        (me["points"].clone(), me["level"].clone(), me["nextLevelAt"].clone())
    };
    assert_eq!(level().await, (json!(100), json!(2), json!(300)));
    house.unpublish(ALICE, 3).await;
    assert_eq!(level().await, (json!(90), json!(1), json!(100)));
}

#[tokio::test]
async fn whatever_one_does_keeps_a_streak_and_what_is_done_to_one_does_not() {
    let house = start().await;
    house.publish(ALICE, 1, "2026-11-20T12:00:00.000Z").await;
    house.comment(ALICE, 2, BOB, 9, "2026-11-21T12:00:00.000Z").await;
    house.react(ALICE, BOB, 9, "like", "2026-11-22T12:00:00.000Z").await;
    house.tie("follow.created", ALICE, BOB, "2026-11-23T12:00:00.000Z").await;
    house.scoop("scoop.published", ALICE, 3, "2026-11-24T12:00:00.000Z").await;
    assert_eq!(streak(&house, ALICE).await, (5, 5));
    assert_eq!(streak(&house, BOB).await, (0, 0));
    // What becomes of it does not undo the day.
    house.unpublish(ALICE, 1).await;
    house.tie("follow.removed", ALICE, BOB, "2026-11-24T12:00:00.000Z").await;
    assert_eq!(streak(&house, ALICE).await, (5, 5));
}

#[tokio::test]
async fn a_streak_holds_through_today_and_ends_tomorrow() {
    let mut house = start_at("2026-11-24T12:00:00.000Z").await;
    for (number, day) in [22, 23, 24].into_iter().enumerate() {
        house.publish(ALICE, number, &format!("2026-11-{day}T11:00:00.000Z")).await;
    }
    assert_eq!(streak(&house, ALICE).await, (3, 3));
    house.clock("2026-11-25T23:59:50.000Z").await;
    assert_eq!(streak(&house, ALICE).await, (3, 3));
    house.clock("2026-11-26T00:00:00.000Z").await;
    assert_eq!(streak(&house, ALICE).await, (0, 3));
}

#[tokio::test]
async fn days_are_those_of_the_zone_of_ones_quiet_hours_and_change_with_it() {
    let house = start().await;
    // 08:30 and 23:30 of one day in Tokyo; of two in UTC.
    house.publish(ALICE, 1, "2026-11-23T23:30:00.000Z").await;
    house.publish(ALICE, 2, "2026-11-24T14:30:00.000Z").await;
    assert_eq!(streak(&house, ALICE).await, (2, 2));
    house.zone(ALICE, Some("Asia/Tokyo")).await;
    assert_eq!(streak(&house, ALICE).await, (1, 1));
    house.zone(ALICE, Some("America/New_York")).await;
    assert_eq!(streak(&house, ALICE).await, (2, 2));
    house.zone(ALICE, None).await;
    assert_eq!(streak(&house, ALICE).await, (2, 2));
    // The zone may be told before anything else of a person, and opting out is not touched by it.
    house.opt_out(BOB, true).await;
    house.zone(BOB, Some("Asia/Tokyo")).await;
    assert_eq!(house.progress(BOB).await["optedOut"], true);
}

#[tokio::test]
async fn an_answer_that_is_known_already_is_304() {
    let house = start().await;
    for path in ["/gamification/me", "/gamification/badges"] {
        let first = house.get(path, ALICE).await;
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        let known = [("if-none-match", tag.as_str())];
        let call =
            house.world.call("gamification", Method::GET, path, &house.tokens[ALICE], &known, Value::Null);
        assert_eq!(call.await.status, 304, "{path}");
    }
    let tag = house.get("/gamification/me", ALICE).await.headers["etag"].clone();
    house.publish(ALICE, 1, "2026-11-24T08:00:00.000Z").await;
    assert_ne!(house.get("/gamification/me", ALICE).await.headers["etag"], tag);
}

#[tokio::test]
async fn every_route_but_the_catalogue_needs_a_token_and_a_bad_one_is_401_there_too() {
    let house = start().await;
    let call = async |method: Method, path: &str, token: &str| {
        house.world.call("gamification", method, path, token, &[], Value::Null).await.status
    };
    for token in ["", "nonsense"] {
        for path in ["/gamification/me", "/gamification/leaderboard"] {
            assert_eq!(call(Method::GET, path, token).await, 401, "{path}");
        }
        assert_eq!(call(Method::PATCH, "/gamification/me", token).await, 401);
    }
    assert_eq!(call(Method::GET, "/gamification/badges", "").await, 200);
    assert_eq!(call(Method::GET, "/gamification/badges", "nonsense").await, 401);
    assert_eq!(problem(&house.get("/gamification/nothing", CARLA).await), (404, "not_found"));
}
