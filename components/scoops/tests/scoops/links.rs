//! Links end with the scoop that shows them.

use serde_json::{Value, json};
use shared::clock::{Clock, Instant};

use crate::{Scoops, start, start_with};

/// In how many seconds a presigned link ends.
fn left(link: &Value) -> i64 {
    let link = link.as_str().unwrap_or_else(|| panic!("no link: {link}"));
    let value = |name: &str| {
        let after = link.split(&format!("{name}=")).nth(1).unwrap();
        after.split('&').next().unwrap().to_owned()
    };
    let signed = value("X-Amz-Date");
    let (day, time) = signed.trim_end_matches('Z').split_once('T').unwrap();
    let text =
        format!("{}-{}-{}T{}:{}:{}Z", &day[..4], &day[4..6], &day[6..], &time[..2], &time[2..4], &time[4..]);
    let signed = Instant::parse(&text).unwrap().seconds();
    signed + value("X-Amz-Expires").parse::<i64>().unwrap() - Clock::default().now().seconds()
}

/// The link of alice's one scoop, wherever bob finds it, and hers.
async fn links(scoops: &Scoops) -> Vec<Value> {
    let id = scoops.one("select id from scoops").await;
    let url = |answer: &Value| answer["media"]["url"].clone();
    let by_id = format!("/scoops/{id}");
    let feed = scoops.get("/scoops/feed", &scoops.bob).await.body;
    let list = scoops.get(&format!("/scoops/user/{}", scoops.ids[0]), &scoops.bob).await.body;
    let mine = scoops.get("/scoops/me", &scoops.alice).await.body;
    vec![
        url(&scoops.get(&by_id, &scoops.bob).await.body),
        url(&scoops.get(&by_id, &scoops.alice).await.body),
        url(&feed["items"][0]["scoops"][0]),
        url(&list["items"][0]),
        url(&mine["items"][0]),
    ]
}

#[tokio::test]
async fn no_link_outlives_its_scoop() {
    let mut scoops = start().await;
    let made = scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await;
    assert!((2_600..=3_600).contains(&left(&made["media"]["url"])), "{made}");
    for link in links(&scoops).await {
        assert!((2_600..=3_600).contains(&left(&link)), "{link}");
    }
    scoops.clock(3_000).await;
    for link in links(&scoops).await {
        assert!((590..=600).contains(&left(&link)), "{link}");
    }
    scoops.clock(3_580).await;
    for link in links(&scoops).await {
        assert!((1..=20).contains(&left(&link)), "{link}");
    }
}

#[tokio::test]
async fn each_scoop_of_a_page_has_links_of_its_own_end() {
    let mut scoops = start().await;
    scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await;
    scoops.make_with(&scoops.alice, json!({ "expiresInHours": 24 })).await;
    scoops.clock(3_300).await;
    let group = scoops.get("/scoops/feed", &scoops.bob).await.body["items"][0]["scoops"].clone();
    assert!((290..=300).contains(&left(&group[0]["media"]["url"])), "{group}");
    assert!((2_600..=3_600).contains(&left(&group[1]["media"]["url"])), "{group}");
}

#[tokio::test]
async fn the_archive_has_links_as_any_media_of_ones_own() {
    let mut scoops = start().await;
    scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await;
    scoops.clock(3_700).await;
    let kept = scoops.get("/scoops/me?archived=true", &scoops.alice).await.body;
    assert!((2_600..=3_600).contains(&left(&kept["items"][0]["media"]["url"])), "{kept}");
}

#[tokio::test]
async fn without_a_store_there_is_no_link_and_no_template_either() {
    let scoops = start_with(&[("s3_endpoint", "")]).await;
    let made = scoops.make_with(&scoops.alice, json!({})).await;
    assert_eq!(made["media"]["url"], Value::Null);
}

#[tokio::test]
async fn what_people_write_never_becomes_a_link_or_breaks_a_page() {
    let scoops = start().await;
    let caption = "\"url\":\"@o/k/original\" rl\":\"@x \\u001e, }]";
    let made = scoops.make_with(&scoops.alice, json!({ "caption": caption })).await;
    assert_eq!(made["caption"], caption);
    scoops.change("user.updated", 0, json!({ "displayName": "a\u{1e}b\n\",{}" })).await;
    let feed = scoops.get("/scoops/feed", &scoops.bob).await.body;
    assert_eq!(feed["items"][0]["scoops"][0]["caption"], caption);
    assert_eq!(feed["items"][0]["user"]["displayName"], "a\u{1e}b\n\",{}");
    assert_eq!(scoops.ids_of(&format!("/scoops/user/{}", scoops.ids[0]), &scoops.bob).await.len(), 1);
}

#[tokio::test]
async fn links_of_the_feed_are_kept_and_serve_again_until_what_they_were_made_for_is_over() {
    let scoops = start().await;
    scoops.make(&scoops.alice).await;
    let feed =
        async || scoops.get("/scoops/feed", &scoops.bob).await.body["items"][0]["scoops"][0]["media"].clone();
    let first = feed().await;
    while scoops.one("select count(*) from scoops where linked is not null").await == "0" {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let kept: Value = serde_json::from_str(&scoops.one("select linked from scoops").await).unwrap();
    assert_eq!((&kept, &feed().await), (&first, &first));
    // It is these that are shown.
    scoops.sql("update scoops set linked = json_set(linked, '$.url', 'https://kept.example/')").await;
    assert_eq!(feed().await["url"], "https://kept.example/");
    // A quarter of an hour later, or with another store, they are made anew.
    scoops.sql("update scoops set linked_for = '0 ' || linked_for").await;
    assert_eq!(feed().await, first);
}

#[tokio::test]
async fn links_kept_go_with_the_media_they_are_of() {
    let mut scoops = start().await;
    let made = scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await;
    let other = scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await;
    let kept = "select group_concat(coalesce(linked, '-') || coalesce(linked_for, '-'), ' ') from scoops";
    scoops.sql("update scoops set linked = 'x', linked_for = 'y'").await;
    let path = format!("/scoops/{}", other["id"].as_str().unwrap());
    assert_eq!(scoops.status(http::Method::DELETE, &path, &scoops.alice).await, 204);
    assert_eq!(scoops.one(kept).await, "xy --");
    let key = shared::ids::Id::parse(made["media"]["key"].as_str().unwrap()).unwrap();
    scoops.hear("media.ready", key).await;
    assert_eq!(scoops.one(kept).await, "-- --");
    scoops.sql("update scoops set linked = 'x', linked_for = 'y' where gone is null").await;
    scoops.clock(2 * 3_600 + 1).await;
    scoops.tick_of_a_minute().await;
    assert_eq!(scoops.one(kept).await, "--", "nor are there any in the archive");
}
