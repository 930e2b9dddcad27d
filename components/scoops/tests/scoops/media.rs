//! Scoops whose media is not ready, fails, or goes.

use serde_json::{Value, json};
use shared::ids::Id;

use crate::{Scoops, id_of, problem, start, template};

/// A scoop of alice's whose media is on its way; its id and the key.
async fn waiting(scoops: &Scoops) -> (String, Id) {
    scoops.claims_are("processing");
    let made = scoops.make_with(&scoops.alice, json!({})).await;
    assert_eq!(made["media"]["status"], "processing");
    (id_of(&made), Id::parse(made["media"]["key"].as_str().unwrap()).unwrap())
}

/// The names of the events about scoops told so far.
async fn kinds(scoops: &Scoops) -> String {
    scoops.one("select json_group_array(type) from (select type from outbox order by seq)").await
}

#[tokio::test]
async fn a_scoop_waits_for_its_media_and_comes_out_by_itself() {
    let scoops = start().await;
    let (scoop, key) = waiting(&scoops).await;
    assert!(scoops.sees(&scoop, &scoops.alice).await);
    assert!(!scoops.sees(&scoop, &scoops.bob).await);
    assert!(scoops.authors(&scoops.bob).await.is_empty());
    assert_eq!(scoops.ids_of("/scoops/me", &scoops.alice).await, std::slice::from_ref(&scoop));
    assert_eq!(kinds(&scoops).await, r#"["scoop.created"]"#);
    assert_eq!(scoops.told("scoop.created").await[0]["published"], false);
    scoops.hear("media.ready", key).await;
    scoops.hear("media.ready", key).await;
    let seen = scoops.get(&format!("/scoops/{scoop}"), &scoops.bob).await.body;
    assert_eq!((&seen["media"]["status"], &seen["media"]["alt"]), (&json!("ready"), &Value::Null));
    assert_eq!(scoops.authors(&scoops.bob).await, ["alice*"]);
    assert_eq!(kinds(&scoops).await, r#"["scoop.created","scoop.published"]"#, "once");
}

#[tokio::test]
async fn what_is_ready_when_it_is_made_is_out_at_once() {
    let scoops = start().await;
    scoops.make(&scoops.alice).await;
    assert_eq!(kinds(&scoops).await, r#"["scoop.created","scoop.published"]"#);
    assert_eq!(scoops.told("scoop.created").await[0]["published"], true);
    assert_eq!(scoops.authors(&scoops.bob).await, ["alice*"]);
}

#[tokio::test]
async fn what_became_ready_while_it_was_made_does_not_hold_it_up() {
    let scoops = start().await;
    let key = scoops.world.id();
    scoops.hear("media.ready", key).await;
    scoops.claims_are("processing");
    let made = scoops.make_with(&scoops.alice, json!({ "mediaKey": key })).await;
    assert_eq!(made["media"]["status"], "ready", "the answer knows it as well");
    assert!(scoops.sees(&id_of(&made), &scoops.bob).await);
    assert_eq!(scoops.told("scoop.published").await.len(), 1);
}

#[tokio::test]
async fn what_failed_stays_with_its_author_who_sees_why() {
    let scoops = start().await;
    let (scoop, key) = waiting(&scoops).await;
    let mut failed = template(key, "failed");
    failed["error"] = json!({ "code": "truncated", "detail": "It ends in its middle." });
    let body = json!({ "key": key, "ownerId": scoops.ids[0], "media": failed, "avatarUrl": null });
    scoops.world.hear("scoops", "media", &[("media.failed", "k", body)]).await;
    let seen = scoops.get(&format!("/scoops/{scoop}"), &scoops.alice).await.body;
    assert_eq!(
        (&seen["media"]["status"], &seen["media"]["error"]["code"]),
        (&json!("failed"), &json!("truncated"))
    );
    assert!(!scoops.sees(&scoop, &scoops.bob).await);
    assert!(scoops.told("scoop.published").await.is_empty());
    // Another attempt, for reasons of ours, may still succeed.
    scoops.hear("media.ready", key).await;
    assert!(scoops.sees(&scoop, &scoops.bob).await);
    // And nothing takes that back.
    scoops.hear("media.failed", key).await;
    assert_eq!(scoops.get(&format!("/scoops/{scoop}"), &scoops.bob).await.body["media"]["status"], "ready");
}

#[tokio::test]
async fn what_failed_while_it_was_made_is_its_authors_alone() {
    let scoops = start().await;
    let key = scoops.world.id();
    scoops.hear("media.failed", key).await;
    scoops.claims_are("queued");
    let made = scoops.make_with(&scoops.alice, json!({ "mediaKey": key })).await;
    assert_eq!(made["media"]["status"], "failed");
    assert!(!scoops.sees(&id_of(&made), &scoops.bob).await);
}

#[tokio::test]
async fn a_scoop_goes_with_its_media() {
    let scoops = start().await;
    let (waits, key) = waiting(&scoops).await;
    scoops.hear("media.ready", key).await;
    let twin = scoops.make_with(&scoops.alice, json!({ "mediaKey": key })).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["alice*"]);
    scoops.hear("media.deleted", key).await;
    scoops.hear("media.deleted", key).await;
    for scoop in [waits, id_of(&twin)] {
        assert!(!scoops.sees(&scoop, &scoops.alice).await);
    }
    assert!(scoops.authors(&scoops.bob).await.is_empty());
    assert_eq!(scoops.told("scoop.deleted").await.len(), 2, "each once");
    // Nothing late brings one back.
    scoops.hear("media.ready", key).await;
    assert!(scoops.authors(&scoops.bob).await.is_empty());
}

#[tokio::test]
async fn of_what_was_deleted_while_it_was_claimed_there_is_no_scoop() {
    let scoops = start().await;
    let key = scoops.world.id();
    scoops.hear("media.deleted", key).await;
    let answer = scoops.post("/scoops", &scoops.alice, json!({ "mediaKey": key })).await;
    assert_eq!(problem(&answer), (422, "media_not_found"));
    assert_eq!(scoops.one("select count(*) from outbox").await, "0");
}

#[tokio::test]
async fn what_is_ready_too_late_goes_to_the_archive_unseen() {
    let mut scoops = start().await;
    scoops.claims_are("processing");
    let made = scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await;
    let key = Id::parse(made["media"]["key"].as_str().unwrap()).unwrap();
    scoops.clock(3_601).await;
    scoops.hear("media.ready", key).await;
    assert!(scoops.told("scoop.published").await.is_empty());
    assert!(scoops.authors(&scoops.bob).await.is_empty());
    let kept = scoops.get("/scoops/me?archived=true", &scoops.alice).await;
    assert_eq!(kept.body["items"][0]["media"]["status"], "ready");
}

#[tokio::test]
async fn what_media_told_is_remembered_for_a_day() {
    let mut scoops = start().await;
    let made = scoops.make_with(&scoops.alice, json!({})).await;
    scoops.hear("media.ready", Id::parse(made["media"]["key"].as_str().unwrap()).unwrap()).await;
    scoops.hear("media.deleted", scoops.world.id()).await;
    scoops.clock(23 * 3_600).await;
    scoops.tick_of_a_minute().await;
    assert_eq!(scoops.one("select count(*) from media").await, "2");
    scoops.clock(24 * 3_600 + 60).await;
    scoops.tick_of_a_minute().await;
    assert_eq!(scoops.one("select count(*) from media").await, "0");
    let kept = scoops.get("/scoops/me?archived=true", &scoops.alice).await;
    assert_eq!(kept.body["items"][0]["media"]["status"], "ready", "the scoop has its own");
}
