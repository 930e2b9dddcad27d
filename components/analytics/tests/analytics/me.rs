//! `GET /analytics/me`.

use serde_json::json;

use crate::{ALICE, BOB, CARLA, OTHER, POST, refusal, start};

#[tokio::test]
async fn every_day_of_the_range_is_there_oldest_first_and_today_last() {
    let house = start().await;
    for (path, days) in [("/analytics/me", 30), ("/analytics/me?days=1", 1), ("/analytics/me?days=90", 90)] {
        let body = house.good(path, ALICE).await;
        let dates: Vec<&str> =
            body["days"].as_array().unwrap().iter().map(|day| day["date"].as_str().unwrap()).collect();
        let expected: Vec<String> = (0..days).rev().map(|days| house.date(days)).collect();
        assert_eq!(dates, expected, "{path}");
        assert_eq!((&body["from"], &body["to"]), (&json!(dates[0]), &json!(house.date(0))), "{path}");
        let zeros = json!({ "views": 0, "reactions": 0, "comments": 0, "followers": 0, "posts": 0 });
        assert_eq!(body["totals"], zeros, "{path}");
    }
}

#[tokio::test]
async fn days_out_of_range_are_422() {
    let house = start().await;
    for days in ["0", "91", "-1", "many", "", "1.0"] {
        let answer = house.get(&format!("/analytics/me?days={days}"), ALICE).await;
        assert_eq!(refusal(&answer), (422, "invalid"), "{days}");
        assert_eq!(answer.body["errors"][0]["field"], "days", "{days}");
    }
}

#[tokio::test]
async fn what_happens_counts_on_its_day_for_the_author_and_for_nobody_else() {
    let house = start().await;
    let events = [
        ("post.published", 5, house.published(ALICE, POST)),
        ("post.published", 0, house.published(ALICE, OTHER)),
        ("post.viewed", 4, house.viewed(BOB, POST)),
        ("post.viewed", 3, house.viewed(CARLA, POST)),
        ("post.viewed", 3, house.viewed(BOB, POST)),
        ("reaction.created", 3, house.reacted(BOB, POST, "like")),
        ("reaction.created", 3, house.reacted(BOB, POST, "love")),
        ("reaction.created", 3, house.reacted(ALICE, POST, "love")),
        ("comment.created", 0, house.commented(CARLA, OTHER, "c1")),
    ];
    house.hear("posts", &events).await;
    house.hear("social", &[("follow.created", 2, house.follow(BOB, ALICE))]).await;
    let day = |date: u32, views: i64, reactions: i64, comments: i64, followers: i64, posts: i64| {
        json!({ "date": house.date(date), "views": views, "reactions": reactions, "comments": comments,
            "followers": followers, "posts": posts })
    };
    assert_eq!(house.day(ALICE, 5).await, day(5, 0, 0, 0, 0, 1));
    assert_eq!(house.day(ALICE, 4).await, day(4, 1, 0, 0, 0, 0));
    assert_eq!(house.day(ALICE, 3).await, day(3, 2, 3, 0, 0, 0));
    assert_eq!(house.day(ALICE, 2).await, day(2, 0, 0, 0, 1, 0));
    assert_eq!(house.day(ALICE, 0).await, day(0, 0, 0, 1, 0, 1));
    let totals = house.good("/analytics/me?days=4", ALICE).await["totals"].clone();
    let expected = json!({ "views": 2, "reactions": 3, "comments": 1, "followers": 1, "posts": 1 });
    assert_eq!(totals, expected, "the days before are out of it");
    let zeros = json!({ "views": 0, "reactions": 0, "comments": 0, "followers": 0, "posts": 0 });
    assert_eq!(house.good("/analytics/me", BOB).await["totals"], zeros);
}

#[tokio::test]
async fn what_is_taken_back_is_taken_from_the_day_it_was_counted_on() {
    let house = start().await;
    let events = [
        ("post.published", 5, house.published(ALICE, POST)),
        ("reaction.created", 4, house.reacted(BOB, POST, "like")),
        ("reaction.created", 4, house.reacted(CARLA, POST, "like")),
        ("comment.created", 3, house.commented(BOB, POST, "c1")),
        ("comment.created", 3, house.commented(CARLA, POST, "c2")),
        ("reaction.removed", 0, house.reacted(BOB, POST, "like")),
        ("comment.deleted", 0, house.uncommented(BOB, POST, "c1")),
        // Of what was never there.
        ("reaction.removed", 0, house.reacted(BOB, POST, "wow")),
        ("comment.deleted", 0, house.uncommented(BOB, POST, "c9")),
        ("reaction.created", 1, house.reacted(BOB, POST, "like")),
    ];
    house.hear("posts", &events).await;
    let ties = [
        ("follow.created", 3, house.follow(BOB, ALICE)),
        ("follow.removed", 1, house.follow(BOB, ALICE)),
        ("follow.created", 0, house.follow(BOB, ALICE)),
        ("follow.removed", 0, house.follow(CARLA, ALICE)),
    ];
    house.hear("social", &ties).await;
    assert_eq!(house.day(ALICE, 4).await["reactions"], 1);
    assert_eq!(house.day(ALICE, 3).await["comments"], 1);
    assert_eq!(house.day(ALICE, 3).await["followers"], 0);
    assert_eq!(house.day(ALICE, 1).await["reactions"], 1);
    let today = house.day(ALICE, 0).await;
    let expected = json!({ "date": house.date(0), "views": 0, "reactions": 0, "comments": 0, "followers": 1, "posts": 0 });
    assert_eq!(today, expected);
}

#[tokio::test]
async fn a_post_that_goes_takes_its_numbers_along_and_no_others() {
    let house = start().await;
    let mut events = Vec::new();
    for post in [POST, OTHER] {
        let comment = &post[34..];
        events.extend([
            ("post.published", 2, house.published(ALICE, post)),
            ("post.viewed", 2, house.viewed(BOB, post)),
            ("reaction.created", 1, house.reacted(BOB, post, "like")),
            ("comment.created", 1, house.commented(CARLA, post, comment)),
        ]);
    }
    house.hear("posts", &events).await;
    house.hear("posts", &[("post.deleted", 0, house.gone(ALICE, POST))]).await;
    let totals = house.good("/analytics/me", ALICE).await["totals"].clone();
    assert_eq!(totals, json!({ "views": 1, "reactions": 1, "comments": 1, "followers": 0, "posts": 1 }));
    house.hear("posts", &[("post.deleted", 0, house.gone(ALICE, OTHER))]).await;
    for table in ["posts", "post_days", "reactions", "comments", "sketches"] {
        assert_eq!(house.one(&format!("select count(*) from {table}")).await, "0", "{table}");
    }
    for table in ["author_days", "site_days"] {
        let left = format!("select total(posts + reactions + comments) from {table}");
        assert_eq!(house.one(&left).await, "0", "{table}");
    }
}

#[tokio::test]
async fn a_post_that_waits_for_its_media_counts_when_it_comes_out() {
    let house = start().await;
    house.hear("posts", &[("comment.created", 2, house.commented(ALICE, POST, "c1"))]).await;
    assert_eq!(house.good("/analytics/me", ALICE).await["totals"]["posts"], 0);
    house.hear("posts", &[("post.published", 0, house.published(ALICE, POST))]).await;
    assert_eq!(house.day(ALICE, 0).await["posts"], 1);
    assert_eq!(house.day(ALICE, 2).await["comments"], 1);
    let days = house.good(&format!("/analytics/posts/{POST}"), ALICE).await["days"].clone();
    assert_eq!(days.as_array().unwrap().len(), 3, "from the first sign of it");
}

#[tokio::test]
async fn the_answer_has_a_tag_and_the_same_again_is_304() {
    let house = start().await;
    let first = house.get("/analytics/me", ALICE).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let again = |token: String| {
        let tag = tag.clone();
        let world = &house.world;
        async move {
            let headers = [("if-none-match", tag.as_str())];
            world
                .call("analytics", http::Method::GET, "/analytics/me", &token, &headers, json!(null))
                .await
                .status
        }
    };
    assert_eq!(again(house.tokens[ALICE].clone()).await, 304);
    house.hear("posts", &[("post.published", 0, house.published(ALICE, POST))]).await;
    assert_eq!(again(house.tokens[ALICE].clone()).await, 200);
}

#[tokio::test]
async fn strangers_are_401_and_the_suspended_403() {
    let house = start().await;
    for path in ["/analytics/me", "/analytics/overview", &format!("/analytics/posts/{POST}")] {
        assert_eq!(refusal(&house.world.get("analytics", path, "").await), (401, "invalid_token"), "{path}");
    }
    house.sql("update people set status = 'suspended' where handle = 'bob'").await;
    for path in ["/analytics/me", "/analytics/overview", &format!("/analytics/posts/{POST}")] {
        assert_eq!(refusal(&house.get(path, BOB).await), (403, "account_suspended"), "{path}");
    }
}
