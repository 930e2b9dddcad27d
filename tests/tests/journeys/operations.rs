//! Health, readiness, the clock, and what must not be reachable.

use journeys::stack::{INTERNAL_TOKEN, WORKER_TOKEN, root};
use serde_json::json;

use crate::stack;

#[test]
fn health_and_readiness_name_every_service() {
    let nobody = stack().anonymous();
    nobody.get("/healthz").expect(200);
    let ready = nobody.get("/readyz").expect(200);
    for service in [
        "auth",
        "users",
        "posts",
        "social",
        "media",
        "scoops",
        "notifications",
        "analytics",
        "gamification",
        "realtime",
    ] {
        assert!(ready.body.to_string().contains(service), "{service}: {ready:?}");
    }
}

#[test]
fn the_clock_takes_the_worker_token_and_no_other() {
    let nobody = stack().anonymous();
    let alice = stack().person("alice");
    for token in ["", &alice.token, INTERNAL_TOKEN, "journey-worker-toke"] {
        let answer = nobody.with_token(token).post("/worker/tick", json!({}));
        assert_eq!(answer.status, 401, "{token}: {answer:?}");
    }
    nobody.with_token(WORKER_TOKEN).post("/worker/tick", json!({})).expect(200);
}

#[test]
fn a_workers_or_services_token_is_no_persons() {
    for token in [WORKER_TOKEN, INTERNAL_TOKEN] {
        stack().anonymous().with_token(token).get("/me").expect_problem(401, "invalid_token");
    }
}

#[test]
fn internal_routes_are_not_reachable_even_with_their_token() {
    let service = stack().anonymous().with_token(INTERNAL_TOKEN);
    for path in ["/internal/events", "/internal/tick", "/me/../internal/tick", "//internal/tick"] {
        let answer = service.post(path, json!({}));
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
    let manifest = std::fs::read_to_string(root().join("spin.toml")).unwrap();
    let routes = manifest.lines().filter(|line| line.trim_start().starts_with("route"));
    for route in routes {
        assert!(!route.contains("/internal"), "{route}");
    }
}
