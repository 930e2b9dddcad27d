//! What scoops tells, hears, and answers other services.

use http::Method;
use scoops::events;
use serde_json::{Value, json};
use shared::events::CATALOGUE;
use shared::ids::Id;
use shared::testing::INTERNAL_TOKEN;

use crate::start;

fn decodes(kind: &str, body: Value) {
    let decoded = match kind {
        "scoop.created" => serde_json::from_value::<events::ScoopCreated>(body).map(|_| ()),
        "scoop.published" => serde_json::from_value::<events::ScoopPublished>(body).map(|_| ()),
        "scoop.viewed" => serde_json::from_value::<events::ScoopViewed>(body).map(|_| ()),
        "scoop.expired" => serde_json::from_value::<events::ScoopExpired>(body).map(|_| ()),
        "scoop.deleted" => serde_json::from_value::<events::ScoopDeleted>(body).map(|_| ()),
        "close_friend.added" | "close_friend.removed" => {
            serde_json::from_value::<events::CloseFriendChanged>(body).map(|_| ())
        }
        "erasure.completed" => serde_json::from_value::<events::ErasureCompleted>(body).map(|_| ()),
        other => panic!("{other} has no type"),
    };
    decoded.unwrap_or_else(|error| panic!("{kind}: {error}"));
}

#[tokio::test]
async fn every_event_told_has_exactly_the_members_of_the_catalogue() {
    let mut scoops = start().await;
    let scoop = scoops.make(&scoops.alice).await;
    scoops.make_close(&scoops.alice).await;
    scoops.claims_are("queued");
    let waits = scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await;
    scoops.hear("media.ready", Id::parse(waits["media"]["key"].as_str().unwrap()).unwrap()).await;
    scoops.view(&scoop, &scoops.bob).await;
    scoops.befriend(&scoops.alice, 1).await;
    scoops.call(Method::DELETE, &format!("/close-friends/{}", scoops.ids[1]), &scoops.alice).await;
    scoops.call(Method::DELETE, &format!("/scoops/{scoop}"), &scoops.alice).await;
    scoops.clock(3_601).await;
    scoops.tick().await;
    let deletion = json!({ "status": "deleted", "deletionId": scoops.world.id() });
    scoops.change("user.deleted", 2, deletion).await;
    for kind in CATALOGUE.iter().filter(|kind| kind.source == "scoops") {
        let told = scoops.told(kind.name).await;
        assert!(!told.is_empty(), "{} was not told", kind.name);
        for body in told {
            let mut members = kind.body.to_vec();
            members.sort_unstable();
            assert_eq!(crate::keys(&body), members, "{}", kind.name);
            decodes(kind.name, body);
        }
    }
    assert_eq!(scoops.told("scoop.published").await.len(), 3);
    let viewed = json!({ "scoopId": scoop, "authorId": scoops.ids[0], "viewerId": scoops.ids[1] });
    assert_eq!(scoops.told("scoop.viewed").await, [viewed]);
    // Each at its time, in the order they happened.
    assert_eq!(scoops.one("select count(*) from outbox where at < '2026'").await, "0");
    assert_eq!(scoops.one("select count(*) from outbox as one join outbox as next on next.seq = one.seq + 1 where next.at < one.at and next.type <> 'erasure.completed'").await, "0");
}

#[tokio::test]
async fn a_deleted_person_is_erased_and_the_receipt_counts_what_was_theirs() {
    let scoops = start().await;
    scoops.tie("follow.created", 0, 1).await;
    let kept = scoops.make(&scoops.alice).await;
    let gone = scoops.make_with(&scoops.bob, json!({ "caption": "bob's words" })).await;
    scoops.make_close(&scoops.bob).await;
    scoops.view(&kept, &scoops.bob).await;
    scoops.view(gone["id"].as_str().unwrap(), &scoops.alice).await;
    scoops.befriend(&scoops.bob, 2).await;
    scoops.befriend(&scoops.alice, 1).await;
    let body = json!({ "key": scoops.world.id(), "ownerId": scoops.ids[1], "media": { "blurhash": "bobs" }, "avatarUrl": null });
    scoops.world.hear("scoops", "media", &[("media.ready", "k", body)]).await;
    let deletion = scoops.world.id();
    let change = json!({ "status": "deleted", "handle": null, "deletionId": deletion });
    scoops.change("user.deleted", 1, change.clone()).await;
    scoops.change("user.deleted", 1, change).await;
    // Himself, two scoops, a view, and twice a close friend; the second time nothing.
    let receipt = |rows: i64| json!({ "userId": scoops.ids[1], "deletionId": deletion, "service": "scoops", "rows": rows });
    assert_eq!(scoops.told("erasure.completed").await, [receipt(6), receipt(0)]);
    for (table, left) in [
        ("scoops where author = 2", "0"),
        ("views", "0"),
        ("close_friends", "0"),
        ("author_live", "1"),
        ("media", "0"),
        ("follows", "0"),
    ] {
        assert_eq!(scoops.one(&format!("select count(*) from {table}")).await, left, "{table}");
    }
    assert!(scoops.authors(&scoops.alice).await.is_empty());
    assert_eq!(scoops.get(&format!("/scoops/{kept}"), &scoops.alice).await.body["viewCount"], 1);
    assert_eq!(scoops.get("/scoops/me", &scoops.bob).await.status, 401);
    let body = json!({ "mediaKey": scoops.world.id() });
    assert_eq!(scoops.post("/scoops", &scoops.bob, body).await.status, 401);
}

#[tokio::test]
async fn other_services_learn_what_a_person_may_see() {
    let mut scoops = start().await;
    let scoop = scoops.make(&scoops.alice).await;
    let ask = async |scoops: &crate::Scoops, viewer: usize, kind: &str| {
        let path = format!("/internal/visible?viewer={}&type={kind}&id={scoop}", scoops.ids[viewer]);
        scoops.get(&path, INTERNAL_TOKEN).await
    };
    assert_eq!(ask(&scoops, 1, "scoop").await.body, json!({ "authorId": scoops.ids[0], "text": null }));
    assert_eq!(ask(&scoops, 2, "scoop").await.status, 404);
    assert_eq!(ask(&scoops, 1, "post").await.status, 422);
    let path = format!("/internal/visible?viewer={}&type=scoop&id={scoop}", scoops.ids[1]);
    assert_eq!(scoops.get(&path, &scoops.bob).await.status, 404, "not for clients");
    scoops.clock(24 * 3_600 + 1).await;
    assert_eq!(ask(&scoops, 1, "scoop").await.status, 404);
}

#[tokio::test]
async fn an_export_has_everything_held_about_a_person() {
    let scoops = start().await;
    scoops.tie("follow.created", 0, 1).await;
    let alices = scoops.make(&scoops.alice).await;
    let made = scoops.make_with(&scoops.bob, json!({ "caption": "mine" })).await;
    let deleted = scoops.make(&scoops.bob).await;
    scoops.call(Method::DELETE, &format!("/scoops/{deleted}"), &scoops.bob).await;
    scoops.view(&alices, &scoops.bob).await;
    scoops.view(made["id"].as_str().unwrap(), &scoops.alice).await;
    scoops.befriend(&scoops.bob, 2).await;
    scoops.befriend(&scoops.alice, 1).await;
    let path = format!("/internal/export/{}", scoops.ids[1]);
    let export = scoops.get(&path, INTERNAL_TOKEN).await.body;
    assert_eq!(crate::keys(&export), ["closeFriends", "scoops", "views"]);
    assert_eq!(export["scoops"].as_array().unwrap().len(), 1, "{export}");
    assert_eq!(
        (&export["scoops"][0]["caption"], &export["scoops"][0]["viewCount"]),
        (&json!("mine"), &json!(1))
    );
    assert_eq!(export["views"].as_array().unwrap().len(), 1);
    assert_eq!(export["views"][0]["scoopId"], json!(alices));
    assert_eq!(export["closeFriends"][0]["userId"], json!(scoops.ids[2]));
    assert_eq!(export["closeFriends"].as_array().unwrap().len(), 1, "whose lists they are in is the others'");
    assert_eq!(scoops.get(&path, &scoops.bob).await.status, 404, "not for clients");
}
