//! What is emitted, and what is done with what is heard.

use serde_json::{Value, json};
use shared::events::CATALOGUE;
use shared::params;
use shared::testing::INTERNAL_TOKEN;
use social::events::{
    AppealResolved, Block, ContentRemoved, ErasureCompleted, Follow, FollowRequest, Mute, ReportCreated,
    ReportResolved, SuspensionBegun, SuspensionLifted,
};

use crate::common::{Town, keys, town};

fn decode(kind: &str, body: Value) -> Result<(), serde_json::Error> {
    match kind {
        "follow.created" | "follow.removed" => serde_json::from_value::<Follow>(body).map(drop),
        "follow.requested" | "follow.request_removed" => {
            serde_json::from_value::<FollowRequest>(body).map(drop)
        }
        "block.created" | "block.removed" => serde_json::from_value::<Block>(body).map(drop),
        "mute.created" | "mute.removed" => serde_json::from_value::<Mute>(body).map(drop),
        "report.created" => serde_json::from_value::<ReportCreated>(body).map(drop),
        "report.resolved" => serde_json::from_value::<ReportResolved>(body).map(drop),
        "content.removed" => serde_json::from_value::<ContentRemoved>(body).map(drop),
        "suspension.begun" => serde_json::from_value::<SuspensionBegun>(body).map(drop),
        "suspension.lifted" => serde_json::from_value::<SuspensionLifted>(body).map(drop),
        "appeal.resolved" => serde_json::from_value::<AppealResolved>(body).map(drop),
        _ => serde_json::from_value::<ErasureCompleted>(body).map(drop),
    }
}

/// Everything that can happen here, once.
async fn live(town: &Town) {
    let (alice, bob, carla) = (&town.alice, &town.bob, &town.carla);
    for (who, verb, whom) in [
        (alice, "/follow", bob),
        (alice, "/unfollow", bob),
        (alice, "/mute", bob),
        (alice, "/unmute", bob),
        (alice, "/follow", bob),
        (bob, "/follow", alice),
        (bob, "/block", alice),
        (bob, "/unblock", alice),
    ] {
        town.tie(who, verb, whom).await;
    }
    town.make_private(carla).await;
    town.tie(alice, "/follow", carla).await;
    town.tie(alice, "/unfollow", carla).await;
    let report = json!({ "targetType": "user", "targetId": carla.id, "reason": "spam", "details": "Hm." });
    assert_eq!(town.post(bob, "/report", report).await.status, 201);
    let post = town.publish("post", bob).await;
    let report = town.report(carla, "post", post).await;
    town.resolve(&report, "remove_content").await;
    let appeal = town.appeal(bob, &report).await;
    let appeal = format!("/admin/appeals/{}/resolve", appeal.body["id"].as_str().unwrap());
    assert_eq!(town.post(&town.erin, &appeal, json!({ "action": "uphold" })).await.status, 200);
    assert_eq!(town.suspend(bob).await.status, 204);
    let back = format!("/admin/users/{}/unsuspend", bob.id);
    assert_eq!(town.post(&town.erin, &back, Value::Null).await.status, 204);
}

async fn delete_carla(town: &Town) {
    let gone = json!({ "status": "deleted", "handle": null, "private": 0, "deletionId": town.world.id() });
    town.change(&town.carla, "user.deleted", 3, gone).await;
}

#[tokio::test]
async fn every_event_decodes_and_has_exactly_the_members_of_the_catalogue() {
    let town = town().await;
    live(&town).await;
    delete_carla(&town).await;
    let emitted = town.outbox().await;
    for (kind, body) in &emitted {
        let known = CATALOGUE.iter().find(|known| known.name == kind && known.source == "social").unwrap();
        let mut members = known.body.to_vec();
        members.sort_unstable();
        assert_eq!(keys(body), members, "{kind}");
        decode(kind, body.clone()).unwrap_or_else(|error| panic!("{kind} {body} {error}"));
    }
    for known in CATALOGUE.iter().filter(|known| known.source == "social") {
        assert!(emitted.iter().any(|(kind, _)| kind == known.name), "{}", known.name);
    }
    let times = "select count(*) from outbox where at not like '20__-__-__T__:__:__.___Z' or key = ''";
    assert_eq!(town.number("social", times).await, 0);
}

#[tokio::test]
async fn a_change_that_changes_nothing_tells_nothing() {
    let town = town().await;
    for verb in ["/unfollow", "/unblock", "/unmute"] {
        town.tie(&town.alice, verb, &town.bob).await;
    }
    assert_eq!(town.outbox().await.len(), 0);
    for verb in ["/follow", "/mute", "/block"] {
        town.tie(&town.alice, verb, &town.bob).await;
        let told = town.outbox().await.len();
        if verb != "/block" {
            town.tie(&town.alice, verb, &town.bob).await;
        }
        assert_eq!(town.outbox().await.len(), told, "{verb}");
    }
    let kinds: Vec<String> = town.outbox().await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["follow.created", "mute.created", "block.created", "follow.removed"]);
}

#[tokio::test]
async fn a_change_is_known_to_the_other_services_when_its_answer_arrives() {
    let town = town().await;
    town.introduce().await;
    town.tie(&town.alice, "/follow", &town.bob).await;
    town.tie(&town.carla, "/mute", &town.bob).await;
    for service in ["users", "posts"] {
        assert_eq!(town.ties(service).await, ["alice follows bob", "carla mutes bob"], "{service}");
    }
    town.tie(&town.bob, "/block", &town.alice).await;
    for service in ["users", "posts"] {
        assert_eq!(town.ties(service).await, ["bob blocks alice", "carla mutes bob"], "{service}");
    }
}

#[tokio::test]
async fn a_service_that_was_away_hears_everything_once_it_is_back() {
    let town = town().await;
    town.introduce().await;
    town.world.stop("posts");
    town.tie(&town.alice, "/follow", &town.bob).await;
    town.tie(&town.alice, "/mute", &town.bob).await;
    assert_eq!(town.ties("posts").await, [""; 0]);
    town.world.resume("posts");
    let tick = town.world.post("social", "/internal/tick", INTERNAL_TOKEN, json!({})).await;
    assert_eq!(tick.status, 200, "{tick:?}");
    assert_eq!(town.ties("posts").await, ["alice follows bob", "alice mutes bob"]);
}

#[tokio::test]
async fn posts_are_counted_when_published_and_uncounted_once() {
    let town = town().await;
    let post = |id: u32, published: Value| {
        json!({ "postId": format!("p{id}"), "authorId": town.alice.id, "visibility": "public",
            "wasPublished": published })
    };
    town.world
        .hear(
            "social",
            "posts",
            &[
                ("post.published", "p1", post(1, json!(true))),
                ("post.published", "p2", post(2, json!(true))),
                ("post.published", "p3", post(3, json!(true))),
                ("post.deleted", "p1", post(1, json!(true))),
                ("post.deleted", "p2", post(2, json!(1))),
                ("post.deleted", "p4", post(4, json!(false))),
                ("post.deleted", "p5", post(5, json!(0))),
            ],
        )
        .await;
    let alice = town.get(&town.bob, "/u/alice").await;
    assert_eq!(alice.body["counts"]["posts"], 1);
    // Somebody `users` has not told of yet.
    let dora = town.register_elsewhere("dora").await;
    let body = json!({ "postId": "p6", "authorId": dora.id, "visibility": "public" });
    town.world.hear("social", "posts", &[("post.published", "p6", body)]).await;
    let dora = town.get(&town.bob, "/u/dora").await;
    assert_eq!((dora.status, &dora.body["counts"]["posts"]), (200, &json!(1)));
}

#[tokio::test]
async fn an_event_delivered_twice_is_applied_once() {
    let town = town().await;
    let body = json!({ "postId": "p", "authorId": town.alice.id, "visibility": "public" });
    let batch = json!({ "source": "posts", "after": 0, "events":
        [{ "seq": 1, "type": "post.published", "key": "p", "at": "2026-01-01T00:00:00.000Z", "body": body }] });
    for _ in 0..2 {
        let answer = town.world.post("social", "/internal/events", INTERNAL_TOKEN, batch.clone()).await;
        assert_eq!(answer.body, json!({ "seq": 1 }));
    }
    assert_eq!(town.get(&town.bob, "/u/alice").await.body["counts"]["posts"], 1);
}

#[tokio::test]
async fn deleting_a_person_erases_their_ties_and_reports_and_counts_them() {
    let town = town().await;
    let (alice, bob, carla) = (&town.alice, &town.bob, &town.carla);
    for (who, verb, whom) in [
        (carla, "/follow", alice),
        (alice, "/follow", carla),
        (bob, "/follow", carla),
        (carla, "/mute", bob),
        (alice, "/mute", carla),
        (alice, "/follow", bob),
    ] {
        town.tie(who, verb, whom).await;
    }
    let mut about_her = Value::Null;
    for (who, whom) in [(carla, alice), (carla, bob), (bob, carla)] {
        let report =
            json!({ "targetType": "user", "targetId": whom.id, "reason": "other", "details": "She said." });
        let made = town.post(who, "/report", report).await;
        assert_eq!(made.status, 201);
        about_her = made.body["id"].clone();
    }
    let before = town.outbox().await.len();
    delete_carla(&town).await;
    let mut told = town.outbox().await.split_off(before);
    let (kind, receipt) = told.remove(0);
    // Herself, three follows, two mutes, two reports made, and one about her with its case.
    assert_eq!((kind.as_str(), &receipt["rows"]), ("erasure.completed", &json!(10)));
    let resolved = json!({ "reportId": about_her, "reporterId": bob.id, "status": "content_removed" });
    assert_eq!(told, [("report.resolved".to_owned(), resolved)], "bob hears what became of his");
    assert_eq!((&receipt["userId"], &receipt["service"]), (&json!(carla.id), &json!("social")));
    assert_eq!(town.ties("social").await, ["alice follows bob"]);
    let alice_now = town.get(bob, "/u/alice").await;
    assert_eq!(alice_now.body["counts"], json!({ "posts": 0, "followers": 0, "following": 1 }));
    assert_eq!(town.number("social", "select count(*) from reports").await, 1);
    let told = town.get(bob, "/me/reports").await.body["items"][0].clone();
    assert_eq!((&told["status"], &told["details"]), (&json!("content_removed"), &Value::Null));
    assert!(told["resolvedAt"].is_string());
    // A late event cannot bring her back.
    town.change(carla, "user.updated", 2, json!({})).await;
    assert_eq!(town.get(bob, "/u/carla").await.status, 404);
    assert_eq!(town.get(carla, "/blocked").await.status, 401);
}

#[tokio::test]
async fn the_erasure_of_somebody_unknown_is_a_receipt_of_nothing() {
    let town = town().await;
    let dora = town.register_elsewhere("dora").await;
    let gone = json!({ "status": "deleted", "handle": null, "deletionId": town.world.id() });
    town.change(&dora, "user.deleted", 2, gone).await;
    let (kind, receipt) = town.outbox().await.pop().unwrap();
    assert_eq!((kind.as_str(), &receipt["rows"]), ("erasure.completed", &json!(0)));
    town.rows("social", "select 1 from people where status = 'deleted'", params![]).await;
}
