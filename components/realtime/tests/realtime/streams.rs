//! Opening a stream, and going on with one.

use http::Method;
use serde_json::{Value, json};
use shared::testing::Event;

use crate::{ALICE, BOB, CARLA, POST, next, refusal, start};

fn opening(id: i64) -> Event {
    Event { id: Some(id), name: String::new(), data: Value::Null }
}

fn reset(id: i64) -> Event {
    Event { id: Some(id), name: "reset".to_owned(), data: json!({}) }
}

#[tokio::test]
async fn a_stream_is_one_that_nobody_keeps_or_collects() {
    let house = start().await;
    let mut stream = house.open(ALICE, &[("origin", "https://app.example.com")]).await;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
        ("access-control-allow-origin", "https://app.example.com"),
    ] {
        assert_eq!(stream.headers[name], value);
    }
    assert!(stream.headers.contains_key("x-request-id") && !stream.headers.contains_key("etag"));
    // Where it stands at once, so that who is cut off before the first event can go on as well.
    assert_eq!(stream.next().await.unwrap(), opening(0));
}

#[tokio::test]
async fn it_needs_a_good_token_and_a_good_one_wins_over_nothing() {
    let house = start().await;
    let good = &house.tokens[ALICE];
    let ticket = house.ticket(good).await;
    let with_ticket = format!("/realtime?ticket={ticket}");
    for (path, token) in [("/realtime", ""), ("/realtime", "garbage"), (&with_ticket, "garbage")] {
        let opened = house.try_open(path, token, &[]).await;
        assert_eq!(refusal(opened), (401, "invalid_token".to_owned()), "{path} {token}");
    }
    assert!(house.try_open(&with_ticket, "", &[]).await.is_ok(), "a bad token did not use it up");
}

#[tokio::test]
async fn a_look_opens_nothing() {
    let house = start().await;
    let ticket = house.ticket(&house.tokens[ALICE]).await;
    let with_ticket = format!("/realtime?ticket={ticket}");
    assert_eq!(house.status(Method::HEAD, "/realtime", &house.tokens[ALICE]).await, 200);
    assert_eq!(house.status(Method::HEAD, &with_ticket, "").await, 200);
    assert_eq!(house.status(Method::HEAD, "/realtime?ticket=x", "").await, 401);
    assert_eq!(house.one("select count(*) from streams").await, "0");
    assert!(house.try_open(&with_ticket, "", &[]).await.is_ok());
}

#[tokio::test]
async fn who_comes_back_gets_what_they_missed_and_nothing_twice() {
    let house = start().await;
    let mut first = house.listen(ALICE).await;
    for number in 1..=3 {
        house.publish(BOB, POST).await;
        assert_eq!(next(&mut first).await.0, number);
    }
    drop(first);
    house.publish(BOB, POST).await;
    for (last, expected) in [(0, vec![1, 2, 3, 4]), (3, vec![4]), (4, vec![])] {
        let (mut stream, opened) = house.resume(ALICE, last).await;
        assert_eq!(opened, opening(last));
        for number in expected {
            assert_eq!(next(&mut stream).await.0, number, "after {last}");
        }
        assert!(stream.is_silent(200).await, "after {last}");
    }
    // In the query, for who cannot send the header; which wins.
    let mut stream = house.try_open("/realtime?lastEventId=3", &house.tokens[ALICE], &[]).await.unwrap();
    assert_eq!((stream.next().await.unwrap(), next(&mut stream).await.0), (opening(3), 4));
}

#[tokio::test]
async fn what_one_stream_catches_up_on_is_not_told_again_on_another() {
    let house = start().await;
    let mut first = house.listen(ALICE).await;
    for number in 1..=3 {
        house.publish(BOB, POST).await;
        assert_eq!(next(&mut first).await.0, number);
    }
    let (mut second, _) = house.resume(ALICE, 0).await;
    for number in 1..=3 {
        assert_eq!(next(&mut second).await.0, number);
    }
    assert!(first.is_silent(200).await);
    house.publish(BOB, POST).await;
    assert_eq!((next(&mut first).await.0, next(&mut second).await.0), (4, 4));
}

#[tokio::test]
async fn who_says_nothing_begins_now() {
    let house = start().await;
    drop(house.listen(ALICE).await);
    house.publish(BOB, POST).await;
    let mut stream = house.open(ALICE, &[("last-event-id", "")]).await;
    assert_eq!(stream.next().await.unwrap(), opening(1));
    assert!(stream.is_silent(200).await);
    house.publish(BOB, POST).await;
    assert_eq!(next(&mut stream).await.0, 2);
}

#[tokio::test]
async fn a_number_that_was_never_given_is_reset() {
    let house = start().await;
    drop(house.listen(ALICE).await);
    house.publish(BOB, POST).await;
    for never in ["2", "-1", "seven", "1.0", "99999999999999999999", "\u{e9}"] {
        let mut stream = house.open(ALICE, &[("last-event-id", never)]).await;
        assert_eq!(stream.next().await.unwrap(), reset(1), "{never}");
        assert!(stream.is_silent(100).await, "{never}");
        drop(stream);
        house.sql("delete from streams").await;
    }
}

#[tokio::test]
async fn a_number_of_somebody_else_shows_nothing_of_theirs() {
    let house = start().await;
    house.tie("follow.created", CARLA, BOB).await;
    drop(house.listen(ALICE).await);
    for _ in 0..5 {
        house.publish(BOB, POST).await;
    }
    let (mut stream, opened) = house.resume(CARLA, 2).await;
    assert_eq!(opened, reset(0));
    assert!(stream.is_silent(200).await);
}

#[tokio::test]
async fn five_streams_are_open_at_a_time_and_a_closed_one_makes_room_at_once() {
    let house = start().await;
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(house.listen(ALICE).await);
    }
    let sixth = house.try_open("/realtime", &house.tokens[ALICE], &[]).await.err().unwrap();
    assert_eq!((sixth.status, &sixth.body["code"]), (429, &json!("too_many_streams")));
    assert_eq!(sixth.headers["retry-after"], "15");
    drop(house.listen(BOB).await);
    // They are asked whether anybody reads there, and go on.
    house.publish(BOB, POST).await;
    for stream in &mut open {
        let mut event = stream.next().await.unwrap();
        if event.id.is_none() {
            event = stream.next().await.unwrap();
        }
        assert_eq!(event.id, Some(1));
    }
    open.pop();
    open.push(house.listen(ALICE).await);
    assert_eq!(refusal(house.try_open("/realtime", &house.tokens[ALICE], &[]).await.map(drop)).0, 429);
}

#[tokio::test]
async fn a_ticket_is_not_spent_where_no_token_of_a_suspended_person_is_good() {
    let house = start().await;
    let ticket = house.ticket(&house.tokens[ALICE]).await;
    house.change("user.suspended", ALICE, json!({ "status": "suspended" })).await;
    let refused = (403, "account_suspended".to_owned());
    assert_eq!(refusal(house.try_open("/realtime", &house.tokens[ALICE], &[]).await), refused);
    let with_ticket = format!("/realtime?ticket={ticket}");
    assert_eq!(
        refusal(house.try_open(&with_ticket, "", &[]).await).0,
        401,
        "tickets went with their standing"
    );
}

#[tokio::test]
async fn a_quiet_stream_is_kept_by_comments() {
    let house = start().await;
    let mut stream = house.listen(ALICE).await;
    let begun = std::time::Instant::now();
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    let comment = stream.next().await.unwrap();
    assert_eq!((comment.id, comment.name.as_str()), (None, ""));
    let waited = begun.elapsed().as_secs_f64();
    assert!((14.0..16.5).contains(&waited), "{waited}");
}
