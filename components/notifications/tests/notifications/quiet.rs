//! Quiet hours, across the nights in which the clocks change.

use serde_json::{Value, json};
use shared::clock::{Clock, Instant};

use crate::receivers::{Browser, Host};
use crate::{ALICE, BOB, House, OTHER, POST, start_with};

const HOST: &str = "push.example.com";

/// A house where it is `time`, in which alice sleeps from 22:00 to 07:00 in Berlin.
async fn at(time: &str) -> (House, Host) {
    let offset = Instant::parse(time).unwrap().seconds() - Clock::default().now().seconds();
    let house = start_with(&[("test_clock_offset_seconds", &offset.to_string())]).await;
    let host = Host::at(&house, HOST);
    Browser::new("a").put(&house, ALICE).await;
    let hours = json!({ "start": "22:00", "end": "07:00", "timeZone": "Europe/Berlin" });
    house.want(ALICE, json!({}), hours).await;
    (house, host)
}

/// When the one push there is goes out.
async fn due(house: &House) -> String {
    let due = house.one("select due_at from pushes").await;
    Instant::from_millis(due.parse().unwrap()).rfc3339()
}

#[tokio::test]
async fn a_push_waits_for_the_morning_however_long_the_night_is() {
    for (evening, morning, hours) in [
        ("2026-01-10T22:00:00Z", "2026-01-11T06:00:00.000Z", 8),
        // The clocks go on, and back.
        ("2026-03-28T22:00:00Z", "2026-03-29T05:00:00.000Z", 7),
        ("2026-10-24T22:00:00Z", "2026-10-25T06:00:00.000Z", 8),
    ] {
        let (house, host) = at(evening).await;
        house.react(BOB, POST, "like").await;
        house.tick_later(5).await;
        assert!(host.take_all().is_empty(), "{evening}");
        assert_eq!(due(&house).await, morning);
        house.tick_later(hours * 3600 - 10).await;
        assert!(host.take_all().is_empty(), "{evening}");
        house.tick_later(hours * 3600 + 1).await;
        assert_eq!(host.take_all().len(), 1, "{evening}");
    }
}

#[tokio::test]
async fn in_the_morning_only_what_is_unread_is_sent() {
    let (house, host) = at("2026-03-28T22:00:00Z").await;
    house.react(BOB, POST, "like").await;
    house.react(BOB, OTHER, "like").await;
    house.tick_later(5).await;
    house.sql(&format!("update notifications set read = 1 where target_id = '{OTHER}'")).await;
    house.tick_later(7 * 3600 + 5).await;
    assert_eq!(host.take_all().len(), 1);
    assert_eq!(house.one("select count(*) from pushes").await, "0");
}

#[tokio::test]
async fn by_day_and_for_others_nothing_waits() {
    let (house, host) = at("2026-03-29T05:00:30Z").await;
    house.react(BOB, POST, "like").await;
    house.tick_later(5).await;
    assert_eq!(host.take_all().len(), 1);
    let (house, host) = at("2026-03-28T22:00:00Z").await;
    Browser::new("bobs").put(&house, BOB).await;
    house.tie("follow.created", ALICE, BOB).await;
    house.tick_later(5).await;
    assert_eq!(host.take_all().len(), 1, "bob sleeps when he likes");
}

#[tokio::test]
async fn who_changes_their_mind_hears_by_what_they_say_now() {
    let (house, host) = at("2026-03-28T22:00:00Z").await;
    house.want(ALICE, json!({}), Value::Null).await;
    house.react(BOB, POST, "like").await;
    house.tick_later(5).await;
    assert_eq!(host.take_all().len(), 1);
}

#[tokio::test]
async fn hours_that_cannot_be_read_hold_nothing_up() {
    let (house, host) = at("2026-03-28T22:00:00Z").await;
    let hours = json!({ "start": "22:00", "end": "07:00", "timeZone": "Mars/Olympus" });
    house.want(ALICE, json!({}), hours).await;
    house.react(BOB, POST, "like").await;
    house.tick_later(5).await;
    assert_eq!(host.take_all().len(), 1);
}
