//! What was decided against somebody, and what they say to it.

use http::Method;
use serde_json::{Value, json};
use shared::params;

use crate::common::{Town, Who, keys, problem, town};

const APPEAL: [&str; 7] = ["createdAt", "id", "note", "reportId", "resolvedAt", "status", "text"];

/// A post of bob's, reported by alice and removed; the report.
async fn removed(town: &Town) -> String {
    let post = town.publish("post", &town.bob).await;
    let report = town.report(&town.alice, "post", post).await;
    town.resolve(&report, "remove_content").await;
    report
}

async fn decisions(town: &Town, who: &Who) -> Vec<Value> {
    let answer = town.get(who, "/me/decisions").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap().clone()
}

async fn decide(town: &Town, appeal: &Value, action: &str) -> shared::testing::Answer {
    let path = format!("/admin/appeals/{}/resolve", appeal["id"].as_str().unwrap());
    town.post(&town.erin, &path, json!({ "action": action, "note": "Looked again." })).await
}

/// How often bob was told to be let back.
async fn lifted(town: &Town) -> usize {
    town.outbox().await.iter().filter(|(kind, _)| kind == "suspension.lifted").count()
}

#[tokio::test]
async fn the_author_learns_what_was_decided_and_why_and_nothing_of_who_reported_it() {
    let town = town().await;
    let report = removed(&town).await;
    let all = decisions(&town, &town.bob).await;
    assert_eq!(
        keys(&all[0]),
        ["appeal", "decidedAt", "liftedAt", "note", "reason", "reportId", "status", "targetId", "targetType"]
    );
    let expected = json!({ "reportId": report, "status": "content_removed", "targetType": "post", "reason": "abuse",
        "note": "Read the rules.", "liftedAt": null, "appeal": null });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(all[0][name], *value, "{name}");
    }
    let told = all[0].to_string();
    for secret in
        ["alice".to_owned(), town.alice.id.to_string(), "Rude.".to_owned(), town.erin.id.to_string()]
    {
        assert!(!told.contains(&secret), "{secret} in {told}");
    }
    for other in [&town.alice, &town.carla, &town.erin] {
        assert!(decisions(&town, other).await.is_empty(), "{}", other.handle);
    }
}

#[tokio::test]
async fn what_was_dismissed_or_is_open_is_nothing_against_anybody() {
    let town = town().await;
    let (one, other) = (town.publish("post", &town.bob).await, town.publish("post", &town.bob).await);
    let (open, dismissed) =
        (town.report(&town.alice, "post", one).await, town.report(&town.alice, "post", other).await);
    town.resolve(&dismissed, "dismiss").await;
    assert!(decisions(&town, &town.bob).await.is_empty());
    for report in [open, dismissed, town.world.id().to_string()] {
        assert_eq!(problem(&town.appeal(&town.bob, &report).await), (404, "not_found"));
    }
}

#[tokio::test]
async fn whose_it_is_appeals_once_and_nobody_else_does() {
    let town = town().await;
    let report = removed(&town).await;
    for other in [&town.alice, &town.carla, &town.erin] {
        assert_eq!(problem(&town.appeal(other, &report).await), (404, "not_found"), "{}", other.handle);
    }
    let made = town.appeal(&town.bob, &report).await;
    assert_eq!((made.status, keys(&made.body)), (201, APPEAL.to_vec()));
    assert_eq!(
        (&made.body["reportId"], &made.body["text"], &made.body["status"]),
        (&json!(report), &json!("It was a joke."), &json!("open"))
    );
    assert_eq!((&made.body["note"], &made.body["resolvedAt"]), (&Value::Null, &Value::Null));
    assert_eq!(problem(&town.appeal(&town.bob, &report).await), (409, "already_appealed"));
    assert_eq!(decisions(&town, &town.bob).await[0]["appeal"], made.body);
    for (body, field) in [
        (json!({ "reportId": report, "text": " " }), "text"),
        (json!({ "reportId": report, "text": "x".repeat(2_001) }), "text"),
        (json!({ "reportId": "7", "text": "x" }), "reportId"),
        (json!({ "text": "x" }), "reportId"),
    ] {
        let refused = town.post(&town.bob, "/me/appeals", body).await;
        assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!(field)));
    }
}

#[tokio::test]
async fn each_report_that_was_decided_at_once_names_the_decision() {
    let town = town().await;
    let post = town.publish("post", &town.bob).await;
    let first = town.report(&town.alice, "post", post).await;
    let second = town.report(&town.carla, "post", post).await;
    town.resolve(&first, "remove_content").await;
    let made = town.appeal(&town.bob, &second).await;
    assert_eq!((made.status, &made.body["reportId"]), (201, &json!(first)), "it is known by one");
    assert_eq!(problem(&town.appeal(&town.bob, &first).await), (409, "already_appealed"));
}

#[tokio::test]
async fn the_suspended_may_read_why_and_appeal_and_do_nothing_else() {
    let town = town().await;
    town.suspend(&town.bob).await;
    town.change(&town.bob, "user.suspended", 2, json!({ "status": "suspended" })).await;
    let refused = town.get(&town.bob, "/me/reports").await;
    assert_eq!(problem(&refused), (403, "account_suspended"));
    assert!(refused.body["detail"].as_str().unwrap().contains("/me/appeals"));
    let all = decisions(&town, &town.bob).await;
    assert_eq!(
        (&all[0]["status"], &all[0]["reason"], &all[0]["note"]),
        (&json!("user_suspended"), &json!("other"), &json!("Spam."))
    );
    assert_eq!((&all[0]["targetType"], &all[0]["targetId"]), (&json!("user"), &json!(town.bob.id)));
    let made = town.appeal(&town.bob, all[0]["reportId"].as_str().unwrap()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let gone = json!({ "status": "deleted", "handle": null, "deletionId": town.world.id() });
    town.change(&town.bob, "user.deleted", 3, gone).await;
    assert_eq!(problem(&town.get(&town.bob, "/me/decisions").await), (401, "invalid_token"));
    assert_eq!(problem(&town.appeal(&town.bob, "x").await), (401, "invalid_token"));
    assert_eq!(town.world.get("social", "/me/decisions", "").await.status, 401);
}

#[tokio::test]
async fn an_appeal_is_decided_once_and_both_sides_see_how() {
    for (action, status) in [("uphold", "upheld"), ("overturn", "overturned")] {
        let town = town().await;
        let report = removed(&town).await;
        let appeal = town.appeal(&town.bob, &report).await.body;
        let open = town.get(&town.erin, "/admin/appeals").await.body["items"].clone();
        let item = &open.as_array().unwrap()[0];
        assert_eq!(
            keys(item),
            [&["author"], &APPEAL[..4], &["report"], &APPEAL[4..]]
                .concat()
                .iter()
                .copied()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
        assert_eq!((&item["author"]["handle"], &item["report"]["id"]), (&json!("bob"), &json!(report)));
        assert_eq!(item["report"]["reporter"]["handle"], "alice");
        let decided = decide(&town, &appeal, action).await;
        assert_eq!((decided.status, &decided.body["status"]), (200, &json!(status)), "{decided:?}");
        assert_eq!(decided.body["note"], "Looked again.");
        assert_eq!(problem(&decide(&town, &appeal, action).await), (409, "already_resolved"));
        let told = town.outbox().await.pop().unwrap();
        let body = json!({ "appealId": appeal["id"], "authorId": town.bob.id, "status": status });
        assert_eq!(told, ("appeal.resolved".to_owned(), body), "{action}");
        assert_eq!(lifted(&town).await, 0, "nobody was suspended");
        let seen = decisions(&town, &town.bob).await[0].clone();
        assert_eq!(
            (&seen["appeal"]["status"], &seen["appeal"]["note"]),
            (&json!(status), &json!("Looked again."))
        );
        assert_eq!(
            (&seen["status"], &seen["liftedAt"]),
            (&json!("content_removed"), &Value::Null),
            "it stays gone"
        );
        assert_eq!(problem(&town.appeal(&town.bob, &report).await), (409, "already_appealed"));
        assert!(town.get(&town.erin, "/admin/appeals").await.body["items"].as_array().unwrap().is_empty());
        let listed = town.get(&town.erin, &format!("/admin/appeals?status={status}")).await;
        assert_eq!(listed.body["items"], json!([decided.body]));
    }
    let town = town().await;
    let unknown = json!({ "id": town.world.id() });
    assert_eq!(problem(&decide(&town, &unknown, "uphold").await), (404, "not_found"));
    assert_eq!(decide(&town, &unknown, "maybe").await.status, 422);
}

#[tokio::test]
async fn a_suspension_that_is_overturned_ends_unless_there_is_another() {
    let town = town().await;
    let mut appeals = Vec::new();
    for _ in 0..2 {
        let post = town.publish("post", &town.bob).await;
        let report = town.report(&town.alice, "post", post).await;
        town.resolve(&report, "suspend_user").await;
        appeals.push(town.appeal(&town.bob, &report).await.body);
    }
    assert_eq!(decide(&town, &appeals[0], "overturn").await.status, 200);
    assert_eq!(lifted(&town).await, 0, "the other one holds");
    let all = decisions(&town, &town.bob).await;
    assert_eq!((all[0]["liftedAt"].is_null(), all[1]["liftedAt"].is_string()), (true, true));
    assert_eq!(decide(&town, &appeals[1], "overturn").await.status, 200);
    assert_eq!(lifted(&town).await, 1);
    let told = town.outbox().await.pop().unwrap();
    assert_eq!(told, ("suspension.lifted".to_owned(), json!({ "userId": town.bob.id })));
}

#[tokio::test]
async fn an_appeal_that_is_upheld_lets_nobody_back() {
    let town = town().await;
    town.suspend(&town.bob).await;
    let report = decisions(&town, &town.bob).await[0]["reportId"].as_str().unwrap().to_owned();
    let appeal = town.appeal(&town.bob, &report).await.body;
    assert_eq!(decide(&town, &appeal, "uphold").await.status, 200);
    assert_eq!((lifted(&town).await, &decisions(&town, &town.bob).await[0]["liftedAt"]), (0, &Value::Null));
}

#[tokio::test]
async fn what_is_overturned_after_it_ended_tells_nobody_to_let_them_back() {
    let town = town().await;
    town.suspend(&town.bob).await;
    let report = decisions(&town, &town.bob).await[0]["reportId"].as_str().unwrap().to_owned();
    let appeal = town.appeal(&town.bob, &report).await.body;
    town.post(&town.erin, &format!("/admin/users/{}/unsuspend", town.bob.id), Value::Null).await;
    let ended = decisions(&town, &town.bob).await[0]["liftedAt"].clone();
    assert_eq!(lifted(&town).await, 1);
    decide(&town, &appeal, "overturn").await;
    assert_eq!((lifted(&town).await, &decisions(&town, &town.bob).await[0]["liftedAt"]), (1, &ended));
}

#[tokio::test]
async fn a_decision_and_its_appeal_outlive_who_reported_and_who_decided() {
    let town = town().await;
    let report = removed(&town).await;
    town.suspend(&town.bob).await;
    for who in [&town.alice, &town.erin] {
        let gone = json!({ "status": "deleted", "handle": null, "deletionId": town.world.id() });
        town.change(who, "user.deleted", 3, gone).await;
    }
    assert_eq!(town.number("social", "select count(*) from reports").await, 0);
    let all = decisions(&town, &town.bob).await;
    assert_eq!((all.len(), &all[1]["reportId"]), (2, &json!(report)));
    for decision in &all {
        let made = town.appeal(&town.bob, decision["reportId"].as_str().unwrap()).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    // Another administrator still sees them.
    let carla = Who { token: crate::common::admin_token(&town.world, town.carla.id), ..town.carla.clone() };
    let listed = town.get(&carla, "/admin/appeals").await.body["items"].clone();
    let nobody = |item: &Value| (item["report"]["reporter"].clone(), item["report"]["reportCount"].clone());
    assert_eq!(
        listed.as_array().unwrap().iter().map(nobody).collect::<Vec<_>>(),
        [(Value::Null, json!(0)), (Value::Null, json!(0))]
    );
    let acts = town.get(&carla, "/admin/audit").await.body["items"].clone();
    assert_eq!((&acts[0]["admin"]["id"], &acts[0]["admin"]["handle"]), (&json!(town.erin.id), &Value::Null));
    assert_eq!(acts[0]["note"], "Spam.", "what was written about bob is there as long as he is");
}

#[tokio::test]
async fn an_open_case_ends_with_the_last_who_reported_it() {
    let town = town().await;
    let post = town.publish("post", &town.bob).await;
    town.report(&town.alice, "post", post).await;
    let second = town.report(&town.carla, "post", post).await;
    let delete = async |who: &Who| {
        let gone = json!({ "status": "deleted", "handle": null, "deletionId": town.world.id() });
        town.change(who, "user.deleted", 3, gone).await;
    };
    delete(&town.alice).await;
    let left = town.get(&town.erin, "/admin/reports").await.body["items"][0].clone();
    assert_eq!(
        (&left["id"], &left["reportCount"], &left["reporter"]["handle"]),
        (&json!(second), &json!(1), &json!("carla"))
    );
    delete(&town.carla).await;
    assert_eq!(town.number("social", "select count(*) from cases").await, 0);
}

#[tokio::test]
async fn with_the_author_goes_all_that_was_said_of_them_and_by_them() {
    let town = town().await;
    let report = removed(&town).await;
    town.suspend(&town.bob).await;
    assert_eq!(town.appeal(&town.bob, &report).await.status, 201);
    town.report(&town.carla, "user", town.bob.id).await;
    let before = town.outbox().await.len();
    let gone = json!({ "status": "deleted", "handle": null, "deletionId": town.world.id() });
    town.change(&town.bob, "user.deleted", 3, gone).await;
    let told = town.outbox().await.split_off(before);
    // Himself, three reports in three cases, an appeal, two notes.
    assert_eq!((told[0].0.as_str(), &told[0].1["rows"]), ("erasure.completed", &json!(10)));
    for table in ["cases", "appeals"] {
        assert_eq!(town.number("social", &format!("select count(*) from {table}")).await, 0, "{table}");
    }
    let left = "select coalesce(group_concat(details), '') || coalesce(group_concat(excerpt), '') || coalesce((select group_concat(note) from audit), '') from reports";
    assert_eq!(town.rows("social", left, params![]).await[0][0].as_text(), Some(""));
    assert_eq!(town.number("social", "select count(*) from audit").await, 2, "that it was done stays");
    let again = town
        .post(&town.erin, &format!("/admin/reports/{report}/resolve"), json!({ "action": "dismiss" }))
        .await;
    assert_eq!(problem(&again), (409, "already_resolved"));
}

#[tokio::test]
async fn what_is_sent_again_under_its_key_is_replayed() {
    let town = town().await;
    let post = town.publish("post", &town.bob).await;
    let report = town.report(&town.alice, "post", post).await;
    let key = [("idempotency-key", "k")];
    let twice = async |who: &Who, path: &str, body: Value| {
        let send =
            async || town.world.call("social", Method::POST, path, &who.token, &key, body.clone()).await;
        let (first, again) = (send().await, send().await);
        assert!(first.status < 300, "{first:?}");
        assert_eq!((first.status, &first.body), (again.status, &again.body), "{path}");
        assert_eq!(again.headers["idempotency-replayed"], "true", "{path}");
        first.body
    };
    twice(&town.erin, &format!("/admin/reports/{report}/resolve"), json!({ "action": "suspend_user" })).await;
    let appeal = twice(&town.bob, "/me/appeals", json!({ "reportId": report, "text": "No." })).await;
    let path = format!("/admin/appeals/{}/resolve", appeal["id"].as_str().unwrap());
    twice(&town.erin, &path, json!({ "action": "overturn" })).await;
    twice(&town.erin, &format!("/admin/users/{}/suspend", town.bob.id), json!({ "reason": "x" })).await;
    assert_eq!(town.number("social", "select count(*) from audit").await, 3);
}

#[tokio::test]
async fn the_export_holds_decisions_appeals_and_what_one_did_as_an_administrator() {
    let town = town().await;
    let report = removed(&town).await;
    town.appeal(&town.bob, &report).await;
    let export = async |who: &Who| {
        town.world
            .get("social", &format!("/internal/export/{}", who.id), shared::testing::INTERNAL_TOKEN)
            .await
            .body
    };
    let bob = export(&town.bob).await;
    assert_eq!(bob["decisions"], json!(decisions(&town, &town.bob).await));
    assert_eq!(bob["decisions"][0]["appeal"]["text"], "It was a joke.");
    let erin = export(&town.erin).await;
    assert_eq!(
        (&erin["decisions"], &erin["adminActions"][0]["action"]),
        (&json!([]), &json!("remove_content"))
    );
}
