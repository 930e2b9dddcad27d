//! `GET /analytics/posts/:id`.

use axum::Router;
use axum::routing::get;
use serde_json::json;
use shared::ids::Id;

use crate::{ALICE, BOB, CARLA, House, POST, refusal, start};

/// From now on `posts` says that everybody sees every post, and that it is `author`'s.
fn everybody_sees(house: &House, author: Id) {
    let visible = json!({ "authorId": author }).to_string();
    let routes = Router::new().route("/internal/visible", get(async move || visible));
    house.world.platform.mesh.lock().unwrap().insert("posts.spin.internal".to_owned(), routes);
}

fn nobody_sees(house: &House) {
    let problem = json!({ "type": "about:blank", "title": "Not Found", "status": 404, "detail": "", "code": "not_found",
        "requestId": "" });
    let answer = async move || (http::StatusCode::NOT_FOUND, problem.to_string());
    let routes = Router::new().route("/internal/visible", get(answer));
    house.world.platform.mesh.lock().unwrap().insert("posts.spin.internal".to_owned(), routes);
}

#[tokio::test]
async fn an_author_sees_every_day_since_a_post_came_out() {
    let house = start().await;
    let events = [
        ("post.published", 2, house.published(ALICE, POST)),
        ("post.viewed", 2, house.viewed(BOB, POST)),
        ("post.viewed", 0, house.viewed(BOB, POST)),
        ("post.viewed", 0, house.viewed(CARLA, POST)),
        ("reaction.created", 0, house.reacted(BOB, POST, "like")),
        ("comment.created", 2, house.commented(CARLA, POST, "c1")),
    ];
    house.hear("posts", &events).await;
    let day = |days: u32, views: i64, reactions: i64, comments: i64| json!({ "date": house.date(days), "views": views, "reactions": reactions, "comments": comments });
    let expected = json!({ "views": 3, "uniqueViewers": 2, "reactions": 1, "comments": 1,
        "days": [day(2, 1, 0, 1), day(1, 0, 0, 0), day(0, 2, 1, 0)] });
    assert_eq!(house.good(&format!("/analytics/posts/{POST}"), ALICE).await, expected);
}

#[tokio::test]
async fn others_are_403_where_they_see_the_post_and_404_where_they_do_not() {
    let house = start().await;
    house.hear("posts", &[("post.published", 0, house.published(ALICE, POST))]).await;
    let path = format!("/analytics/posts/{POST}");
    everybody_sees(&house, house.ids[ALICE]);
    assert_eq!(refusal(&house.get(&path, BOB).await), (403, "not_author"));
    nobody_sees(&house);
    let hidden = house.get(&path, BOB).await;
    let missing = house.get(&format!("/analytics/posts/{}", house.world.id()), BOB).await;
    assert_eq!(refusal(&hidden), (404, "not_found"));
    assert_eq!((refusal(&missing), &hidden.body["detail"]), ((404, "not_found"), &missing.body["detail"]));
    assert_eq!(refusal(&house.get("/analytics/posts/nonsense", BOB).await), (404, "not_found"));
    house.world.stop("posts");
    assert_eq!(refusal(&house.get(&path, BOB).await), (503, "unavailable"));
    assert_eq!(house.get(&path, ALICE).await.status, 200, "nobody is asked for one's own");
}

#[tokio::test]
async fn a_post_that_came_out_a_moment_ago_has_nothing_yet() {
    let house = start().await;
    everybody_sees(&house, house.ids[ALICE]);
    let day = json!({ "date": house.date(0), "views": 0, "reactions": 0, "comments": 0 });
    let expected = json!({ "views": 0, "uniqueViewers": 0, "reactions": 0, "comments": 0, "days": [day] });
    assert_eq!(house.good(&format!("/analytics/posts/{POST}"), ALICE).await, expected);
}

#[tokio::test]
async fn somebody_who_comes_back_is_one_viewer_and_twenty_are_twenty() {
    let house = start().await;
    house.hear("posts", &[("post.published", 9, house.published(ALICE, POST))]).await;
    let path = format!("/analytics/posts/{POST}");
    for days in (0..9).rev() {
        house.hear("posts", &[("post.viewed", days, house.viewed(BOB, POST))]).await;
    }
    let numbers = house.good(&path, ALICE).await;
    assert_eq!((&numbers["views"], &numbers["uniqueViewers"]), (&json!(9), &json!(1)));
    for number in 0..19 {
        // Of these no two share a register: their last digits are different.
        let viewer = format!("01a20052-fe97-7114-a1f4-07248e94{:04x}", 0xa000 + number);
        let body = json!({ "postId": POST, "authorId": house.ids[ALICE], "viewerId": viewer });
        house.hear("posts", &[("post.viewed", 0, body)]).await;
    }
    let numbers = house.good(&path, ALICE).await;
    assert_eq!(numbers["views"], 28);
    let unique = numbers["uniqueViewers"].as_i64().unwrap();
    // Unless one of them shares a register with bob, whose id is of this run.
    assert!(unique == 20 || unique == 19, "{unique}");
}

#[tokio::test]
async fn the_sketch_keeps_the_zeros_at_the_head_of_twenty_bits() {
    let house = start().await;
    let ranks = [
        ("fffff", 1),
        ("80000", 1),
        ("7ffff", 2),
        ("40000", 2),
        ("3abcd", 3),
        ("20000", 3),
        ("10000", 4),
        ("0ffff", 5),
        ("08000", 5),
        ("00800", 9),
        ("00001", 20),
        ("00000", 21),
        ("0000f", 17),
        ("a0000", 1),
        ("0a000", 5),
    ];
    for (bits, rank) in ranks {
        let body = json!({ "postId": POST, "authorId": house.ids[ALICE],
            "viewerId": format!("01a20052-fe97-7114-a1f4-0724{bits}abc") });
        house.hear("posts", &[("post.viewed", 0, body)]).await;
        let kept = house.one("select register || rank from sketches").await;
        assert_eq!(kept, format!("abc{rank}"), "{bits}");
        house.sql("delete from sketches").await;
    }
    for (bits, rank) in [("3abcd", 3), ("fffff", 3), ("00800", 9), ("40000", 9)] {
        let body = json!({ "postId": POST, "authorId": house.ids[ALICE],
            "viewerId": format!("01a20052-fe97-7114-a1f4-0724{bits}abc") });
        house.hear("posts", &[("post.viewed", 0, body)]).await;
        assert_eq!(
            house.one("select cast(rank as text) from sketches").await,
            rank.to_string(),
            "the greatest: {bits}"
        );
    }
}
