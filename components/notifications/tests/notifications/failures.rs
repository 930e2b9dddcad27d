//! Push services that fail, lie, hang or lead elsewhere.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::json;

use crate::receivers::{Browser, Came, Host, says, status};
use crate::{ALICE, BOB, CARLA, House, OTHER, POST, start};

const HOST: &str = "push.example.com";

/// What happens here happens in ten minutes, so that nothing is sent but by the ticks of the test.
const THEN: i64 = 600;

async fn like(house: &House, post: &str) {
    house.hear_at(THEN / 60, "posts", "reaction.created", house.reacted(BOB, post, "like")).await;
}

/// Bob likes a post of alice's, who has a browser.
async fn with_push() -> (House, Host) {
    let house = start().await;
    let host = Host::at(&house, HOST);
    Browser::new("a").register(&house, ALICE).await;
    like(&house, POST).await;
    (house, host)
}

async fn left(house: &House) -> (String, String) {
    (house.one("select count(*) from pushes").await, house.one("select count(*) from push_endpoints").await)
}

fn counts(pushes: &str, endpoints: &str) -> (String, String) {
    (pushes.to_owned(), endpoints.to_owned())
}

#[tokio::test]
async fn what_fails_is_tried_again_later_and_later_until_it_arrives() {
    let (house, host) = with_push().await;
    host.answer(status(500, &[]));
    let mut now = 5;
    for failures in 1..=6 {
        house.tick_later(THEN + now).await;
        assert_eq!(host.take_all().len(), 1, "try {failures}");
        let wait = "select cast(due_at as integer) - (select paused_until from push_endpoints) from pushes";
        assert_eq!(house.one(wait).await, "0");
        assert_eq!(house.one("select failures from push_endpoints").await, failures.to_string());
        // Not before half of its time.
        let half = (1_i64 << (failures - 1)) / 2;
        if half > 0 {
            house.tick_later(THEN + now + half - 1).await;
            assert!(host.take_all().is_empty(), "try {failures}");
        }
        now += (1_i64 << (failures - 1)) + 2;
    }
    host.answer(status(201, &[]));
    house.tick_later(THEN + now).await;
    assert_eq!((host.take_all().len(), left(&house).await), (1, counts("0", "1")));
    assert_eq!(house.one("select failures from push_endpoints").await, "0", "it works again");
    assert_eq!(house.one("select count(*) from push_endpoints where failing_since is null").await, "1");
}

#[tokio::test]
async fn it_is_given_up_after_a_day() {
    let (house, host) = with_push().await;
    host.answer(status(503, &[]));
    house.tick_later(THEN + 5).await;
    house.sql("update pushes set due_at = 0").await;
    house.tick_later(THEN + 24 * 3600).await;
    assert_eq!(left(&house).await, counts("1", "1"), "not quite");
    house.sql("update pushes set due_at = 0").await;
    house.tick_later(THEN + 24 * 3600 + 10).await;
    assert_eq!(left(&house).await, counts("0", "1"));
}

#[tokio::test]
async fn retry_after_is_heeded_in_seconds_and_as_a_date() {
    let (house, host) = with_push().await;
    host.answer(status(429, &[("retry-after", "120")]));
    house.tick_later(THEN + 5).await;
    host.take_all();
    // Nothing else goes there meanwhile.
    like(&house, OTHER).await;
    house.tick_later(THEN + 120).await;
    assert!(host.take_all().is_empty());
    let in_an_hour = jiff::Timestamp::now() + Duration::from_secs(3600);
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&in_an_hour).unwrap();
    assert!(date.ends_with(" GMT"), "{date}");
    host.answer(Arc::new(move |_: &Came| {
        let headers = [("retry-after", date.clone())];
        axum::response::IntoResponse::into_response((StatusCode::SERVICE_UNAVAILABLE, headers))
    }));
    house.tick_later(THEN + 130).await;
    assert_eq!(host.take_all().len(), 2);
    house.tick_later(THEN + 3600).await;
    assert!(host.take_all().is_empty());
    host.answer(status(201, &[]));
    house.tick_later(THEN + 3600 + 140).await;
    assert_eq!((host.take_all().len(), left(&house).await), (2, counts("0", "1")));
}

#[tokio::test]
async fn a_retry_after_of_weeks_is_a_day() {
    let (house, host) = with_push().await;
    host.answer(status(503, &[("retry-after", "4000000000")]));
    house.tick_later(THEN + 5).await;
    let most = house.world.app("notifications").now().millis() + (THEN + 24 * 3600 + 10) * 1000;
    assert_eq!(house.one(&format!("select count(*) from pushes where due_at <= {most}")).await, "1");
}

#[tokio::test]
async fn a_place_that_is_no_more_is_forgotten_with_all_that_waited_for_it() {
    for gone in [404, 410] {
        let (house, host) = with_push().await;
        let other = Browser::new("b");
        other.register(&house, ALICE).await;
        like(&house, OTHER).await;
        host.answer(Arc::new(move |came: &Came| {
            let status = if came.path == "/a" { gone } else { 201 };
            axum::response::IntoResponse::into_response(StatusCode::from_u16(status).unwrap())
        }));
        house.tick_later(THEN + 5).await;
        assert_eq!(left(&house).await, counts("0", "1"), "{gone}");
        assert_eq!(house.one("select address from push_endpoints").await, other.endpoint());
    }
}

#[tokio::test]
async fn a_push_that_is_refused_is_dropped_and_the_place_stays() {
    for refused in [400, 401, 403, 413] {
        let (house, host) = with_push().await;
        host.answer(status(refused, &[]));
        house.tick_later(THEN + 5).await;
        assert_eq!((host.take_all().len(), left(&house).await), (1, counts("0", "1")), "{refused}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (house, host) = with_push().await;
    let inside = Host::at(&house, "127.0.0.1:9");
    let other = Host::at(&house, "other.example.com");
    for (code, to) in [
        (302, "http://127.0.0.1:9/"),
        (307, "https://other.example.com/"),
        (308, "http://users.spin.internal/"),
    ] {
        host.answer(Arc::new(move |_: &Came| {
            let code = StatusCode::from_u16(code).unwrap();
            axum::response::IntoResponse::into_response((code, [("location", to)]))
        }));
        house.sql("update pushes set due_at = 0").await;
        house.tick_later(THEN + 5).await;
        assert_eq!((host.take_all().len(), left(&house).await), (1, counts("1", "1")), "{code}");
    }
    assert!(inside.take_all().is_empty() && other.take_all().is_empty());
}

#[tokio::test]
async fn garbage_and_endless_answers_do_no_harm() {
    let (house, host) = with_push().await;
    host.answer(says(500, "x".repeat(1 << 20)));
    house.tick_later(THEN + 5).await;
    assert_eq!(left(&house).await, counts("1", "1"));
    // What it says with a good status is not read.
    host.answer(says(201, "\0\u{fffd}<html>"));
    house.tick_later(THEN + 15).await;
    assert_eq!(left(&house).await, counts("0", "1"));
}

#[tokio::test]
async fn a_place_that_hangs_is_given_ten_seconds_and_holds_up_no_other() {
    let house = start().await;
    let hangs = axum::Router::new().fallback(async || {
        tokio::time::sleep(Duration::from_secs(60)).await;
        StatusCode::CREATED
    });
    house.world.platform.mesh.lock().unwrap().insert("hangs.example.com".to_owned(), hangs);
    let host = Host::at(&house, HOST);
    let mut slow = Browser::new("slow").subscription();
    slow["subscription"]["endpoint"] = json!("https://hangs.example.com/a");
    assert_eq!(house.post("/push/register", ALICE, slow).await.status, 201);
    Browser::new("a").register(&house, CARLA).await;
    like(&house, POST).await;
    let follow = json!({ "followerId": house.ids[BOB], "followeeId": house.ids[CARLA] });
    house.hear_at(THEN / 60, "social", "follow.created", follow).await;
    let start = std::time::Instant::now();
    house.tick_later(THEN + 5).await;
    assert!(start.elapsed() < Duration::from_secs(5), "the clock goes on: {:?}", start.elapsed());
    assert_eq!(host.take_all().len(), 1);
    // What is claimed is nobody else's until its time is over.
    house.tick_later(THEN + 5).await;
    while house.one("select max(failures) from push_endpoints").await == "0" {
        assert!(start.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(start.elapsed() >= Duration::from_secs(9), "{:?}", start.elapsed());
    assert_eq!(house.one("select max(failures) from push_endpoints").await, "1");
    assert_eq!(house.one("select count(*) from pushes").await, "1");
}

#[tokio::test]
async fn an_address_that_may_not_be_asked_any_more_is_not_asked() {
    let (house, host) = with_push().await;
    let inside = Host::at(&house, "127.0.0.1:9");
    house.sql("update push_endpoints set address = 'http://127.0.0.1:9/a'").await;
    house.tick_later(THEN + 5).await;
    assert!(inside.take_all().is_empty() && host.take_all().is_empty());
    assert_eq!(left(&house).await, counts("0", "1"));
}

#[tokio::test]
async fn named_anew_a_place_starts_anew() {
    let (house, host) = with_push().await;
    host.answer(status(503, &[("retry-after", "3000")]));
    house.tick_later(THEN + 5).await;
    host.take_all();
    host.answer(status(201, &[]));
    Browser::new("a").register(&house, ALICE).await;
    like(&house, OTHER).await;
    house.tick_later(THEN + 8).await;
    assert_eq!(host.take_all().len(), 1);
}
