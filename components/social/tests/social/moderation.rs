//! What administrators decide, and what is said to it.

use serde_json::{Value, json};
use shared::testing::Answer;

use crate::common::{Town, USER, keys, problem, town};

const REPORT: [&str; 14] = [
    "author",
    "createdAt",
    "details",
    "excerpt",
    "id",
    "note",
    "reason",
    "reportCount",
    "reporter",
    "reports",
    "resolvedAt",
    "status",
    "targetId",
    "targetType",
];

async fn list(town: &Town, path: &str) -> Vec<Value> {
    let answer = town.get(&town.erin, path).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap().clone()
}

async fn resolve(town: &Town, report: &str, body: Value) -> Answer {
    town.post(&town.erin, &format!("/admin/reports/{report}/resolve"), body).await
}

/// The types of what was told since, in order.
async fn told_since(town: &Town, before: usize) -> Vec<String> {
    town.outbox().await.split_off(before).into_iter().map(|(kind, _)| kind).collect()
}

#[tokio::test]
async fn reports_about_one_thing_are_one_item_with_everybody_who_made_one() {
    let town = town().await;
    let post = town.publish("post", &town.bob).await;
    let first = town.report(&town.alice, "post", post).await;
    let about_bob = town.report(&town.alice, "user", town.bob.id).await;
    let second = town.report(&town.carla, "post", post).await;
    let items = list(&town, "/admin/reports").await;
    let ids: Vec<&Value> = items.iter().map(|item| &item["id"]).collect();
    assert_eq!(ids, [&json!(about_bob), &json!(first)], "newest first, whatever came to them since");
    let item = &items[1];
    assert_eq!(keys(item), REPORT);
    assert_eq!((keys(&item["author"]), keys(&item["reporter"])), (USER.to_vec(), USER.to_vec()));
    assert_eq!((&item["author"]["handle"], &item["reporter"]["handle"]), (&json!("bob"), &json!("alice")));
    assert_eq!(
        (&item["reportCount"], &item["status"], &item["note"]),
        (&json!(2), &json!("open"), &Value::Null)
    );
    assert_eq!((&item["excerpt"], &items[0]["excerpt"]), (&json!("post of theirs"), &Value::Null));
    let who: Vec<_> = item["reports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["id"], &one["reporter"]["handle"]))
        .collect();
    assert_eq!(who, [(&json!(first), &json!("alice")), (&json!(second), &json!("carla"))]);
    assert_eq!(keys(&item["reports"][0]), ["createdAt", "details", "id", "reason", "reporter"]);
}

#[tokio::test]
async fn a_decision_is_that_of_every_open_report_of_the_thing_and_of_no_other() {
    let town = town().await;
    let post = town.publish("post", &town.bob).await;
    let first = town.report(&town.alice, "post", post).await;
    let second = town.report(&town.carla, "post", post).await;
    town.report(&town.alice, "user", town.bob.id).await;
    let answer = town.resolve(&second, "remove_content").await;
    assert_eq!(keys(&answer), REPORT);
    assert_eq!((&answer["id"], &answer["status"]), (&json!(second), &json!("content_removed")));
    assert_eq!((&answer["note"], answer["resolvedAt"].is_string()), (&json!("Read the rules."), true));
    for (who, report) in [(&town.alice, &first), (&town.carla, &second)] {
        let mine = town.get(who, "/me/reports").await;
        let mine =
            mine.body["items"].as_array().unwrap().iter().find(|one| one["id"] == *report).unwrap().clone();
        assert_eq!((&mine["status"], mine["resolvedAt"].is_string()), (&json!("content_removed"), true));
        assert!(mine.get("note").is_none());
    }
    assert_eq!(list(&town, "/admin/reports").await.len(), 1, "the one about bob is open");
    assert_eq!(list(&town, "/admin/reports?status=content_removed").await, [answer]);
    for report in [&first, &second] {
        let again = resolve(&town, report, json!({ "action": "dismiss", "note": null })).await;
        assert_eq!(problem(&again), (409, "already_resolved"));
    }
    let anew = town.report(&town.alice, "post", post).await;
    assert_ne!(anew, first);
    assert_eq!(list(&town, "/admin/reports").await[0]["reportCount"], 1, "another case");
}

#[tokio::test]
async fn each_action_tells_who_has_to_act_and_who_has_to_know() {
    for (action, status, told) in [
        ("dismiss", "dismissed", vec!["report.resolved", "report.resolved"]),
        ("remove_content", "content_removed", vec!["report.resolved", "report.resolved", "content.removed"]),
        ("suspend_user", "user_suspended", vec!["report.resolved", "report.resolved", "suspension.begun"]),
    ] {
        let town = town().await;
        let scoop = town.publish("scoop", &town.bob).await;
        let first = town.report(&town.alice, "scoop", scoop).await;
        let second = town.report(&town.carla, "scoop", scoop).await;
        let before = town.outbox().await.len();
        town.resolve(&first, action).await;
        assert_eq!(told_since(&town, before).await, told, "{action}");
        let outbox = town.outbox().await.split_off(before);
        for (at, (report, who)) in
            [(first.clone(), &town.alice), (second, &town.carla)].into_iter().enumerate()
        {
            let body = json!({ "reportId": report, "reporterId": who.id, "status": status });
            assert_eq!(outbox[at].1, body, "{action}");
        }
        match action {
            "remove_content" => assert_eq!(
                outbox[2].1,
                json!({ "reportId": first, "authorId": town.bob.id,
                "targetType": "scoop", "targetId": scoop })
            ),
            "suspend_user" => {
                assert_eq!(outbox[2].1, json!({ "reportId": first, "userId": town.bob.id }));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn what_is_decided_is_checked_before_anything_happens() {
    let town = town().await;
    let about_bob = town.report(&town.alice, "user", town.bob.id).await;
    for (body, field) in [
        (json!({ "action": "remove_content", "note": null }), "action"),
        (json!({ "action": "delete" }), "action"),
        (json!({}), "action"),
        (json!({ "action": "dismiss", "note": "x".repeat(1_001) }), "note"),
        (json!({ "action": "dismiss", "note": 7 }), "note"),
    ] {
        let refused = resolve(&town, &about_bob, body).await;
        assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!(field)));
    }
    let refused = resolve(&town, &about_bob, json!({ "action": "remove_content" })).await;
    assert!(refused.body["errors"][0]["message"].as_str().unwrap().contains("suspend_user"));
    for id in [town.world.id().to_string(), "x".to_owned()] {
        let missing = resolve(&town, &id, json!({ "action": "dismiss" })).await;
        assert_eq!(problem(&missing), (404, "not_found"));
    }
    assert_eq!(town.number("social", "select count(*) from audit").await, 0);
    for path in [
        "/admin/reports?status=closed",
        "/admin/appeals?status=dismissed",
        "/admin/audit?admin=7",
        "/admin/audit?target=x",
        "/admin/reports?cursor=x",
        "/admin/audit?cursor=x",
        "/me/decisions?cursor=x",
    ] {
        assert_eq!(town.get(&town.erin, path).await.status, 422, "{path}");
    }
    assert_eq!(
        resolve(&town, &about_bob, json!({ "action": "dismiss" })).await.status,
        200,
        "a note may be missing"
    );
}

#[tokio::test]
async fn a_suspension_of_an_administrators_own_is_a_report_of_theirs_that_is_decided() {
    let town = town().await;
    let about_bob = town.report(&town.alice, "user", town.bob.id).await;
    let before = town.outbox().await.len();
    assert_eq!(town.suspend(&town.bob).await.status, 204);
    assert_eq!(told_since(&town, before).await, ["report.created", "report.resolved", "suspension.begun"]);
    let told = town.outbox().await.split_off(before);
    assert_eq!(told[1].1["reportId"], json!(about_bob), "of erin's own nobody is told");
    let items = list(&town, "/admin/reports?status=user_suspended").await;
    assert_eq!(
        (items.len(), &items[0]["reporter"]["handle"], &items[0]["note"]),
        (1, &json!("erin"), &json!("Spam."))
    );
    assert_eq!(items[0]["reportCount"], 2, "what was reported of bob is decided with it");
    assert_eq!(told[2].1, json!({ "reportId": items[0]["id"], "userId": town.bob.id }));
    // Again changes nothing, and is in the audit all the same.
    let before = town.outbox().await.len();
    assert_eq!(town.suspend(&town.bob).await.status, 204);
    assert!(told_since(&town, before).await.is_empty());
    assert_eq!(list(&town, "/admin/reports?status=user_suspended").await, items);
    let acts = list(&town, "/admin/audit").await;
    assert_eq!((acts.len(), &acts[0]["reportId"], &acts[1]["reportId"]), (2, &Value::Null, &items[0]["id"]));
}

#[tokio::test]
async fn who_reported_a_person_before_suspending_them_decides_their_own_report() {
    let town = town().await;
    let own = town.report(&town.erin, "user", town.bob.id).await;
    let before = town.outbox().await.len();
    assert_eq!(town.suspend(&town.bob).await.status, 204);
    assert_eq!(told_since(&town, before).await, ["suspension.begun"]);
    let items = list(&town, "/admin/reports?status=user_suspended").await;
    assert_eq!((items.len(), &items[0]["id"], &items[0]["reportCount"]), (1, &json!(own), &json!(1)));
}

#[tokio::test]
async fn a_suspension_needs_somebody_and_a_reason_and_ends_as_often_as_one_likes() {
    let town = town().await;
    let suspend = async |id: &str, body: Value| {
        town.post(&town.erin, &format!("/admin/users/{id}/suspend"), body).await
    };
    let bob = town.bob.id.to_string();
    for body in [
        json!({}),
        json!({ "reason": null }),
        json!({ "reason": " " }),
        json!({ "reason": "x".repeat(1_001) }),
    ] {
        let refused = suspend(&bob, body).await;
        assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!("reason")));
    }
    let (unknown, spam) = (town.world.id().to_string(), json!({ "reason": "Spam." }));
    assert_eq!(problem(&suspend(&unknown, spam.clone()).await), (404, "not_found"));
    let unsuspend =
        async |id: &str| town.post(&town.erin, &format!("/admin/users/{id}/unsuspend"), Value::Null).await;
    assert_eq!(problem(&unsuspend(&unknown).await), (404, "not_found"));
    town.change(
        &town.carla,
        "user.deleted",
        3,
        json!({ "status": "deleted", "handle": null, "deletionId": town.world.id() }),
    )
    .await;
    let carla = town.carla.id.to_string();
    assert_eq!(problem(&suspend(&carla, spam.clone()).await), (404, "not_found"));
    assert_eq!(problem(&unsuspend(&carla).await), (404, "not_found"));
    assert_eq!(suspend(&bob, spam.clone()).await.status, 204);
    for _ in 0..2 {
        assert_eq!(unsuspend(&bob).await.status, 204);
    }
    let decisions = town.get(&town.bob, "/me/decisions").await;
    assert!(decisions.body["items"][0]["liftedAt"].is_string(), "{decisions:?}");
    assert_eq!(suspend(&bob, spam).await.status, 204);
    assert_eq!(
        town.get(&town.bob, "/me/decisions").await.body["items"].as_array().unwrap().len(),
        2,
        "another one"
    );
}

#[tokio::test]
async fn an_administrator_is_never_suspended() {
    let town = town().await;
    assert_eq!(problem(&town.suspend(&town.erin).await), (409, "target_is_admin"));
    let about_erin = town.report(&town.alice, "user", town.erin.id).await;
    let refused = resolve(&town, &about_erin, json!({ "action": "suspend_user" })).await;
    assert_eq!(problem(&refused), (409, "target_is_admin"));
    town.world.stop("users");
    assert_eq!(problem(&town.suspend(&town.bob).await), (503, "unavailable"), "nobody to ask");
    assert_eq!(town.number("social", "select count(*) from audit").await, 0);
}

#[tokio::test]
async fn every_act_is_in_the_audit_and_is_found_by_who_and_by_what() {
    let town = town().await;
    let post = town.publish("post", &town.bob).await;
    let report = town.report(&town.alice, "post", post).await;
    town.resolve(&report, "remove_content").await;
    let appeal = town.appeal(&town.bob, &report).await.body["id"].as_str().unwrap().to_owned();
    town.suspend(&town.carla).await;
    town.post(&town.erin, &format!("/admin/users/{}/unsuspend", town.carla.id), Value::Null).await;
    let path = format!("/admin/appeals/{appeal}/resolve");
    town.post(&town.erin, &path, json!({ "action": "overturn", "note": "Sorry." })).await;
    let acts = list(&town, "/admin/audit").await;
    assert_eq!(
        keys(&acts[0]),
        ["action", "admin", "createdAt", "id", "note", "reportId", "targetId", "targetType"]
    );
    let words: Vec<_> = acts.iter().map(|act| act["action"].as_str().unwrap()).collect();
    assert_eq!(words, ["overturn_appeal", "unsuspend_user", "suspend_user", "remove_content"]);
    assert!(acts.iter().all(|act| act["admin"]["handle"] == "erin"));
    let decided =
        json!({ "targetType": "post", "targetId": post, "reportId": report, "note": "Read the rules." });
    for (name, value) in decided.as_object().unwrap() {
        assert_eq!(acts[3][name], *value, "{name}");
    }
    assert_eq!(acts[0]["note"], "Sorry.");
    let found = async |query: String| list(&town, &format!("/admin/audit?{query}")).await.len();
    let (erin, carla) = (town.erin.id, town.carla.id);
    assert_eq!(found(format!("admin={erin}")).await, 4);
    assert_eq!(found(format!("admin={carla}")).await, 0);
    assert_eq!(found(format!("target={carla}")).await, 2);
    assert_eq!(found(format!("target={post}&admin={erin}")).await, 2);
    assert_eq!(found(format!("target={post}&admin={carla}")).await, 0);
    let first = town.get(&town.erin, "/admin/audit?limit=3").await;
    let cursor = first.body["nextCursor"].as_str().unwrap();
    assert_eq!(list(&town, &format!("/admin/audit?limit=3&cursor={cursor}")).await, acts[3..]);
}

#[tokio::test]
async fn pages_of_reports_go_on_while_some_are_decided_and_others_come() {
    let town = town().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        let post = town.publish("post", &town.bob).await;
        made.push((town.report(&town.alice, "post", post).await, post));
    }
    let first = town.get(&town.erin, "/admin/reports?limit=3").await.body;
    let mut seen: Vec<Value> = first["items"].as_array().unwrap().clone();
    town.resolve(&made[6].0, "dismiss").await;
    // One more report of what stands on a later page does not move it.
    town.report(&town.carla, "post", made[1].1).await;
    let mut cursor = first["nextCursor"].as_str().map(ToOwned::to_owned);
    while let Some(next) = cursor {
        let page = town.get(&town.erin, &format!("/admin/reports?limit=3&cursor={next}")).await.body;
        seen.extend(page["items"].as_array().unwrap().clone());
        cursor = page["nextCursor"].as_str().map(ToOwned::to_owned);
    }
    let seen: Vec<&str> = seen.iter().map(|item| item["id"].as_str().unwrap()).collect();
    let expected: Vec<&str> = made.iter().rev().map(|(report, _)| report.as_str()).collect();
    assert_eq!(seen, expected);
}
