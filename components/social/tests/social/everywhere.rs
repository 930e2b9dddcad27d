//! What administrators decide, among the real neighbours: it is so in every service when the answer arrives. Nobody ticks
//! here, so what is seen was delivered before it.

use serde_json::{Value, json};
use shared::ids::Id;
use shared::testing::{Answer, INTERNAL_TOKEN, World};

use crate::common::{admin_token, problem};

struct City {
    world: World,
    alice: Person,
    bob: Person,
    erin: Person,
}

struct Person {
    id: Id,
    token: String,
}

async fn register(world: &World, handle: &str) -> Person {
    let id = world.id();
    let body = json!({ "id": id, "email": format!("{handle}@example.org"), "handle": handle, "displayName": null,
        "inviteCode": null });
    let answer = world.post("users", "/internal/people", INTERNAL_TOKEN, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    Person { id, token: world.token(id) }
}

/// alice follows bob; erin is an administrator.
async fn city() -> City {
    let services = [&users::SERVICE, &posts::SERVICE, &social::SERVICE, &notifications::SERVICE];
    let world = World::start(&services, &[("admin_emails", "erin@example.org")]).await;
    let (alice, bob) = (register(&world, "alice").await, register(&world, "bob").await);
    let erin = register(&world, "erin").await;
    let erin = Person { token: admin_token(&world, erin.id), ..erin };
    let city = City { world, alice, bob, erin };
    let follow = city.post("social", &city.alice, "/follow", json!({ "userId": city.bob.id })).await;
    assert_eq!(follow.status, 200, "{follow:?}");
    city
}

impl City {
    async fn get(&self, service: &str, who: &Person, path: &str) -> Answer {
        self.world.get(service, path, &who.token).await
    }

    async fn post(&self, service: &str, who: &Person, path: &str, body: Value) -> Answer {
        self.world.post(service, path, &who.token, body).await
    }

    async fn publish(&self, who: &Person) -> String {
        let made = self.post("posts", who, "/posts", json!({ "text": "#rude" })).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.body["id"].as_str().unwrap().to_owned()
    }

    async fn report(&self, who: &Person, kind: &str, id: &str) -> String {
        let body = json!({ "targetType": kind, "targetId": id, "reason": "abuse" });
        let made = self.post("social", who, "/report", body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.body["id"].as_str().unwrap().to_owned()
    }

    async fn resolve(&self, report: &str, action: &str) -> Answer {
        let path = format!("/admin/reports/{report}/resolve");
        self.post("social", &self.erin, &path, json!({ "action": action, "note": "No." })).await
    }

    /// How many items `who` gets there.
    async fn count(&self, service: &str, who: &Person, path: &str) -> usize {
        let answer = self.get(service, who, path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body["items"].as_array().unwrap().len()
    }

    async fn told(&self, who: &Person) -> Vec<String> {
        let answer = self.get("notifications", who, "/notifications").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let word = |one: &Value| {
            format!("{} {} {}", one["type"], one["target"]["type"], one["target"]["id"]).replace('"', "")
        };
        let items = answer.body["items"].as_array().unwrap();
        items.iter().map(word).filter(|word| word.starts_with("report")).collect()
    }
}

#[tokio::test]
async fn a_post_that_is_removed_is_gone_everywhere_and_both_sides_are_told() {
    let city = city().await;
    let post = city.publish(&city.bob).await;
    let report = city.report(&city.alice, "post", &post).await;
    assert_eq!(city.count("posts", &city.alice, "/feed").await, 1);
    assert_eq!(city.resolve(&report, "remove_content").await.status, 200);
    for path in ["/feed", "/tags/rude", "/u/bob/posts"] {
        assert_eq!(city.count("posts", &city.alice, path).await, 0, "{path}");
    }
    assert_eq!(city.get("posts", &city.bob, &format!("/posts/{post}")).await.status, 404);
    // Counts come by what posts tells then, and that was waited for as well.
    assert_eq!(city.get("social", &city.alice, "/u/bob").await.body["counts"]["posts"], 0);
    assert_eq!(city.get("users", &city.bob, "/me").await.body["counts"]["posts"], 0);
    for who in [&city.alice, &city.bob] {
        assert_eq!(city.told(who).await, [format!("report_resolved report {report}")]);
    }
    assert!(city.told(&city.erin).await.is_empty());
}

#[tokio::test]
async fn who_is_suspended_is_gone_everywhere_and_back_when_that_ends() {
    let city = city().await;
    let post = city.publish(&city.bob).await;
    let path = format!("/admin/users/{}", city.bob.id);
    let seen = async || {
        (
            city.get("social", &city.alice, "/u/bob").await.status,
            city.get("posts", &city.alice, &format!("/posts/{post}")).await.status,
            city.count("posts", &city.alice, "/feed").await,
            city.count("users", &city.alice, "/search?q=bob").await,
        )
    };
    let admitted = async || {
        let mut all = Vec::new();
        for (service, path) in [
            ("users", "/me"),
            ("posts", "/feed"),
            ("social", "/blocked"),
            ("notifications", "/notifications"),
        ] {
            all.push(city.get(service, &city.bob, path).await.status);
        }
        all
    };
    for _ in 0..2 {
        assert_eq!((seen().await, admitted().await), ((200, 200, 1, 1), vec![200; 4]));
        let answer =
            city.post("social", &city.erin, &format!("{path}/suspend"), json!({ "reason": "Spam." })).await;
        assert_eq!(answer.status, 204, "{answer:?}");
        assert_eq!((seen().await, admitted().await), ((404, 404, 0, 0), vec![403; 4]));
        let answer = city.post("social", &city.erin, &format!("{path}/unsuspend"), Value::Null).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
    assert_eq!((seen().await, admitted().await), ((200, 200, 1, 1), vec![200; 4]));
    assert_eq!(city.told(&city.bob).await.len(), 2, "told what happened when back");
    assert!(city.told(&city.erin).await.is_empty());
}

#[tokio::test]
async fn an_appeal_of_the_suspended_that_is_overturned_brings_them_back() {
    let city = city().await;
    let report = city.report(&city.alice, "user", &city.bob.id.to_string()).await;
    assert_eq!(city.resolve(&report, "suspend_user").await.status, 200);
    assert_eq!(problem(&city.get("posts", &city.bob, "/feed").await), (403, "account_suspended"));
    let appeal =
        city.post("social", &city.bob, "/me/appeals", json!({ "reportId": report, "text": "Why?" })).await;
    assert_eq!(appeal.status, 201, "{appeal:?}");
    let appeal = appeal.body["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/appeals/{appeal}/resolve");
    let decided =
        city.post("social", &city.erin, &path, json!({ "action": "overturn", "note": "Sorry." })).await;
    assert_eq!(decided.status, 200, "{decided:?}");
    assert_eq!(city.get("posts", &city.bob, "/feed").await.status, 200);
    assert_eq!(city.get("social", &city.alice, "/u/bob").await.status, 200);
    assert_eq!(
        city.told(&city.bob).await,
        [format!("report_resolved appeal {appeal}"), format!("report_resolved report {report}")]
    );
}

#[tokio::test]
async fn who_has_the_verified_address_of_an_administrator_is_never_suspended() {
    let city = city().await;
    let dave = register(&city.world, "dave").await;
    let dave = Person { token: admin_token(&city.world, dave.id), ..dave };
    let suspend = async |by: &Person| {
        let path = format!("/admin/users/{}/suspend", city.erin.id);
        city.post("social", by, &path, json!({ "reason": "x" })).await
    };
    // The token of dave says that he is one; of erin only `users` can say it.
    let verified = json!({ "userId": city.erin.id, "email": "erin@example.org" });
    city.world.hear("users", "auth", &[("email.verified", "k", verified)]).await;
    assert_eq!(problem(&suspend(&dave).await), (409, "target_is_admin"));
    let report = city.report(&city.alice, "user", &city.erin.id.to_string()).await;
    assert_eq!(problem(&city.resolve(&report, "suspend_user").await), (409, "target_is_admin"));
    assert_eq!(city.resolve(&report, "dismiss").await.status, 200);
}

#[tokio::test]
async fn what_is_decided_while_a_service_is_away_holds_once_it_is_back() {
    let city = city().await;
    let post = city.publish(&city.bob).await;
    let report = city.report(&city.alice, "post", &post).await;
    city.world.stop("posts");
    assert_eq!(city.resolve(&report, "remove_content").await.status, 200);
    assert_eq!(city.get("posts", &city.alice, &format!("/posts/{post}")).await.status, 200, "not told yet");
    city.world.resume("posts");
    let tick = city.world.post("social", "/internal/tick", INTERNAL_TOKEN, json!({})).await;
    assert_eq!(tick.status, 200, "{tick:?}");
    assert_eq!(city.get("posts", &city.alice, &format!("/posts/{post}")).await.status, 404);
}
