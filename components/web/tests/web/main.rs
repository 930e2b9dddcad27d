//! The front door over services that are there, ailing or gone.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect should stop")]

mod docs;
mod openapi;

use axum::routing::post;
use http::Method;
use serde_json::{Value, json};
use shared::app::{Relay, Service};
use shared::routes::Routes;
use shared::testing::{INTERNAL_TOKEN, WORKER_TOKEN, World};

/// A service with nothing but what every service has.
const fn bare(name: &'static str) -> Service {
    Service {
        name,
        migrations: &[shared::events::CORE, shared::history::HISTORY],
        routes: shared::routes::Routes::new,
        relay: Relay::AfterAnswer,
        tick: None,
        keys: None,
        identify: None,
        rebuild: None,
    }
}

static AUTH: Service = bare("auth");
static USERS: Service = bare("users");
static POSTS: Service = bare("posts");
static SOCIAL: Service = bare("social");
static MEDIA: Service = bare("media");
/// At its tick for as long as anybody may wait.
static SLOW_MEDIA: Service = Service { tick: Some(|_| Box::pin(std::future::pending())), ..bare("media") };
static SCOOPS: Service = bare("scoops");
static NOTIFICATIONS: Service = bare("notifications");
static ANALYTICS: Service = Service {
    routes: || Routes::new().internal("/internal/rebuild", post(shared::history::rebuild)),
    rebuild: Some("delete from inbox_cursors where ?1 <> ''"),
    ..bare("analytics")
};
static GAMIFICATION: Service = bare("gamification");
static REALTIME: Service = bare("realtime");

async fn world() -> World {
    world_with(&MEDIA).await
}

async fn world_with(media: &'static Service) -> World {
    let services = [
        &web::SERVICE,
        &AUTH,
        &USERS,
        &POSTS,
        &SOCIAL,
        media,
        &SCOOPS,
        &NOTIFICATIONS,
        &ANALYTICS,
        &GAMIFICATION,
        &REALTIME,
    ];
    World::start(&services, &[]).await
}

#[tokio::test]
async fn healthz_answers_even_when_no_service_does() {
    let world = World::start(&[&web::SERVICE], &[]).await;
    let answer = world.get("web", "/healthz", "").await;
    assert_eq!((answer.status, answer.body), (200, json!({ "status": "ok" })));
}

#[tokio::test]
async fn readyz_names_every_service_and_its_database() {
    let answer = world().await.get("web", "/readyz", "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let well = json!({ "status": "ok", "database": "ok" });
    let services = json!({
        "auth": well, "users": well, "posts": well, "social": well, "media": well, "scoops": well,
        "notifications": well, "analytics": well, "gamification": well, "realtime": well
    });
    assert_eq!(answer.body, json!({ "status": "ok", "services": services }));
}

#[tokio::test]
async fn readyz_is_503_and_says_which_service_fails() {
    let world = world().await;
    world.stop("posts");
    let answer = world.get("web", "/readyz", "").await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["code"], "not_ready");
    assert_eq!(answer.body["detail"], "Not ready: posts.");
    assert_eq!(answer.body["requestId"], answer.headers["x-request-id"].to_str().unwrap());
    assert_eq!(answer.body["services"]["posts"]["status"], "failing");
    assert_eq!(answer.body["services"]["users"]["status"], "ok");
    world.resume("posts");
    assert_eq!(world.get("web", "/readyz", "").await.status, 200);
}

#[tokio::test]
async fn a_tick_needs_the_worker_token() {
    let world = world().await;
    let user = world.token(world.id());
    for token in ["", &user, INTERNAL_TOKEN, "worker-test-toke"] {
        let answer = world.post("web", "/worker/tick", token, Value::Null).await;
        assert_eq!((answer.status, &answer.body["code"]), (401, &json!("invalid_token")), "{token}");
    }
}

#[tokio::test]
async fn a_tick_reaches_every_service_and_tells_which_one_failed() {
    let world = world().await;
    world.stop("social");
    let answer = world.post("web", "/worker/tick", WORKER_TOKEN, Value::Null).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for service in ["auth", "users", "posts"] {
        let told = &answer.body["services"][service];
        assert_eq!((&told["ok"], &told["waiting"]), (&json!(true), &json!(0)), "{service}: {told}");
        assert!(told["delivered"].is_u64(), "{service}: {told}");
    }
    assert_eq!(answer.body["services"]["social"], json!({ "ok": false }));
}

#[tokio::test]
async fn a_service_that_is_slow_holds_up_the_clock_of_no_other() {
    let world = world_with(&SLOW_MEDIA).await;
    let begun = std::time::Instant::now();
    let answer = world.post("web", "/worker/tick", WORKER_TOKEN, Value::Null).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    assert_eq!(answer.body["services"]["media"], json!({ "ok": true, "working": true }));
    assert_eq!(answer.body["services"]["realtime"]["waiting"], 0);
}

#[tokio::test]
async fn a_rebuild_needs_the_worker_token_and_a_service_that_can_be_made_again() {
    let world = world().await;
    let user = world.token(world.id());
    let rebuild = async |token: &str, body: Value| world.post("web", "/worker/rebuild", token, body).await;
    for token in ["", &user, INTERNAL_TOKEN, "worker-test-toke"] {
        let answer = rebuild(token, json!({ "service": "analytics" })).await;
        assert_eq!((answer.status, &answer.body["code"]), (401, &json!("invalid_token")), "{token}");
    }
    for (body, code) in [
        (json!({ "service": "posts" }), "not_rebuildable"),
        (json!({ "service": "web" }), "invalid"),
        (json!({ "service": "../users" }), "invalid"),
        (json!({}), "invalid"),
    ] {
        let answer = rebuild(WORKER_TOKEN, body.clone()).await;
        assert_eq!((answer.status, &answer.body["code"]), (422, &json!(code)), "{body}");
    }
    let begun = rebuild(WORKER_TOKEN, json!({ "service": "analytics" })).await;
    let sources = json!({ "sources": ["posts", "scoops", "social", "users"] });
    assert_eq!((begun.status, begun.body), (202, sources));
    world.stop("analytics");
    assert_eq!(rebuild(WORKER_TOKEN, json!({ "service": "analytics" })).await.status, 503);
}

#[tokio::test]
async fn a_tick_forgets_tokens_that_ended_and_no_others() {
    let world = world().await;
    let token = |expires: i64| {
        json!({ "user": world.id(), "email": null, "email_verified": false, "in_admin_group": false, "expires": expires })
            .to_string()
    };
    let platform = &world.app("web").platform;
    platform.kv_set("token:ended", token(1).as_bytes()).await.unwrap();
    platform.kv_set("token:good", token(i64::MAX).as_bytes()).await.unwrap();
    world.post("web", "/worker/tick", WORKER_TOKEN, Value::Null).await;
    assert!(platform.kv_get("token:ended").await.unwrap().is_none());
    assert!(platform.kv_get("token:good").await.unwrap().is_some());
    // Not at every tick: reading all of them costs.
    platform.kv_set("token:ended", token(1).as_bytes()).await.unwrap();
    world.post("web", "/worker/tick", WORKER_TOKEN, Value::Null).await;
    assert!(platform.kv_get("token:ended").await.unwrap().is_some());
}

#[tokio::test]
async fn unknown_routes_and_internal_ones_are_404_whoever_asks() {
    let world = world().await;
    let paths =
        ["/", "/nothing", "/internal/health", "/internal/tick", "/internal/events", "/worker", "/readyz/x"];
    for path in paths {
        for token in ["", INTERNAL_TOKEN, WORKER_TOKEN, "garbage"] {
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                let answer = world.call("web", method.clone(), path, token, &[], Value::Null).await;
                let seen = (answer.status, &answer.body["code"]);
                assert_eq!(seen, (404, &json!("not_found")), "{method} {path} {token}");
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_with_allow() {
    let world = world().await;
    let answer = world.post("web", "/healthz", "", Value::Null).await;
    assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, "GET,HEAD"));
    let answer = world.get("web", "/worker/tick", "").await;
    assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, "POST"));
}
