//! `/internal/...`: what other services ask.

use http::Method;
use serde_json::{Value, json};
use shared::testing::{INTERNAL_TOKEN, WORKER_TOKEN};

use crate::{ME, field, keys, newcomer, person, problem, register, suspend, told, world, world_with};

#[tokio::test]
async fn internal_routes_are_404_for_everybody_but_services() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    for (method, path) in [
        (Method::GET, format!("/internal/people/{id}")),
        (Method::GET, format!("/internal/people/{id}/me")),
        (Method::GET, "/internal/people?handle=alice".to_owned()),
        (Method::POST, "/internal/people".to_owned()),
        (Method::POST, "/internal/identities".to_owned()),
        (Method::GET, "/internal/handles/alice".to_owned()),
    ] {
        for token in ["", &alice, WORKER_TOKEN] {
            let answer = world.call("users", method.clone(), &path, token, &[], json!({})).await;
            assert_eq!(problem(&answer), (404, "not_found"), "{method} {path}");
        }
    }
    assert_eq!(world.get("users", "/me", &alice).await.status, 200);
}

#[tokio::test]
async fn who_registers_is_taken_in_once_and_answers_me_each_time() {
    let world = world().await;
    let mut body = newcomer(&world, "alice");
    body["handle"] = json!("Alice");
    body["displayName"] = json!(" Alice ");
    let first = register(&world, &body).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(keys(&first.body), ME);
    assert_eq!((&first.body["handle"], &first.body["displayName"]), (&json!("alice"), &json!("Alice")));
    let again = register(&world, &body).await;
    assert_eq!((again.status, again.body), (201, first.body));
    assert_eq!(told(&world).await.len(), 1);
}

#[tokio::test]
async fn the_handle_and_name_of_who_registers_are_checked() {
    let world = world().await;
    person(&world, "bob").await;
    let send = async |member: &str, value: Value| {
        let mut body = newcomer(&world, "alice");
        body[member] = value;
        register(&world, &body).await
    };
    let answer = send("handle", json!("a b")).await;
    assert_eq!((problem(&answer), field(&answer)), ((422, "handle_invalid"), "handle"));
    assert_eq!(problem(&send("handle", json!("Bob")).await), (409, "handle_taken"));
    assert_eq!(problem(&send("handle", json!("admin")).await), (409, "handle_taken"));
    assert_eq!(field(&send("displayName", json!("x".repeat(51))).await), "displayName");
    let without = send("handle", Value::Null).await;
    assert_eq!((without.status, &without.body["handle"]), (201, &Value::Null));
    assert_eq!(told(&world).await.len(), 2, "the refused left nothing behind");
}

#[tokio::test]
async fn nobody_registers_where_registration_is_closed() {
    let world = world_with(&[("registration", "closed")]).await;
    let answer = register(&world, &newcomer(&world, "alice")).await;
    assert_eq!(problem(&answer), (403, "registration_closed"));
}

#[tokio::test]
async fn a_person_is_told_to_services_wherever_they_stand() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    let path = format!("/internal/people/{id}");
    let get = async |path: &str| world.get("users", path, INTERNAL_TOKEN).await;
    let found = get(&path).await;
    let person: shared::people::Person = serde_json::from_value(found.body.clone()).unwrap();
    assert_eq!((person.id, person.status.as_str(), person.rev), (id, "active", 1));
    assert_eq!(get("/internal/people?handle=Alice").await.body, found.body);
    assert_eq!(get("/internal/people?handle=bob").await.status, 404);
    assert_eq!(get(&format!("/internal/people/{}", world.id())).await.status, 404);
    assert_eq!(get(&format!("{path}/me")).await.body, world.get("users", "/me", &alice).await.body);
    world.delete("users", "/me", &alice).await;
    let gone = get(&path).await;
    assert_eq!(
        (gone.status, &gone.body["status"], &gone.body["handle"]),
        (200, &json!("deleted"), &Value::Null)
    );
    assert_eq!(get(&format!("{path}/me")).await.status, 404);
}

#[tokio::test]
async fn a_suspension_is_told_once_and_ends() {
    let world = world().await;
    let (id, _) = person(&world, "alice").await;
    for begins in [true, true, false, false] {
        suspend(&world, id, begins).await;
    }
    let told = told(&world).await;
    let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["user.registered", "user.suspended", "user.unsuspended"]);
    suspend(&world, world.id(), true).await;
    assert_eq!(crate::told(&world).await.len(), 3, "of somebody unknown nothing is told");
}

#[tokio::test]
async fn an_outside_identity_is_one_person_whose_address_is_as_told_last() {
    let world = world_with(&[("auth_issuer", "https://issuer.example.org")]).await;
    let send = async |subject: &str, email: Value, verified: bool| {
        let body = json!({ "issuer": "https://issuer.example.org", "subject": subject, "email": email,
                           "emailVerified": verified });
        let answer = world.post("users", "/internal/identities", INTERNAL_TOKEN, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    };
    let id = send("s-1", json!("Alice@Example.org"), false).await;
    let me = async || world.get("users", &format!("/internal/people/{id}/me"), INTERNAL_TOKEN).await.body;
    assert_eq!(
        (&me().await["email"], &me().await["emailVerified"]),
        (&json!("alice@example.org"), &json!(false))
    );
    assert_eq!(send("s-1", json!("new@example.org"), true).await, id);
    assert_eq!(
        (&me().await["email"], &me().await["emailVerified"]),
        (&json!("new@example.org"), &json!(true))
    );
    assert_eq!(send("s-1", Value::Null, false).await, id);
    assert_eq!(me().await["email"], "new@example.org", "a token without an address says nothing of it");
    assert_ne!(send("s-2", Value::Null, false).await, id);
    assert_eq!(me().await["handle"], Value::Null);
    assert_eq!(told(&world).await.len(), 2);
}

#[tokio::test]
async fn first_calls_of_one_identity_at_once_make_one_person() {
    let world = world().await;
    let body = json!({ "issuer": "i", "subject": "s", "email": null, "emailVerified": false });
    let send = || world.post("users", "/internal/identities", INTERNAL_TOKEN, body.clone());
    let (one, other, third) = tokio::join!(send(), send(), send());
    assert_eq!((&one.body, &other.body), (&other.body, &third.body));
    assert_eq!(told(&world).await.len(), 1);
}

#[tokio::test]
async fn a_deleted_outside_identity_comes_back_as_nobody_for_a_day_and_then_as_a_new_person() {
    let world = world().await;
    let send = async || {
        let body = json!({ "issuer": "i", "subject": "s", "email": null, "emailVerified": false });
        let answer = world.post("users", "/internal/identities", INTERNAL_TOKEN, body).await;
        shared::ids::Id::parse(answer.body["id"].as_str().unwrap()).unwrap()
    };
    let id = send().await;
    let token = world.token(id);
    world.delete("users", "/me", &token).await;
    assert_eq!(send().await, id, "who is deleted, so their token stays 401");
    let back = "update deletions set at = '2020-01-01T00:00:00.000Z'";
    world.app("users").db.rows(back, vec![]).await.unwrap();
    world.post("users", "/internal/tick", INTERNAL_TOKEN, json!({})).await;
    assert_ne!(send().await, id);
}
