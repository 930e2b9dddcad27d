//! How what alice publishes is received, and that all of it can be counted again.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect should stop")]

use journeys::audit::{audit, drain};
use journeys::outside::MailHook;
use journeys::stack::WORKER_TOKEN;
use journeys::{Person, Stack, eventually};
use serde_json::{Value, json};

use crate::{keys, stack};

fn totals(person: &Person) -> Value {
    person.get("/analytics/me").expect(200).body["totals"].clone()
}

#[test]
fn what_others_do_with_a_post_shows_in_the_numbers_of_its_author() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    let post = alice.publish("look at this");
    for other in [&bob, &carla] {
        other.post(&format!("/posts/{post}/view"), json!({})).expect(204);
        other.post(&format!("/posts/{post}/view"), json!({})).expect(204);
        other.post(&format!("/reactions/{post}"), json!({ "type": "fire" })).expect(200);
        other.post(&format!("/comments/{post}"), json!({ "text": "nice" })).expect(201);
        other.follow(&alice).expect(200);
    }
    carla.post(&format!("/reactions/{post}"), json!({ "type": "fire" })).expect(200);
    let expected = json!({ "views": 2, "reactions": 1, "comments": 2, "followers": 2, "posts": 1 });
    eventually("the numbers arrive", || totals(&alice) == expected);
    let mine = alice.get("/analytics/me?days=7").expect(200).body;
    assert_eq!(keys(&mine), ["days", "from", "to", "totals"]);
    assert_eq!(mine["days"].as_array().unwrap().len(), 7);
    assert_eq!(keys(&mine["days"][6]), ["comments", "date", "followers", "posts", "reactions", "views"]);
    alice.get("/analytics/me?days=91").expect_problem(422, "invalid");

    let path = format!("/analytics/posts/{post}");
    let numbers = alice.get(&path).expect(200).body;
    assert_eq!(keys(&numbers), ["comments", "days", "reactions", "uniqueViewers", "views"]);
    assert_eq!((&numbers["views"], &numbers["uniqueViewers"]), (&json!(2), &json!(2)));
    bob.get(&path).expect_problem(403, "not_author");
    alice.post("/block", json!({ "userId": bob.id })).expect(200);
    bob.get(&path).expect_problem(404, "not_found");
    bob.get("/analytics/overview").expect_problem(403, "admin_required");

    alice.delete(&format!("/posts/{post}")).expect(204);
    let left = json!({ "views": 0, "reactions": 0, "comments": 0, "followers": 1, "posts": 0 });
    eventually("a post takes its numbers along, a block a follow", || totals(&alice) == left);
}

/// An application of its own whose administrator is `root`.
fn governed() -> (Stack, Person) {
    let mails = MailHook::start();
    let root = "root@example.org";
    let stack = Stack::start(&[("mail_url", &mails.url), ("admin_emails", root)]);
    let stack = stack.unwrap_or_else(|error| panic!("{error:#}"));
    let nobody = stack.anonymous();
    let body = json!({ "email": root, "password": journeys::client::PASSWORD });
    let session = nobody.post("/auth/register", body).expect(201).body;
    let mail = mails.wait_for("verify_email", root);
    nobody.post("/auth/verify-email", json!({ "token": mail["token"] })).expect(204);
    let root = Person::from_session(&stack.url, &session);
    (stack, root)
}

#[test]
fn the_numbers_are_the_same_when_everything_is_told_again() {
    let (stack, root) = governed();
    let (alice, bob, carla) = (stack.person("alice"), stack.person("bob"), stack.person("carla"));
    for author in [&alice, &bob] {
        for text in ["one", "two"] {
            let post = author.publish(text);
            for reader in [&alice, &bob, &carla] {
                reader.post(&format!("/posts/{post}/view"), json!({})).expect(204);
                reader.post(&format!("/reactions/{post}"), json!({ "type": "like" })).expect(200);
                reader.post(&format!("/comments/{post}"), json!({ "text": "so" })).expect(201);
            }
        }
        carla.follow(author).expect(200);
    }
    bob.delete("/me").expect(202);
    drain(&stack).unwrap();
    let read = || [alice.get("/analytics/me"), carla.get("/analytics/me"), root.get("/analytics/overview")];
    let before = read().map(|answer| answer.expect(200).body);
    let expected = json!({ "views": 4, "reactions": 4, "comments": 4, "followers": 1, "posts": 2 });
    assert_eq!(before[0]["totals"], expected);
    let (users, posts, dau) = (&before[2]["users"], &before[2]["posts"], &before[2]["dau"]);
    assert_eq!((users, posts, dau), (&json!(3), &json!(2), &json!(3)));
    for token in ["", &alice.token, &root.token] {
        let rebuild =
            stack.anonymous().with_token(token).post("/worker/rebuild", json!({ "service": "analytics" }));
        assert_eq!(rebuild.status, 401, "{rebuild:?}");
    }
    let worker = stack.anonymous().with_token(WORKER_TOKEN);
    worker.post("/worker/rebuild", json!({ "service": "users" })).expect_problem(422, "not_rebuildable");
    worker.post("/worker/rebuild", json!({ "service": "analytics" })).expect(202);
    drain(&stack).unwrap();
    assert_eq!(read().map(|answer| answer.expect(200).body), before);
    let faults = audit(&stack);
    assert!(faults.is_empty(), "{faults:#?}");
}
