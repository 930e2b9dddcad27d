//! `/openapi.json` over the real services, and the router and `spin.toml` against it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::app::Service;
use shared::history::{HISTORIANS, HISTORY, HISTORY_HEARD, is_told_by};
use shared::testing::{INTERNAL_TOKEN, World};

static SERVICES: [&Service; 11] = [
    &web::SERVICE,
    &auth::SERVICE,
    &users::SERVICE,
    &posts::SERVICE,
    &social::SERVICE,
    &media::SERVICE,
    &scoops::SERVICE,
    &notifications::SERVICE,
    &analytics::SERVICE,
    &gamification::SERVICE,
    &realtime::SERVICE,
];

async fn world() -> World {
    World::start(&SERVICES, &[]).await
}

async fn document() -> Value {
    let answer = world().await.get("web", "/openapi.json", "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// `(path, method, operation)` of all.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .iter()
                .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
        .collect()
}

#[tokio::test]
async fn who_is_made_of_events_alone_can_be_rebuilt_and_who_tells_them_keeps_them() {
    let world = world().await;
    let has =
        |service: &Service, name: &str| service.migrations.iter().any(|migration| migration.name == name);
    for service in SERVICES.iter().filter(|service| service.name != "web") {
        let rebuilt = world.post(service.name, "/internal/rebuild", INTERNAL_TOKEN, json!({})).await.status;
        let expected = if HISTORIANS.contains(&service.name) { 204 } else { 404 };
        assert_eq!(rebuilt, expected, "{}", service.name);
        assert_eq!(has(service, HISTORY_HEARD.name), expected == 204, "{}", service.name);
        assert_eq!(has(service, HISTORY.name), is_told_by(service.name), "{}", service.name);
        if is_told_by(service.name) {
            let app = world.app(service.name);
            app.db.rows("delete from chores", vec![]).await.unwrap();
            world.post(service.name, "/internal/tick", INTERNAL_TOKEN, json!({})).await;
            let kept = app.db.read("select 1 from chores where name = 'history'", vec![]).await.unwrap();
            assert!(kept.is_some(), "{} does not tick what it tells", service.name);
        }
    }
}

#[tokio::test]
async fn routes_and_document_are_the_same() {
    world().await.check_routes("web").await;
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_names_nothing_that_is_not_public() {
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    for (path, _, _) in operations(&document) {
        assert!(!path.starts_with("/internal") && !path.starts_with("/worker"), "{path}");
    }
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own_a_summary_and_a_known_tag() {
    let document = document().await;
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut seen = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(seen.insert(id), "{method} {path} is called {id}, as another one");
        assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{method} {path}");
        assert!(tags.contains(&&operation["tags"][0]), "{method} {path}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let is_described = response.get("$ref").is_some() || response["description"] != "";
            assert!(is_described, "{method} {path} {status}");
        }
    }
}

#[tokio::test]
async fn no_operation_names_a_parameter_twice() {
    let document = document().await;
    for (path, method, operation) in operations(&document) {
        let mut seen = BTreeSet::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = format!("{} {} {}", parameter["in"], parameter["name"], parameter["$ref"]);
            assert!(seen.insert(name.clone()), "{method} {path}: {name}");
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    fn check(value: &Value, document: &Value) {
        match value {
            Value::Object(object) => {
                if let Some(path) = object.get("$ref").and_then(Value::as_str) {
                    assert!(document.pointer(path.strip_prefix('#').unwrap()).is_some(), "{path}");
                }
                object.values().for_each(|value| check(value, document));
            }
            Value::Array(items) => items.iter().for_each(|value| check(value, document)),
            _ => {}
        }
    }
    let document = document().await;
    check(&document, &document);
}

#[test]
fn what_two_services_call_by_one_name_is_the_same() {
    let mut seen: BTreeMap<String, (Value, &str)> = BTreeMap::new();
    for service in SERVICES {
        let part = shared::openapi::document(service);
        for (kind, components) in part["components"].as_object().unwrap() {
            for (name, component) in components.as_object().unwrap() {
                let (first, of) =
                    seen.entry(format!("{kind} {name}")).or_insert((component.clone(), service.name));
                assert_eq!(first, component, "{kind} {name} of {of} and of {}", service.name);
            }
        }
    }
}

#[tokio::test]
async fn the_document_has_an_etag_and_may_be_cached_by_anybody() {
    let world = world().await;
    let first = world.get("web", "/openapi.json", "").await;
    assert_eq!(first.headers["content-type"], "application/json");
    assert_eq!(first.headers["cache-control"], "public, max-age=60");
    let known = [("if-none-match", first.headers["etag"].to_str().unwrap())];
    let again = world.call("web", http::Method::GET, "/openapi.json", "", &known, Value::Null).await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn while_a_service_is_away_the_document_is_503_and_names_no_insides() {
    let world = world().await;
    world.stop("posts");
    let answer = world.get("web", "/openapi.json", "").await;
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("unavailable")));
    assert!(!answer.body.to_string().contains("spin.internal"), "{answer:?}");
    world.resume("posts");
    assert_eq!(world.get("web", "/openapi.json", "").await.status, 200);
}

/// Spin's own matcher over `spin.toml`, and the routes in it.
fn gateway() -> (routefinder::Router<String>, Vec<(String, String)>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spin.toml");
    let manifest: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let text = |trigger: &toml::Value, name: &str| trigger[name].as_str().unwrap().to_owned();
    let triggers = manifest["trigger"]["http"].as_array().unwrap();
    let routes: Vec<_> =
        triggers.iter().map(|trigger| (text(trigger, "route"), text(trigger, "component"))).collect();
    let mut router = routefinder::Router::new();
    for (route, component) in &routes {
        let spec = route.strip_suffix("/...").map_or(route.clone(), |prefix| format!("{prefix}/*"));
        router.add(spec, component.clone()).unwrap();
    }
    (router, routes)
}

#[tokio::test]
async fn every_documented_path_reaches_the_service_that_documents_it() {
    let (router, _) = gateway();
    let document = document().await;
    for (path, method, operation) in operations(&document) {
        let given = path.replace(['{', '}'], "");
        let found = router.best_match(&given).unwrap().handler().clone();
        assert_eq!(found, operation["tags"][0].as_str().unwrap(), "{method} {path}");
    }
}

#[tokio::test]
async fn every_public_route_is_documented() {
    let (_, routes) = gateway();
    let document = document().await;
    let paths: Vec<String> =
        operations(&document).iter().map(|(path, _, _)| path.replace('{', ":").replace('}', "")).collect();
    for (route, _) in routes.iter().filter(|(route, _)| !route.starts_with("/worker/")) {
        let below = route.strip_suffix("...");
        let is_there = |path: &String| below.map_or(path == route, |below| path.starts_with(below));
        assert!(paths.iter().any(is_there), "{route}");
    }
}
