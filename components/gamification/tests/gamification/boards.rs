//! Leaderboards: order, ranks, periods.

use http::Method;
use serde_json::json;

use crate::{ALICE, BOB, CARLA, DAVE, ERIN, House, keys, problem, start};

/// alice, bob and carla with 20 points, carla first and bob last; dave with 10 and erin with 30.
async fn lived_in() -> House {
    let house = start().await;
    for (post, who, hour) in [
        (1, ALICE, 8),
        (2, BOB, 9),
        (3, CARLA, 10),
        (4, CARLA, 11),
        (5, ALICE, 12),
        (6, BOB, 13),
        (7, DAVE, 7),
        (8, ERIN, 1),
        (9, ERIN, 2),
        (10, ERIN, 20),
    ] {
        house.publish(who, post, &format!("2026-11-24T{hour:02}:00:00.000Z")).await;
    }
    house
}

#[tokio::test]
async fn equals_share_a_rank_and_who_had_the_points_first_stands_first() {
    let house = lived_in().await;
    let expected = ["1 erin 30", "2 carla 20", "2 alice 20", "2 bob 20", "5 dave 10"];
    for period in ["weekly", "monthly", "all"] {
        assert_eq!(house.board(period, DAVE).await, expected);
    }
    let unasked = house.get("/gamification/leaderboard", DAVE).await.body;
    assert_eq!(unasked["items"].as_array().unwrap().iter().map(crate::line).collect::<Vec<_>>(), expected);
    let item = &unasked["items"][0];
    assert_eq!(keys(item), ["points", "rank", "user"]);
    assert_eq!(item["user"]["id"], json!(house.ids[ERIN]));
    for (who, rank) in [(ERIN, 1), (CARLA, 2), (ALICE, 2), (BOB, 2), (DAVE, 5)] {
        assert_eq!(house.progress(who).await["rank"], json!({ "weekly": rank, "allTime": rank }));
    }
}

#[tokio::test]
async fn the_same_points_at_the_same_moment_are_in_the_order_of_ids() {
    let house = start().await;
    for who in [CARLA, ALICE, BOB] {
        house.publish(who, who, "2026-11-24T08:00:00.000Z").await;
    }
    assert_eq!(house.board("all", DAVE).await, ["1 alice 10", "1 bob 10", "1 carla 10"]);
}

#[tokio::test]
async fn a_week_ends_and_a_month_ends_and_all_of_it_does_not() {
    let mut house = lived_in().await;
    house.clock("2026-11-29T23:59:59.000Z").await;
    assert_eq!(house.board("weekly", DAVE).await.len(), 5);
    house.clock("2026-11-30T00:00:00.000Z").await;
    assert_eq!(house.board("weekly", DAVE).await, [""; 0]);
    assert_eq!(house.board("monthly", DAVE).await.len(), 5);
    assert_eq!(house.progress(DAVE).await["rank"], json!({ "weekly": null, "allTime": 5 }));
    house.clock("2026-12-01T00:00:00.000Z").await;
    assert_eq!(house.board("monthly", DAVE).await, [""; 0]);
    assert_eq!(house.board("all", DAVE).await.len(), 5);
}

#[tokio::test]
async fn who_opted_out_is_nowhere_takes_no_rank_and_keeps_their_points() {
    let house = lived_in().await;
    let answer = house.opt_out(CARLA, true).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["optedOut"], true);
    assert_eq!(answer.body["rank"], json!({ "weekly": null, "allTime": null }));
    assert_eq!(answer.body["points"], 20);
    assert_eq!(house.progress(CARLA).await, answer.body);
    let expected = ["1 erin 30", "2 alice 20", "2 bob 20", "4 dave 10"];
    for reader in [DAVE, CARLA] {
        assert_eq!(house.board("weekly", reader).await, expected);
    }
    assert_eq!(house.progress(DAVE).await["rank"]["allTime"], 4);
    // What is earned meanwhile is not shown either, and counts when they are back.
    house.publish(CARLA, 30, "2026-11-24T23:00:00.000Z").await;
    assert_eq!(house.board("weekly", DAVE).await, expected);
    house.opt_out(CARLA, true).await;
    assert_eq!(house.opt_out(CARLA, false).await.body["rank"], json!({ "weekly": 1, "allTime": 1 }));
    assert_eq!(house.board("weekly", DAVE).await[..2], ["1 erin 30", "1 carla 30"]);
}

#[tokio::test]
async fn the_suspended_are_nowhere_and_come_back_with_what_they_had() {
    let house = lived_in().await;
    house.change("user.suspended", ERIN, json!({ "status": "suspended" })).await;
    assert_eq!(house.board("all", DAVE).await, ["1 carla 20", "1 alice 20", "1 bob 20", "4 dave 10"]);
    for path in ["/gamification/me", "/gamification/leaderboard"] {
        assert_eq!(problem(&house.get(path, ERIN).await), (403, "account_suspended"), "{path}");
    }
    assert_eq!(problem(&house.opt_out(ERIN, true).await), (403, "account_suspended"));
    house.change("user.unsuspended", ERIN, json!({ "status": "active" })).await;
    assert_eq!(house.board("all", DAVE).await[0], "1 erin 30");
    // Out, and suspended, and no longer suspended: still out.
    house.opt_out(ERIN, true).await;
    house.change("user.suspended", ERIN, json!({ "status": "suspended" })).await;
    house.change("user.unsuspended", ERIN, json!({ "status": "active" })).await;
    assert_eq!(house.board("all", DAVE).await[0], "1 carla 20");
    assert_eq!(house.progress(DAVE).await["rank"]["allTime"], 4);
}

#[tokio::test]
async fn whom_nobody_told_of_is_on_no_board_until_users_does() {
    let house = start().await;
    let stranger = house.world.id();
    let body = json!({ "postId": house.world.id(), "authorId": stranger, "visibility": "public" });
    house.hear("posts", "post.published", "2026-11-24T08:00:00.000Z", body).await;
    assert_eq!(house.board("all", ALICE).await, [""; 0]);
    let person = json!({ "id": stranger, "handle": "frida", "displayName": "Frida", "bio": null, "avatarUrl": null,
        "private": 0, "createdAt": "2026-11-24T08:00:00.000Z", "status": "active", "rev": 1 });
    house.hear("users", "user.registered", "2026-11-24T08:00:00.000Z", person).await;
    assert_eq!(house.board("all", ALICE).await, ["1 frida 10"]);
}

#[tokio::test]
async fn what_is_no_period_no_page_or_no_choice_is_422() {
    let house = start().await;
    for (query, field) in
        [("period=daily", "period"), ("period=", "period"), ("limit=0", "limit"), ("limit=101", "limit")]
    {
        let answer = house.get(&format!("/gamification/leaderboard?{query}"), ALICE).await;
        assert_eq!(
            (answer.status, answer.body["errors"][0]["field"].as_str()),
            (422, Some(field)),
            "{query}"
        );
    }
    for cursor in ["x", "MTp4", "MTox"] {
        let answer = house.get(&format!("/gamification/leaderboard?cursor={cursor}"), ALICE).await;
        assert_eq!(problem(&answer), (422, "invalid_cursor"), "{cursor}");
    }
    for body in
        [json!({}), json!({ "optedOut": null }), json!({ "optedOut": "yes" }), json!({ "optedOut": 1 })]
    {
        let call = house.world.call(
            "gamification",
            Method::PATCH,
            "/gamification/me",
            &house.tokens[ALICE],
            &[],
            body.clone(),
        );
        let answer = call.await;
        assert_eq!(
            (answer.status, answer.body["errors"][0]["field"].as_str()),
            (422, Some("optedOut")),
            "{body}"
        );
    }
    let body = json!({ "optedOut": false, "points": 1_000_000, "level": 99 });
    let call =
        house.world.call("gamification", Method::PATCH, "/gamification/me", &house.tokens[ALICE], &[], body);
    assert_eq!(call.await.body["points"], 0, "points come from events alone");
}
