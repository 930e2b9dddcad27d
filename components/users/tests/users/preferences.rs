//! `/me/notification-preferences`.

use serde_json::{Value, json};

use crate::{field, person, told, world};

const PATH: &str = "/me/notification-preferences";

#[tokio::test]
async fn a_patch_merges_and_null_ends_the_quiet_hours() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    let first = world.get("users", PATH, &alice).await;
    assert!(first.headers.contains_key("etag"));
    let all = json!({ "follow": true, "reaction": true, "comment": true, "mention": true, "scoop": true });
    assert_eq!(first.body, json!({ "push": all, "quietHours": null }));
    let hours = json!({ "start": "22:00", "end": "07:00", "timeZone": "Europe/Berlin" });
    let answer =
        world.patch("users", PATH, &alice, json!({ "push": { "scoop": false }, "quietHours": hours })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let push = json!({ "follow": true, "reaction": true, "comment": true, "mention": true, "scoop": false });
    assert_eq!(answer.body, json!({ "push": push, "quietHours": hours }));
    let answer = world.patch("users", PATH, &alice, json!({ "push": { "follow": false, "x": 1 } })).await;
    let push = json!({ "follow": false, "reaction": true, "comment": true, "mention": true, "scoop": false });
    assert_eq!(answer.body, json!({ "push": push, "quietHours": hours }));
    let answer = world.patch("users", PATH, &alice, json!({ "quietHours": null })).await;
    assert_eq!(answer.body, json!({ "push": push, "quietHours": null }));
    assert_eq!(world.get("users", PATH, &alice).await.body, answer.body);
    assert_eq!(world.get("users", "/me", &alice).await.body["notificationPreferences"], answer.body);
    assert_eq!(world.patch("users", PATH, &alice, json!({})).await.body, answer.body);
    let told: Vec<_> = told(&world).await.into_iter().skip(1).collect();
    assert!(told.iter().all(|(kind, body)| kind == "preferences.updated" && body["userId"] == json!(id)));
    let told: Vec<_> = told.iter().map(|(_, body)| &body["preferences"]).collect();
    let later = json!({ "push": push, "quietHours": hours });
    assert_eq!(told[1..], [&later, &answer.body], "and what changes nothing is not told");
}

#[tokio::test]
async fn what_does_not_fit_is_422_with_its_field() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let hours = |start: &str, zone: &str| json!({ "quietHours": { "start": start, "end": "07:00", "timeZone": zone } });
    for (body, at_fault) in [
        (json!({ "push": { "follow": "yes" } }), "push.follow"),
        (json!({ "push": { "follow": null } }), "push.follow"),
        (json!({ "push": null }), "push"),
        (json!({ "push": [] }), "push"),
        (hours("25:00", "UTC"), "quietHours.start"),
        (hours("22:00", "Mars/Olympus"), "quietHours.timeZone"),
        (json!({ "quietHours": { "start": "22:00" } }), "quietHours.end"),
        (json!({ "quietHours": 7 }), "quietHours"),
    ] {
        let answer = world.patch("users", PATH, &alice, body.clone()).await;
        assert_eq!((answer.status, field(&answer)), (422, at_fault), "{body}");
    }
    assert_eq!(world.get("users", PATH, &alice).await.body["quietHours"], Value::Null);
}

#[tokio::test]
async fn ones_preferences_are_not_anothers() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let (_, bob) = person(&world, "bob").await;
    world.patch("users", PATH, &alice, json!({ "push": { "follow": false } })).await;
    assert_eq!(world.get("users", PATH, &bob).await.body["push"]["follow"], true);
}
