//! Every route of administrators by everybody who is none. The routes are those of the document, so that one added later
//! is among them.

use http::Method;
use serde_json::{Value, json};
use shared::app::Service;
use shared::jwks::ExtraClaims;
use shared::testing::World;

use crate::common::{problem, town};

/// `(method, path)` of every route of administrators of a service, with an id where one belongs.
fn routes(service: &Service, id: &str) -> Vec<(Method, String)> {
    let document = shared::openapi::document(service);
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if path.starts_with("/admin/") {
            for method in item.as_object().unwrap().keys() {
                routes.push((method.to_uppercase().parse().unwrap(), path.replace("{id}", id)));
            }
        }
    }
    routes
}

async fn call(
    world: &World,
    service: &str,
    route: &(Method, String),
    token: &str,
) -> shared::testing::Answer {
    let body = if route.0 == Method::GET { Value::Null } else { json!({}) };
    world.call(service, route.0.clone(), &route.1, token, &[], body).await
}

#[tokio::test]
async fn every_admin_route_is_for_administrators_alone() {
    let town = town().await;
    town.introduce().await;
    let bob = town.bob.id.to_string();
    let routes = routes(&social::SERVICE, &bob);
    assert_eq!(routes.len(), 7);
    town.change(&town.carla, "user.suspended", 2, json!({ "status": "suspended" })).await;
    let token = |who: &crate::common::Who, email: &str, verified: bool| {
        let (email, email_verified) = (Some(email.to_owned()), Some(json!(verified)));
        town.world.token_with(who.id, ExtraClaims { email, email_verified, ..ExtraClaims::default() })
    };
    let in_group = ExtraClaims { groups: Some(json!(["admin"])), ..ExtraClaims::default() };
    let nobodys: Vec<(&str, String, (u16, &str))> = vec![
        ("anonymous", String::new(), (401, "invalid_token")),
        ("a bad token", "a.b.c".to_owned(), (401, "invalid_token")),
        ("the worker", shared::testing::WORKER_TOKEN.to_owned(), (401, "invalid_token")),
        ("a user", town.alice.token.clone(), (403, "admin_required")),
        ("another verified address", token(&town.alice, "alice@example.org", true), (403, "admin_required")),
        (
            "an unverified address of an administrator",
            token(&town.alice, "erin@example.org", false),
            (403, "admin_required"),
        ),
        (
            "a group of the built-in issuer",
            town.world.token_with(town.alice.id, in_group),
            (403, "admin_required"),
        ),
        ("suspended", town.carla.token.clone(), (403, "account_suspended")),
        (
            "a suspended administrator",
            token(&town.carla, "erin@example.org", true),
            (403, "account_suspended"),
        ),
    ];
    for route in &routes {
        for (who, token, refusal) in &nobodys {
            let answer = call(&town.world, "social", route, token).await;
            assert_eq!(problem(&answer), *refusal, "{route:?} by {who}");
        }
        let answer = call(&town.world, "social", route, &town.erin.token).await;
        assert!(![401, 403].contains(&answer.status), "{route:?} by an administrator: {answer:?}");
    }
    let done = "select count(*) from audit where action <> 'unsuspend_user'";
    assert_eq!(town.number("social", done).await, 0);
}
