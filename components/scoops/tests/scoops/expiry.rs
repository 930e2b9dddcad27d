//! The end of a scoop: exact on every read, told once by the sweep, and the archive after it.

use http::Method;
use scoops::store;
use serde_json::{Value, json};
use shared::clock::Instant;
use shared::ids::Id;

use crate::{Scoops, id_of, start, start_with};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A scoop of alice's of one hour; its id.
async fn make_short(scoops: &Scoops) -> String {
    id_of(&scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await)
}

/// Asks every read for the scoop as it is at `now`: which of them have it.
async fn reads(scoops: &Scoops, scoop: &str, now: Instant) -> Vec<bool> {
    let (db, id) = (&scoops.world.app("scoops").db, Id::parse(scoop).unwrap());
    let (alice, bob) = (scoops.ids[0], scoops.ids[1]);
    let has = |page: Option<shared::db::PageOut>| page.unwrap().items.contains(scoop);
    let null = || shared::db::Value::Null;
    vec![
        store::find_scoop(db, id, bob, now).await.unwrap().is_some(),
        store::find_scoop(db, id, alice, now).await.unwrap().is_some(),
        store::is_author(db, id, bob, now).await.unwrap().is_some(),
        store::find_visible_scoop(db, id, bob, now).await.unwrap().is_some(),
        has(store::get_scoop_feed(db, bob, None, 20, now, "").await.unwrap()),
        has(store::list_scoops_of(db, alice, bob, null(), 20, now).await.unwrap()),
        has(store::list_my_scoops(db, alice, null(), 20, now).await.unwrap()),
        store::list_viewers(db, id, alice, now, null(), 20).await.unwrap().is_some(),
        !has(store::list_archive(db, alice, null(), 20, now, Instant::from_millis(0)).await.unwrap()),
        store::view_scoop(db, id, bob, now).await.unwrap(),
    ]
}

#[tokio::test]
async fn every_read_ends_in_the_very_millisecond() {
    let scoops = start().await;
    let scoop = make_short(&scoops).await;
    let end: i64 = scoops.one("select expires_ms from scoops").await.parse().unwrap();
    assert_eq!(reads(&scoops, &scoop, Instant::from_millis(end - 1)).await, vec![true; 10]);
    assert_eq!(reads(&scoops, &scoop, Instant::from_millis(end)).await, vec![false; 10]);
    let (db, id, now) =
        (&scoops.world.app("scoops").db, Id::parse(&scoop).unwrap(), Instant::from_millis(end));
    assert!(!store::delete_scoop(db, id, scoops.ids[0], now).await.unwrap());
}

#[tokio::test]
async fn an_expired_scoop_is_404_for_everybody_but_in_its_authors_archive() {
    let mut scoops = start().await;
    let scoop = make_short(&scoops).await;
    scoops.view(&scoop, &scoops.bob).await;
    scoops.clock(HOUR + 1).await;
    // The sweep was not there yet, and then it was.
    for _ in 0..2 {
        let path = format!("/scoops/{scoop}");
        for token in [&scoops.alice, &scoops.bob] {
            assert_eq!(scoops.status(Method::GET, &path, token).await, 404);
            assert_eq!(scoops.status(Method::DELETE, &path, token).await, 404);
            assert_eq!(scoops.view(&scoop, token).await, 404);
            assert_eq!(scoops.status(Method::GET, &format!("{path}/viewers"), token).await, 404);
            assert!(scoops.ids_of(&format!("/scoops/user/{}", scoops.ids[0]), token).await.is_empty());
        }
        assert!(scoops.authors(&scoops.bob).await.is_empty());
        assert!(scoops.ids_of("/scoops/me", &scoops.alice).await.is_empty());
        let kept = scoops.get("/scoops/me?archived=true", &scoops.alice).await.body;
        assert_eq!((&kept["items"][0]["id"], &kept["items"][0]["viewCount"]), (&json!(scoop), &json!(1)));
        assert!(scoops.ids_of("/scoops/me?archived=true", &scoops.bob).await.is_empty());
        scoops.tick_of_a_minute().await;
    }
    assert_eq!(scoops.told("scoop.expired").await, [json!({ "scoopId": scoop, "authorId": scoops.ids[0] })]);
}

#[tokio::test]
async fn viewers_are_forgotten_an_hour_after_the_end_and_their_count_is_not() {
    let mut scoops = start().await;
    let scoop = make_short(&scoops).await;
    scoops.view(&scoop, &scoops.bob).await;
    for (hours, views) in [(1, "1"), (2, "0")] {
        scoops.clock(hours * HOUR + 1).await;
        scoops.tick_of_a_minute().await;
        assert_eq!(scoops.one("select count(*) from views").await, views);
    }
    let kept = scoops.get("/scoops/me?archived=true", &scoops.alice).await.body;
    assert_eq!(kept["items"][0]["viewCount"], 1);
    assert_eq!(scoops.one("select count(*) from author_live").await, "0");
}

#[tokio::test]
async fn the_archive_keeps_a_scoop_for_30_days_and_then_it_and_its_media_go() {
    let mut scoops = start().await;
    let made = scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await;
    let archive =
        async |scoops: &Scoops| scoops.ids_of("/scoops/me?archived=true", &scoops.alice).await.len();
    scoops.clock(HOUR + 30 * DAY - 5).await;
    scoops.tick_of_a_minute().await;
    assert_eq!(archive(&scoops).await, 1);
    assert!(scoops.told("scoop.deleted").await.is_empty());
    scoops.clock(HOUR + 30 * DAY + 5).await;
    assert_eq!(archive(&scoops).await, 0, "the sweep need not come first");
    for _ in 0..2 {
        scoops.tick_of_a_minute().await;
    }
    let expected =
        json!({ "scoopId": made["id"], "authorId": scoops.ids[0], "mediaKey": made["media"]["key"] });
    assert_eq!(scoops.told("scoop.deleted").await, [expected], "once");
    assert_eq!(scoops.told("scoop.expired").await.len(), 1);
    assert_eq!(scoops.one("select count(*) from scoops").await, "0");
}

#[tokio::test]
async fn without_an_archive_a_scoop_goes_at_its_end() {
    for days in ["0", "-3"] {
        let mut scoops = start_with(&[("scoop_archive_days", days)]).await;
        make_short(&scoops).await;
        scoops.clock(HOUR + 1).await;
        assert!(scoops.ids_of("/scoops/me?archived=true", &scoops.alice).await.is_empty());
        scoops.tick().await;
        let kinds = "select json_group_array(type) from (select type from outbox order by seq)";
        let expected = r#"["scoop.created","scoop.published","scoop.expired","scoop.deleted"]"#;
        assert_eq!(scoops.one(kinds).await, expected);
        assert_eq!(scoops.one("select count(*) from scoops where media is not null").await, "0");
        scoops.clock(2 * HOUR + 1).await;
        scoops.tick_of_a_minute().await;
        assert_eq!(scoops.one("select count(*) from scoops").await, "0");
    }
}

#[tokio::test]
async fn days_that_are_no_number_are_30() {
    let mut scoops = start_with(&[("scoop_archive_days", "many")]).await;
    make_short(&scoops).await;
    scoops.clock(HOUR + 29 * DAY).await;
    scoops.tick().await;
    assert_eq!(scoops.ids_of("/scoops/me?archived=true", &scoops.alice).await.len(), 1);
}

#[tokio::test]
async fn the_archive_comes_newest_first_whichever_ended_first() {
    let mut scoops = start().await;
    let mut expected = Vec::new();
    for hours in [3, 1, 2, 24, 1] {
        let made = scoops.make_with(&scoops.alice, json!({ "expiresInHours": hours })).await;
        if hours < 24 {
            expected.insert(0, id_of(&made));
        }
    }
    scoops.clock(4 * HOUR).await;
    assert_eq!(scoops.ids_of("/scoops/me?archived=true", &scoops.alice).await, expected);
    assert_eq!(scoops.ids_of("/scoops/me", &scoops.alice).await.len(), 1);
}

#[tokio::test]
async fn a_deleted_scoop_leaves_a_tombstone_that_the_sweep_takes_and_nobody_hears_of_its_end() {
    let mut scoops = start().await;
    let scoop = make_short(&scoops).await;
    assert_eq!(scoops.status(Method::DELETE, &format!("/scoops/{scoop}"), &scoops.alice).await, 204);
    scoops.clock(HOUR + 1).await;
    scoops.tick_of_a_minute().await;
    assert_eq!(scoops.one("select count(*) from scoops").await, "1");
    assert!(scoops.ids_of("/scoops/me?archived=true", &scoops.alice).await.is_empty());
    scoops.clock(2 * HOUR + 1).await;
    scoops.tick_of_a_minute().await;
    assert_eq!(scoops.one("select count(*) from scoops").await, "0");
    assert!(scoops.told("scoop.expired").await.is_empty());
    assert_eq!(scoops.told("scoop.deleted").await.len(), 1);
}

#[tokio::test]
async fn one_in_the_archive_goes_with_its_media_at_once() {
    let mut scoops = start().await;
    let made = scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await;
    scoops.clock(3 * HOUR).await;
    scoops.tick_of_a_minute().await;
    scoops.hear("media.deleted", Id::parse(made["media"]["key"].as_str().unwrap()).unwrap()).await;
    assert!(scoops.ids_of("/scoops/me?archived=true", &scoops.alice).await.is_empty());
    assert_eq!(scoops.one("select count(*) from scoops").await, "0");
    assert_eq!(scoops.told("scoop.deleted").await.len(), 1);
}

#[tokio::test]
async fn one_tick_takes_more_than_a_batch_of_them() {
    let mut scoops = start_with(&[("scoop_archive_days", "0")]).await;
    let many = "insert into scoops (id, author, media_key, media, audience, created_at, expires_at, expires_ms, shown, changed_at, opening)
        select printf('0199b7a0-0000-7000-8000-%012x', value), 1, value, '{}', 'followers', '2026-01-01T00:00:00.000Z',
            '2026-01-01T01:00:00.000Z', 1, value, '', '' from (
            with recursive n (value) as (select 1 union all select value + 1 from n where value < 1000) select value from n)";
    scoops.sql(many).await;
    scoops.tick_of_a_minute().await;
    assert_eq!(scoops.told("scoop.expired").await.len(), 1_000);
    assert_eq!(scoops.told("scoop.deleted").await.len(), 1_000);
    scoops.clock(1).await;
    scoops.tick_of_a_minute().await;
    assert_eq!(scoops.one("select count(*) from scoops").await, "0");
    let left: Value = scoops.get("/scoops/me", &scoops.alice).await.body;
    assert_eq!(left["items"], json!([]));
}
