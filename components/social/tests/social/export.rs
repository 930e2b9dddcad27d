//! What the service tells others.

use serde_json::json;
use shared::testing::INTERNAL_TOKEN;

use crate::common::{keys, problem, town};

#[tokio::test]
async fn the_export_holds_what_the_person_did_and_not_what_others_did_to_them() {
    let town = town().await;
    town.make_private(&town.carla).await;
    town.tie(&town.alice, "/follow", &town.bob).await;
    town.tie(&town.alice, "/follow", &town.carla).await;
    town.tie(&town.alice, "/mute", &town.bob).await;
    town.tie(&town.bob, "/mute", &town.alice).await;
    let body = json!({ "targetType": "user", "targetId": town.bob.id, "reason": "spam" });
    town.post(&town.alice, "/report", body).await;
    let export = async |id: &dyn std::fmt::Display| {
        town.world.get("social", &format!("/internal/export/{id}"), INTERNAL_TOKEN).await
    };
    let alice = export(&town.alice.id).await;
    assert_eq!(
        keys(&alice.body),
        ["adminActions", "blocked", "decisions", "followRequests", "following", "muted", "reports"]
    );
    assert_eq!(alice.body["following"][0]["userId"], town.bob.id.to_string());
    assert_eq!(keys(&alice.body["following"][0]), ["createdAt", "handle", "userId"]);
    assert_eq!(alice.body["followRequests"][0]["handle"], "carla");
    assert_eq!(alice.body["muted"][0]["handle"], "bob");
    assert_eq!(alice.body["reports"][0]["reason"], "spam");
    let carla = export(&town.carla.id).await;
    assert_eq!(
        carla.body,
        json!({ "following": [], "followRequests": [], "blocked": [], "muted": [], "reports": [], "decisions": [],
            "adminActions": [] })
    );
    assert_eq!(export(&town.world.id()).await.body, carla.body);
}

#[tokio::test]
async fn nobody_but_a_service_may_ask() {
    let town = town().await;
    for token in ["", town.alice.token.as_str(), shared::testing::WORKER_TOKEN] {
        let path = format!("/internal/export/{}", town.alice.id);
        assert_eq!(problem(&town.world.get("social", &path, token).await), (404, "not_found"));
    }
}
