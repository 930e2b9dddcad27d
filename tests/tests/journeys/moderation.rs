//! What administrators decide, felt everywhere at once.

use std::sync::OnceLock;

use journeys::client::PASSWORD;
use journeys::outside::MailHook;
use journeys::{Person, Stack, eventually};
use serde_json::{Value, json};

use crate::{ids, keys};

/// The address of the administrator.
const ROOT: &str = "root@example.org";

/// An application with an administrator, who is registered and whose address is verified.
pub struct Governed {
    pub stack: Stack,
    mails: MailHook,
    pub root: Person,
}

impl Governed {
    pub fn start() -> Self {
        let mails = MailHook::start();
        let stack = Stack::start(&[("mail_url", &mails.url), ("admin_emails", ROOT)]);
        let stack = stack.unwrap_or_else(|error| panic!("{error:#}"));
        let body = json!({ "email": ROOT, "password": PASSWORD, "handle": "root_of_all" });
        let session = stack.anonymous().post("/auth/register", body).expect(201).body;
        let root = Person::from_session(&stack.url, &session);
        root.get("/admin/reports").expect_problem(403, "admin_required");
        let mail = mails.wait_for("verify_email", ROOT);
        stack.anonymous().post("/auth/verify-email", json!({ "token": mail["token"] })).expect(204);
        eventually("the administrator is known", || root.get("/me").body["roles"] == json!(["admin"]));
        Self { stack, mails, root }
    }
}

/// The one most tests here share.
fn governed() -> &'static Governed {
    static GOVERNED: OnceLock<Governed> = OnceLock::new();
    GOVERNED.get_or_init(Governed::start)
}

fn person(name: &str) -> Person {
    governed().stack.person(name)
}

fn report(who: &Person, kind: &str, id: &str) -> String {
    let body = json!({ "targetType": kind, "targetId": id, "reason": "abuse", "details": "Rude." });
    who.post("/report", body).expect(201).body["id"].as_str().unwrap_or_default().to_owned()
}

fn resolve(report: &str, action: &str) -> journeys::Answer {
    let path = format!("/admin/reports/{report}/resolve");
    governed().root.post(&path, json!({ "action": action, "note": "Read the rules." }))
}

fn suspend(whom: &Person) {
    let path = format!("/admin/users/{}/suspend", whom.id);
    governed().root.post(&path, json!({ "reason": "Spam." })).expect(204);
}

/// The reports and appeals `who` was told about.
pub fn told(who: &Person) -> Vec<String> {
    let page = who.get("/notifications?limit=100").expect(200);
    let items = page.items().iter().filter(|item| item["type"] == "report_resolved");
    items.filter_map(|item| item["target"]["id"].as_str().map(ToOwned::to_owned)).collect()
}

#[test]
fn a_post_that_is_removed_is_gone_at_once_everywhere_and_both_sides_hear() {
    let (alice, bob) = (person("alice"), person("bob"));
    alice.follow(&bob).expect(200);
    let post = bob.publish("#rude words");
    let kept = bob.publish("kind words");
    alice.post(&format!("/comments/{post}"), json!({ "text": "hm" })).expect(201);
    let about = report(&alice, "post", &post);
    let again = report(&person("carla"), "post", &post);
    let open = governed().root.get("/admin/reports?limit=100").expect(200);
    let item = open.items().iter().find(|item| item["id"] == about.as_str()).expect("one item for both");
    assert_eq!((&item["reportCount"], &item["author"]["id"]), (&json!(2), &json!(bob.id)));
    assert!(!ids(&open).contains(&again.as_str()));

    let resolved = resolve(&about, "remove_content").expect(200).body;
    assert_eq!((&resolved["id"], &resolved["status"]), (&json!(about), &json!("content_removed")));
    for (who, path) in [
        (&alice, "/feed".to_owned()),
        (&bob, "/feed".to_owned()),
        (&alice, format!("/u/{}/posts", bob.handle)),
        (&bob, format!("/u/{}/posts", bob.handle)),
    ] {
        let seen = who.get(&path).expect(200);
        assert!(ids(&seen).contains(&kept.as_str()) && !ids(&seen).contains(&post.as_str()), "{path}");
    }
    assert!(!ids(&alice.get("/tags/rude").expect(200)).contains(&post.as_str()));
    for path in ["posts", "comments", "reactions"] {
        bob.get(&format!("/{path}/{post}")).expect_problem(404, "not_found");
    }
    assert_eq!(alice.get(&format!("/u/{}", bob.handle)).expect(200).body["counts"]["posts"], 1);
    resolve(&again, "dismiss").expect_problem(409, "already_resolved");
    let mine = alice.get("/me/reports").expect(200);
    assert_eq!(
        (&mine.items()[0]["status"], mine.items()[0]["resolvedAt"].is_string()),
        (&json!("content_removed"), true)
    );
    eventually("both sides are told", || told(&alice) == [about.clone()] && told(&bob) == [about.clone()]);

    let decided = bob.get("/me/decisions").expect(200);
    assert_eq!(
        (&decided.items()[0]["reason"], &decided.items()[0]["note"]),
        (&json!("abuse"), &json!("Read the rules."))
    );
    assert!(!decided.body.to_string().contains(&alice.id), "never who reported it");
    let body = json!({ "reportId": about, "text": "It was a joke." });
    let appeal = bob.post("/me/appeals", body.clone()).expect(201).body;
    bob.post("/me/appeals", body).expect_problem(409, "already_appealed");
    let path = format!("/admin/appeals/{}/resolve", appeal["id"].as_str().expect("an id"));
    let upheld = governed().root.post(&path, json!({ "action": "uphold", "note": null })).expect(200).body;
    assert_eq!(upheld["status"], "upheld");
    eventually("bob hears of his appeal", || told(&bob).len() == 2);
}

#[test]
fn comments_are_removed_by_a_report_and_people_are_not() {
    let (alice, bob) = (person("alice"), person("bob"));
    let post = alice.publish("hello");
    let comment = bob.post(&format!("/comments/{post}"), json!({ "text": "rude" })).expect(201).body;
    let about = report(&alice, "comment", comment["id"].as_str().expect("an id"));
    resolve(&about, "remove_content").expect(200);
    assert!(alice.get(&format!("/comments/{post}")).expect(200).items().is_empty());
    let about = report(&alice, "user", &bob.id);
    let refused = resolve(&about, "remove_content").expect(422);
    assert!(refused.body["errors"][0]["message"].to_string().contains("suspend_user"), "{refused:?}");
    resolve(&about, "dismiss").expect(200);
    alice.get(&format!("/u/{}", bob.handle)).expect(200);
    let decided = bob.get("/me/decisions").expect(200);
    assert_eq!((decided.items().len(), &decided.items()[0]["targetType"]), (1, &json!("comment")));
}

#[test]
fn who_is_suspended_is_gone_at_once_everywhere_and_back_by_an_appeal() {
    let (alice, carla) = (person("alice"), person("carla"));
    alice.follow(&carla).expect(200);
    let post = carla.publish("hello");
    let about = report(&alice, "user", &carla.id);
    resolve(&about, "suspend_user").expect(200);
    for path in
        ["/me", "/feed", "/blocked", "/notifications", "/scoops/feed", "/close-friends", "/auth/sessions"]
    {
        carla.get(path).expect_problem(403, "account_suspended");
    }
    let nobody = governed().stack.anonymous();
    let login = json!({ "email": carla.email, "password": PASSWORD });
    let refused = nobody.post("/auth/login", login.clone()).expect_problem(403, "account_suspended");
    // Their own token ends soon; this one they get as often as they sign in.
    let token = refused.header("appeal-token").to_owned();
    let appellant = carla.with_token(&token);
    appellant.get("/me").expect_problem(403, "account_suspended");
    assert!(
        (400..500)
            .contains(&nobody.post("/auth/refresh", json!({ "refreshToken": carla.refresh_token })).status)
    );
    alice.get(&format!("/u/{}", carla.handle)).expect_problem(404, "not_found");
    alice.get(&format!("/posts/{post}")).expect_problem(404, "not_found");
    assert!(!ids(&alice.get("/feed").expect(200)).contains(&post.as_str()));
    assert!(
        !ids(&alice.get(&format!("/search?q={}", carla.handle)).expect(200)).contains(&carla.id.as_str())
    );

    let decision = appellant.get("/me/decisions").expect(200).items()[0].clone();
    assert_eq!((&decision["status"], &decision["reportId"]), (&json!("user_suspended"), &json!(about)));
    let appeal = appellant.post("/me/appeals", json!({ "reportId": about, "text": "Why?" })).expect(201).body;
    let root = &governed().root;
    let open = root.get("/admin/appeals?limit=100").expect(200);
    let item = open.items().iter().find(|item| item["id"] == appeal["id"]).expect("the appeal");
    assert_eq!((&item["author"]["id"], &item["report"]["id"]), (&json!(carla.id), &json!(about)));
    let path = format!("/admin/appeals/{}/resolve", appeal["id"].as_str().expect("an id"));
    root.post(&path, json!({ "action": "overturn", "note": "Sorry." })).expect(200);
    root.post(&path, json!({ "action": "uphold" })).expect_problem(409, "already_resolved");
    carla.get("/me").expect(200);
    nobody.post("/auth/login", login).expect(200);
    alice.get(&format!("/u/{}", carla.handle)).expect(200);
    assert!(ids(&alice.get("/feed").expect(200)).contains(&post.as_str()));
    let seen = carla.get("/me/decisions").expect(200).items()[0].clone();
    assert!(seen["liftedAt"].is_string() && seen["appeal"]["status"] == "overturned", "{seen}");
}

#[test]
fn an_administrator_suspends_without_a_report_and_all_of_it_is_in_the_audit() {
    let bob = person("bob");
    let root = &governed().root;
    suspend(&bob);
    suspend(&bob);
    bob.get("/me").expect_problem(403, "account_suspended");
    let decisions = bob.get("/me/decisions").expect(200);
    assert_eq!((decisions.items().len(), &decisions.items()[0]["note"]), (1, &json!("Spam.")));
    for _ in 0..2 {
        root.post(&format!("/admin/users/{}/unsuspend", bob.id), Value::Null).expect(204);
    }
    bob.get("/me").expect(200);
    let acts = root.get(&format!("/admin/audit?target={}", bob.id)).expect(200);
    let words: Vec<&str> = acts.items().iter().filter_map(|act| act["action"].as_str()).collect();
    assert_eq!(words, ["unsuspend_user", "unsuspend_user", "suspend_user", "suspend_user"]);
    assert_eq!(
        keys(&acts.items()[3]),
        ["action", "admin", "createdAt", "id", "note", "reportId", "targetId", "targetType"]
    );
    assert_eq!(acts.items()[3]["admin"]["id"], root.id.as_str());
    assert!(told(root).is_empty(), "an administrator is told nothing of their own");
    root.post(&format!("/admin/users/{}/suspend", root.id), json!({ "reason": "x" }))
        .expect_problem(409, "target_is_admin");
    let nobody = "/admin/users/0199b7a0-0000-7000-8000-000000000001/suspend";
    root.post(nobody, json!({ "reason": "x" })).expect_problem(404, "not_found");
}

#[test]
fn abuse_is_followed_down_the_tree_of_invites() {
    let (alice, root) = (person("alice"), &governed().root);
    let mut line = vec![alice.clone()];
    for name in ["first", "second"] {
        let by = line.last().expect("somebody");
        let code = by.post("/me/invite", Value::Null).expect(201).body["code"].clone();
        let (email, handle) = (format!("{name}@tree.example"), format!("tree_{name}"));
        let body = json!({ "email": email, "password": PASSWORD, "handle": handle, "inviteCode": code });
        let session = governed().stack.anonymous().post("/auth/register", body).expect(201).body;
        line.push(Person::from_session(&alice.url, &session));
    }
    suspend(&line[1]);
    let path = format!("/admin/users/{}/invites", alice.id);
    alice.get(&path).expect_problem(403, "admin_required");
    let tree = root.get(&path).expect(200);
    let rows: Vec<_> =
        tree.items().iter().map(|row| (&row["depth"], &row["user"]["id"], &row["status"])).collect();
    let (one, two) = (json!(line[1].id), json!(line[2].id));
    assert_eq!(rows, [(&json!(1), &one, &json!("suspended")), (&json!(2), &two, &json!("active"))]);
    root.post(&format!("/admin/users/{}/unsuspend", line[1].id), Value::Null).expect(204);
}

#[test]
fn every_admin_route_of_the_document_is_for_administrators_alone() {
    let Governed { stack, mails, root } = governed();
    let document = stack.anonymous().get("/openapi.json").expect(200).body;
    let (alice, carla) = (person("alice"), person("carla"));
    suspend(&carla);
    // An address like any other, and not verified.
    eventually("the first mail is there", || mails.count(&alice.email) == 1);
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        if path.starts_with("/admin/") || path == "/analytics/overview" {
            routes.extend(
                item.as_object().expect("methods").keys().map(|method| (method.to_uppercase(), path.clone())),
            );
        }
    }
    assert!(routes.len() >= 8, "{routes:?}");
    for (method, path) in routes {
        let path = path.replace("{id}", &alice.id);
        let body = if method == "GET" { Value::Null } else { json!({}) };
        let call = |who: &Person| who.send(&method, &path, &[], body.clone());
        call(&stack.anonymous()).expect_problem(401, "invalid_token");
        call(&alice.with_token("nonsense")).expect_problem(401, "invalid_token");
        call(&alice).expect_problem(403, "admin_required");
        call(&carla).expect_problem(403, "account_suspended");
        let answer = call(root);
        assert!(![401, 403].contains(&answer.status) && answer.status < 500, "{method} {path}: {answer:?}");
    }
    root.post(&format!("/admin/users/{}/unsuspend", carla.id), Value::Null).expect(204);
}
