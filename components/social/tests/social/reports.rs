//! Reports.

use http::Method;
use serde_json::{Value, json};
use shared::params;

use crate::common::{Town, Who, keys, problem, town};

async fn report(town: &Town, who: &Who, kind: &str, id: impl ToString) -> shared::testing::Answer {
    let body =
        json!({ "targetType": kind, "targetId": id.to_string(), "reason": "abuse", "details": " Rude. " });
    town.post(who, "/report", body).await
}

#[tokio::test]
async fn a_report_is_answered_with_its_id_and_while_open_with_the_same() {
    let town = town().await;
    let first = report(&town, &town.alice, "user", town.bob.id).await;
    assert_eq!((first.status, keys(&first.body)), (201, vec!["id", "status"]));
    assert_eq!(first.body["status"], "open");
    let again = report(&town, &town.alice, "user", town.bob.id).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    let other = report(&town, &town.carla, "user", town.bob.id).await;
    assert_ne!(other.body["id"], first.body["id"]);
    let emitted = town.outbox().await;
    assert_eq!(emitted.iter().filter(|(kind, _)| kind == "report.created").count(), 2);
    let resolved = "update reports set status = 'dismissed', resolved_at = '2026-01-01T00:00:00.000Z'";
    town.rows("social", resolved, params![]).await;
    let anew = report(&town, &town.alice, "user", town.bob.id).await;
    assert_ne!(anew.body["id"], first.body["id"]);
}

#[tokio::test]
async fn the_callers_reports_are_theirs_alone_with_their_outcome() {
    let town = town().await;
    let post = town.publish("post", &town.bob).await;
    let comment = town.publish("comment", &town.bob).await;
    for (kind, id) in [("user", town.bob.id), ("post", post), ("comment", comment)] {
        assert_eq!(report(&town, &town.alice, kind, id).await.status, 201);
    }
    let mine = town.get(&town.alice, "/me/reports?limit=2").await;
    let items = mine.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(
        keys(&items[0]),
        ["createdAt", "details", "id", "reason", "resolvedAt", "status", "targetId", "targetType"]
    );
    assert_eq!(items[0]["targetId"], comment.to_string());
    assert_eq!((&items[0]["details"], &items[0]["resolvedAt"]), (&json!("Rude."), &Value::Null));
    let next = mine.body["nextCursor"].as_str().unwrap();
    let rest = town.get(&town.alice, &format!("/me/reports?limit=2&cursor={next}")).await;
    assert_eq!(rest.body["items"][0]["targetType"], "user");
    assert_eq!((rest.body["items"].as_array().unwrap().len(), &rest.body["nextCursor"]), (1, &Value::Null));
    assert_eq!(town.get(&town.bob, "/me/reports").await.body["items"], json!([]));
}

#[tokio::test]
async fn what_the_caller_may_not_see_cannot_be_reported() {
    let town = town().await;
    town.tie(&town.bob, "/block", &town.alice).await;
    for (kind, id) in [
        ("user", town.bob.id),
        ("user", town.world.id()),
        ("post", town.world.id()),
        ("comment", town.world.id()),
        ("scoop", town.world.id()),
        ("post", town.carla.id),
    ] {
        let answer = report(&town, &town.alice, kind, id).await;
        assert_eq!(problem(&answer), (404, "not_found"), "{kind}");
    }
    // Who blocks still finds, and may report.
    assert_eq!(report(&town, &town.bob, "user", town.alice.id).await.status, 201);
    for (service, kind) in [("posts", "post"), ("scoops", "scoop")] {
        town.world.stop(service);
        assert_eq!(problem(&report(&town, &town.alice, kind, town.world.id()).await), (503, "unavailable"));
    }
}

#[tokio::test]
async fn a_scoop_is_reported_where_scoops_says_that_it_is_seen() {
    let town = town().await;
    let scoop = town.publish("scoop", &town.bob).await;
    let made = report(&town, &town.alice, "scoop", scoop).await;
    assert_eq!((made.status, &made.body["status"]), (201, &json!("open")), "{made:?}");
    let told = town.outbox().await.pop().unwrap();
    assert_eq!((told.1["targetType"].as_str(), &told.1["targetId"]), (Some("scoop"), &json!(scoop)));
    let mine = town.get(&town.alice, "/me/reports").await;
    assert_eq!(mine.body["items"][0]["targetType"], "scoop");
    // What posts has by that id is another thing.
    let post = town.publish("post", &town.bob).await;
    assert_eq!(problem(&report(&town, &town.alice, "scoop", post).await), (404, "not_found"));
}

#[tokio::test]
async fn ones_own_cannot_be_reported() {
    let town = town().await;
    let post = town.publish("post", &town.alice).await;
    let scoop = town.publish("scoop", &town.alice).await;
    for (kind, id) in [("user", town.alice.id), ("post", post), ("scoop", scoop)] {
        let answer = report(&town, &town.alice, kind, id).await;
        assert_eq!(
            (problem(&answer), &answer.body["errors"][0]["field"]),
            ((422, "invalid"), &json!("targetId"))
        );
    }
}

#[tokio::test]
async fn bodies_that_are_no_report_are_422_with_their_field() {
    let town = town().await;
    for (change, field) in [
        (json!({ "targetType": "house" }), "targetType"),
        (json!({ "targetType": null }), "targetType"),
        (json!({ "targetId": "7" }), "targetId"),
        (json!({ "reason": "dull" }), "reason"),
        (json!({ "details": "x".repeat(1_001) }), "details"),
        (json!({ "details": "a\u{0}b" }), "details"),
    ] {
        let mut body = json!({ "targetType": "user", "targetId": town.bob.id, "reason": "spam" });
        body[change.as_object().unwrap().keys().next().unwrap()] =
            change.as_object().unwrap().values().next().unwrap().clone();
        let answer = town.post(&town.alice, "/report", body).await;
        assert_eq!(answer.status, 422, "{answer:?}");
        assert_eq!(answer.body["errors"][0]["field"], field);
    }
    let body = json!({ "targetType": "user", "targetId": town.bob.id, "reason": "spam", "status": "dismissed",
        "reporter": town.carla.id, "id": town.world.id(), "details": "é 🛴" });
    let made = town.post(&town.alice, "/report", body.clone()).await;
    assert_eq!(made.body["status"], "open");
    assert_ne!(made.body["id"], body["id"]);
    let mine = town.get(&town.alice, "/me/reports").await;
    assert_eq!(
        (&mine.body["items"][0]["details"], &mine.body["items"][0]["status"]),
        (&json!("é 🛴"), &json!("open"))
    );
    assert_eq!(town.world.post("social", "/report", "", json!({})).await.status, 401);
}

#[tokio::test]
async fn a_report_sent_again_under_its_key_is_replayed() {
    let town = town().await;
    let body = json!({ "targetType": "user", "targetId": town.bob.id, "reason": "spam" });
    let key = [("idempotency-key", "k")];
    let send = async || {
        town.world.call("social", Method::POST, "/report", &town.alice.token, &key, body.clone()).await
    };
    let (first, again) = (send().await, send().await);
    assert_eq!((first.status, again.status, &first.body), (201, 201, &again.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
}
