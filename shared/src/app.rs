//! What a service is, and its running state.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::response::IntoResponse;
#[cfg(target_family = "wasm")]
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use http::StatusCode;
use http::request::Parts;

use crate::answer;
use crate::auth::{Authorizer, Internal};
use crate::clients::Identity;
use crate::clock::{Clock, Instant};
use crate::config::Config;
use crate::db::{Db, DbError};
use crate::error::{ApiError, ApiResult};
use crate::events::{self, Batch, RelayState};
use crate::extract::Json;
use crate::idempotency::Effects;
use crate::ids::Id;
use crate::jwks::Jwks;
use crate::live::Streams;
use crate::migrate::{Migration, migrate};
use crate::objects::Objects;
use crate::openapi;
use crate::params;
use crate::platform::Platform;
use crate::routes::{Heard, Routes};

/// The state every handler gets.
pub type Ctx = Arc<App>;

/// Work of a service at every tick of the clock.
pub type Tick = for<'a> fn(&'a Ctx) -> BoxFuture<'a, ApiResult<()>>;
/// How the service that keeps the keys answers for itself; the text is the `kid` asked for.
pub type Keys = for<'a> fn(&'a App, &'a str) -> BoxFuture<'a, ApiResult<Jwks>>;
/// How the service that keeps people answers for itself.
pub type Identify = for<'a> fn(&'a App, &'a Identity) -> BoxFuture<'a, ApiResult<Id>>;

/// When the events of a change are delivered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Relay {
    /// Before the answer: who changes their privacy sees it everywhere at once.
    BeforeAnswer,
    /// Right after it: where the rate of changes counts more.
    AfterAnswer,
}

/// A service: the one description the entry point, the tests and the tools use.
pub struct Service {
    /// Its name: component, database and host name.
    pub name: &'static str,
    /// Its schema, in order. Empty: it has no database.
    pub migrations: &'static [Migration],
    /// Its routes.
    pub routes: fn() -> Routes,
    /// When its events are delivered.
    pub relay: Relay,
    /// Its work at a tick, besides relay and sweep.
    pub tick: Option<Tick>,
    /// Given by the service that keeps the keys.
    pub keys: Option<Keys>,
    /// Given by the service that keeps people.
    pub identify: Option<Identify>,
    /// Given by a service that is made of events alone: the statement that empties what it derived from them and the cursors
    /// of its inbox, `?1` the time (see [`crate::history`]).
    pub rebuild: Option<&'static str>,
}

/// The entry of a component: `component!(SERVICE);` at the end of a service's `lib.rs`. It needs the service to depend on `spin-sdk`.
/// It is what `#[http_service]` writes, but for who converts: [`crate::platform::from_wasi`] says why.
#[macro_export]
macro_rules! component {
    ($service:ident) => {
        #[cfg(target_family = "wasm")]
        mod entry {
            // The export of a component is unsafe by nature.
            #![allow(unsafe_code)]

            use spin_sdk::wasip3::exports::http::handler::Guest;
            use $crate::platform::types::{ErrorCode, Request, Response};

            struct Entry;

            spin_sdk::wasip3::http::service::export!(Entry);

            impl Guest for Entry {
                async fn handle(request: Request) -> Result<Response, ErrorCode> {
                    let request = $crate::platform::from_wasi(request)?;
                    $crate::platform::into_wasi($crate::app::serve(&super::$service, request).await)
                }
            }
        }
    };
}

/// A running service.
pub struct App {
    /// What it is.
    pub service: &'static Service,
    /// The machine under it.
    pub platform: Platform,
    /// Its variables.
    pub config: Config,
    /// Its database.
    pub db: Db,
    /// Who calls.
    pub auth: Authorizer,
    /// Answers that go on.
    pub streams: Streams,
    pub(crate) relay: RelayState,
    objects: OnceLock<Option<Objects>>,
    clock: Clock,
}

impl App {
    /// Reads the variables and brings the schema up to date.
    pub async fn start(service: &'static Service, platform: Platform) -> Result<Ctx, DbError> {
        let config = Config::load(&platform).await;
        let db = Db::new(platform.clone(), service.name);
        if !service.migrations.is_empty() {
            migrate(&db, service.migrations).await?;
        }
        let clock = Clock::with_offset(config.number("test_clock_offset_seconds", 0));
        Ok(Arc::new(Self {
            service,
            platform,
            config,
            db,
            auth: Authorizer::default(),
            streams: Streams::default(),
            relay: RelayState::default(),
            objects: OnceLock::new(),
            clock,
        }))
    }

    /// The time now, moved by `test_clock_offset_seconds`.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The object store; `None` where none is configured.
    pub fn objects(&self) -> Option<&Objects> {
        self.objects.get_or_init(|| Objects::from_config(&self.config)).as_ref()
    }
}

/// The database of the service; its writes are remembered under the request's Idempotency-Key.
/// Handlers take it as an argument rather than from the state, so that this cannot be forgotten.
impl FromRequestParts<Ctx> for Db {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Ctx) -> Result<Self, Self::Rejection> {
        Ok(match parts.extensions.get::<Arc<Effects>>() {
            Some(effects) => app.db.with_effects(effects.clone()),
            None => app.db.clone(),
        })
    }
}

/// The service's routes with the internal ones every service has, inside the edge.
pub fn router(app: Ctx) -> Router {
    let (mut routes, heard) = (app.service.routes)().into_router();
    // A service without a database is called by no other; its `/internal/...` is an unknown route.
    if !app.service.migrations.is_empty() {
        routes = routes
            .route("/internal/health", get(health))
            .route("/internal/openapi", get(document))
            .route("/internal/tick", post(tick))
            .route("/internal/relay", post(relay))
            .route("/internal/events", post(move |by, app, batch| hear(by, app, batch, heard)));
    }
    routes
        .fallback(async || ApiError::not_found())
        .layer(axum::middleware::from_fn_with_state(app.clone(), crate::edge::edge))
        .with_state(app)
}

/// `GET /internal/health`: whether the database answers.
async fn health(_: Internal, State(app): State<Ctx>) -> ApiResult {
    app.db.read("select 'ok'", params![]).await?;
    Ok(answer::json(StatusCode::OK, &serde_json::json!({ "service": app.service.name, "ok": true })))
}

/// `GET /internal/openapi`: the document of the public routes.
async fn document(_: Internal, State(app): State<Ctx>) -> ApiResult {
    Ok(answer::json(StatusCode::OK, &openapi::document(app.service)))
}

/// `POST /internal/events`: applies a batch.
async fn hear(
    _: Internal,
    State(app): State<Ctx>,
    Json(batch): Json<Batch>,
    heard: Option<Heard>,
) -> ApiResult {
    let applied = events::apply(&app, &batch).await?;
    if let Some(work) = heard {
        work(&app);
    }
    Ok(answer::json(StatusCode::OK, &applied))
}

/// `POST /internal/relay`: delivers what waits, before the answer.
async fn relay(_: Internal, State(app): State<Ctx>) -> ApiResult {
    events::relay_now(&app).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /internal/tick`: relay, the service's own work, and once a minute the sweep. Answers how
/// many batches went out and what waits still.
async fn tick(_: Internal, State(app): State<Ctx>) -> ApiResult {
    let delivered = events::relay_at_tick(&app).await?;
    if let Some(work) = app.service.tick {
        work(&app).await?;
    }
    if is_due(&app, "sweep", 60).await? {
        events::sweep(&app).await?;
    }
    let waiting = events::waiting(&app).await?;
    let answer =
        serde_json::json!({ "delivered": delivered, "waiting": waiting.count, "oldest": waiting.oldest });
    Ok(answer::json(StatusCode::OK, &answer))
}

// Claims the chore for whoever runs it: two ticks at once, or of two instances, do it once.
const CLAIM_CHORE: &str = "insert into chores (name, done_at) values (?1, ?2)
    on conflict (name) do update set done_at = excluded.done_at where done_at <= ?2 - ?3 * 1000
    returning 1";

/// Whether the chore `name`, done every `seconds`, is due; says yes once, to one tick.
pub async fn is_due(app: &App, name: &str, seconds: i64) -> Result<bool, DbError> {
    let rows = app.db.rows(CLAIM_CHORE, params![name, app.now().millis(), seconds]).await?;
    Ok(!rows.is_empty())
}

/// Answers one request of a component. The first of an instance starts the service.
#[cfg(target_family = "wasm")]
pub async fn serve(service: &'static Service, request: axum::extract::Request) -> Response {
    static ROUTER: std::sync::Mutex<Option<Router>> = std::sync::Mutex::new(None);
    let ready = ROUTER.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let mut router = match ready {
        Some(router) => router,
        None => match App::start(service, Platform).await {
            Ok(app) => {
                let fresh = router(app);
                *ROUTER.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(fresh.clone());
                fresh
            }
            Err(error) => return unready(service, &error),
        },
    };
    match tower_service::Service::call(&mut router, request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// 503 while the service cannot start. There is no edge yet to write the problem.
#[cfg(target_family = "wasm")]
fn unready(service: &Service, error: &DbError) -> Response {
    crate::trace::log(
        "error",
        service.name,
        "cannot start",
        serde_json::json!({ "error": error.to_string() }),
    );
    let trace = crate::trace::Trace::fresh(Clock::default().now());
    let problem = ApiError::unavailable(error.clone()).problem(&trace.request_id);
    let mut response = answer::json(StatusCode::SERVICE_UNAVAILABLE, &problem);
    let kind = http::HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::{Value, json};
    use utoipa::ToSchema;

    use super::*;
    use crate::auth::Caller;
    use crate::error::ApiError;
    use crate::testing::World;

    static NOTES: Service = Service {
        name: "notes",
        migrations: &[
            events::CORE,
            crate::people::PEOPLE,
            crate::history::HISTORY,
            Migration { name: "notes", sql: "create table notes (text text not null);\n" },
        ],
        routes: || {
            Routes::new()
                .public(crate::routes!(self::list_notes, self::create_note))
                .public(crate::routes!(self::create_note_and_break))
        },
        relay: Relay::AfterAnswer,
        tick: None,
        keys: None,
        identify: None,
        rebuild: None,
    };

    #[derive(serde::Deserialize, ToSchema)]
    struct NoteIn {
        text: String,
    }

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "documents an answer")]
    struct Note {
        text: String,
        row: u64,
    }

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "documents an answer")]
    struct Notes {
        count: u64,
    }

    #[utoipa::path(post, path = "/notes", responses((status = 201, description = "It is noted.", body = Note)))]
    async fn create_note(caller: Caller, db: Db, Json(note): Json<NoteIn>) -> ApiResult {
        let sql = "insert into notes (text) values (?1) returning json_object('text', text, 'row', rowid)";
        let note = db.write(sql, params![format!("{} {}", caller.id, note.text)]).await?;
        Ok(answer::json_text(StatusCode::CREATED, note.unwrap_or_default()))
    }

    /// Writes, then dies before it can answer, the first time.
    #[utoipa::path(post, path = "/broken", responses((status = 201, description = "It is noted.", body = Note)))]
    async fn create_note_and_break(caller: Caller, db: Db, Json(note): Json<NoteIn>) -> ApiResult {
        static RUNS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let made = create_note(caller, db, Json(note)).await?;
        match RUNS.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Err(ApiError::internal(anyhow::anyhow!("torn off"))),
            _ => Ok(made),
        }
    }

    #[utoipa::path(get, path = "/notes", responses((status = 200, description = "How many.", body = Notes)))]
    async fn list_notes(_: Caller, db: Db) -> ApiResult {
        let count = db.read("select json_object('count', count(*)) from notes", params![]).await?;
        Ok(answer::json_text(StatusCode::OK, count.unwrap_or_default()))
    }

    async fn world() -> (World, String) {
        let world = World::start(&[&NOTES], &[]).await;
        let alice = world.people("notes", &["alice"]).await[0];
        let token = world.token(alice);
        (world, token)
    }

    async fn count(world: &World, token: &str) -> Value {
        world.get("notes", "/notes", token).await.body["count"].clone()
    }

    #[tokio::test]
    async fn refusals_of_the_framework_have_the_shape_of_every_error() {
        let (world, token) = world().await;
        let unknown = world.get("notes", "/nothing", &token).await;
        assert_eq!((unknown.status, &unknown.body["code"]), (404, &json!("not_found")));
        let method = world.delete("notes", "/notes", &token).await;
        assert_eq!((method.status, &method.body["code"]), (405, &json!("method_not_allowed")));
        assert_eq!(method.headers["allow"], "GET,HEAD,POST");
        let anonymous = world.get("notes", "/notes", "").await;
        assert_eq!(anonymous.status, 401);
        assert_eq!(anonymous.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
        assert_eq!(anonymous.body["requestId"], anonymous.headers["x-request-id"].to_str().unwrap());
        let large = world.post("notes", "/notes", &token, json!({ "text": "x".repeat(70_000) })).await;
        assert_eq!((large.status, &large.body["code"]), (413, &json!("body_too_large")));
        let kind = [("content-type", "text/plain")];
        let kind = world.call("notes", Method::POST, "/notes", &token, &kind, Value::Null).await;
        assert_eq!(kind.status, 415, "{kind:?}");
    }

    #[tokio::test]
    async fn the_document_of_a_service_is_for_other_services() {
        let (world, token) = world().await;
        assert_eq!(world.get("notes", "/internal/openapi", &token).await.status, 404);
        let document = world.get("notes", "/internal/openapi", crate::testing::INTERNAL_TOKEN).await;
        let paths: Vec<&String> = document.body["paths"].as_object().unwrap().keys().collect();
        assert_eq!(paths, ["/broken", "/notes"]);
        world.check_routes("notes").await;
    }

    #[tokio::test]
    async fn the_same_key_and_body_replay_the_first_answer_and_another_body_is_refused() {
        let (world, token) = world().await;
        let key = [("idempotency-key", "k1")];
        let send = async |text: &str| {
            world.call("notes", Method::POST, "/notes", &token, &key, json!({ "text": text })).await
        };
        let (first, again, other) = (send("a").await, send("a").await, send("b").await);
        assert_eq!((first.status, again.status), (201, 201));
        assert_eq!(first.body, again.body);
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!((other.status, &other.body["code"]), (422, &json!("idempotency_mismatch")));
        assert_eq!(other.body["errors"][0]["field"], "Idempotency-Key");
        assert_eq!(count(&world, &token).await, 1);
    }

    #[tokio::test]
    async fn a_request_torn_off_after_its_write_has_its_effect_once_when_sent_again() {
        let (world, token) = world().await;
        let key = [("idempotency-key", "k2")];
        let send =
            async || world.call("notes", Method::POST, "/broken", &token, &key, json!({ "text": "a" })).await;
        assert_eq!(send().await.status, 500);
        assert_eq!(send().await.status, 201);
        assert_eq!(count(&world, &token).await, 1);
    }

    #[tokio::test]
    async fn suspended_people_are_403_and_deleted_or_unknown_ones_401() {
        let (world, token) = world().await;
        let status = async |status: &str| {
            world.app("notes").db.rows("update people set status = ?1", params![status]).await.unwrap();
            let answer = world.get("notes", "/notes", &token).await;
            (answer.status, answer.body["code"].clone())
        };
        assert_eq!(status("active").await.0, 200);
        assert_eq!(status("suspended").await, (403, json!("account_suspended")));
        assert_eq!(status("deleted").await, (401, json!("invalid_token")));
        // Nobody answers for `users` here: a token whose person cannot be looked up is our fault.
        let stranger = world.token(world.id());
        assert_eq!(world.get("notes", "/notes", &stranger).await.status, 503);
    }

    #[tokio::test]
    async fn internal_routes_are_404_without_the_service_token() {
        let (world, token) = world().await;
        for given in ["", &token, "internal-test-toke", crate::testing::WORKER_TOKEN] {
            let answer = world.post("notes", "/internal/events", given, json!({})).await;
            assert_eq!(answer.status, 404, "{given}");
        }
    }

    #[tokio::test]
    async fn events_are_applied_once_in_order_and_a_gap_is_refused() {
        let (world, _) = world().await;
        let person = |rev: i64, name: &str| {
            json!({ "id": "0199b7a0-0000-7000-8000-000000000001", "handle": "bob", "displayName": name, "bio": null,
                    "avatarUrl": null, "private": 0, "createdAt": "", "status": "active", "rev": rev })
        };
        let batch = |after: i64, seq: i64, body: Value| {
            json!({ "source": "users", "after": after, "events":
                [{ "seq": seq, "type": "user.updated", "key": "k", "at": "2026-01-01T00:00:00.000Z", "body": body }] })
        };
        let hear = async |batch: Value| {
            world.post("notes", "/internal/events", crate::testing::INTERNAL_TOKEN, batch).await.body["seq"]
                .clone()
        };
        assert_eq!(hear(batch(5, 6, person(1, "too early"))).await, 0, "a gap");
        assert_eq!(hear(batch(0, 3, person(2, "second"))).await, 3);
        assert_eq!(hear(batch(0, 3, person(2, "again"))).await, 3, "a duplicate");
        assert_eq!(hear(batch(3, 4, person(1, "older"))).await, 4);
        let name = "select display_name from people where handle = 'bob'";
        assert_eq!(world.app("notes").db.read(name, params![]).await.unwrap().as_deref(), Some("second"));
    }

    #[tokio::test]
    async fn a_tick_tells_how_many_events_wait_and_since_when() {
        static TELLER: Service = Service { name: "users", ..NOTES };
        let world = World::start(&[&TELLER], &[]).await;
        let tick = async || {
            world.post("users", "/internal/tick", crate::testing::INTERNAL_TOKEN, json!({})).await.body
        };
        assert_eq!(tick().await, json!({ "delivered": 0, "waiting": 0, "oldest": null }));
        let told = "insert into outbox (type, key, at, body) values ('user.updated', 'k', '2026-01-01T00:00:00.000Z', '{}'), ('nobody.hears', 'k', '2025-01-01T00:00:00.000Z', '{}')";
        world.app("users").db.rows(told, params![]).await.unwrap();
        // As many as hear of it, and none of them answers.
        let updated = events::CATALOGUE.iter().find(|kind| kind.name == "user.updated").unwrap();
        let hear = updated.subscribers.len();
        let waiting = json!({ "delivered": 0, "waiting": hear, "oldest": "2026-01-01T00:00:00.000Z" });
        assert_eq!(tick().await, waiting);
    }

    #[tokio::test]
    async fn what_a_service_tells_arrives_at_those_who_hear_it() {
        static TELLER: Service = Service { name: "users", ..NOTES };
        static HEARER: Service = Service { name: "auth", ..NOTES };
        let world = World::start(&[&TELLER, &HEARER], &[]).await;
        let body = json!({ "id": world.id(), "handle": "bob", "displayName": "Bob", "bio": null, "avatarUrl": null,
                           "private": 0, "createdAt": "", "status": "active", "rev": 1 });
        let told = "insert into outbox (type, key, at, body) values ('user.registered', 'k', '2026-01-01T00:00:00.000Z', ?1)";
        world.app("users").db.rows(told, params![body]).await.unwrap();
        assert_eq!(events::relay(world.app("users")).await.unwrap(), Some(1));
        let name = "select display_name from people where handle = 'bob'";
        assert_eq!(world.app("auth").db.read(name, params![]).await.unwrap().as_deref(), Some("Bob"));
        assert_eq!(events::relay(world.app("users")).await.unwrap(), Some(0), "once is enough");
    }

    #[tokio::test]
    async fn a_chore_is_due_once_in_its_time_whoever_asks() {
        let (world, _) = world().await;
        let app = world.app("notes");
        assert!(is_due(app, "chore", 60).await.unwrap());
        assert!(!is_due(app, "chore", 60).await.unwrap());
        assert!(is_due(app, "another", 60).await.unwrap());
        app.db.rows("update chores set done_at = done_at - 60000", params![]).await.unwrap();
        assert!(is_due(app, "chore", 60).await.unwrap());
    }

    #[tokio::test]
    async fn the_sweep_keeps_events_that_somebody_has_not_confirmed() {
        static TELLER: Service = Service { name: "media", ..NOTES };
        let world = World::start(&[&TELLER], &[]).await;
        let app = world.app("media");
        let told = "insert into outbox (type, key, at, body) select 'media.deleted', 'k', ?1, '{}' from json_each('[1,2,3]')";
        app.db.rows(told, params!["2020-01-01T00:00:00.000Z"]).await.unwrap();
        app.db.rows(told, params![app.now().rfc3339()]).await.unwrap();
        let left = async || {
            events::sweep(app).await.unwrap();
            app.db.read("select count(*) from outbox", params![]).await.unwrap().unwrap_or_default()
        };
        assert_eq!(left().await, "6", "nobody confirmed");
        let confirm =
            "insert into outbox_cursors (subscriber, seq) select value, ?1 from json_each(?2) where true
            on conflict (subscriber) do update set seq = excluded.seq";
        let all = || json!(events::subscribers_of("media"));
        app.db.rows(confirm, params![2, all()]).await.unwrap();
        assert_eq!(left().await, "4", "the old ones that all confirmed");
        app.db.rows(confirm, params![6, all()]).await.unwrap();
        assert_eq!(left().await, "3", "the new ones stay a week");
    }

    #[tokio::test]
    async fn events_nobody_hears_are_passed_over_once_and_lose_nothing() {
        static TELLER: Service = Service { name: "users", ..NOTES };
        static HEARER: Service = Service { name: "auth", ..NOTES };
        let world = World::start(&[&TELLER, &HEARER], &[]).await;
        let app = world.app("users");
        let unheard = "insert into outbox (type, key, at, body)
            select 'nobody.hears', 'k', '2026-01-01T00:00:00.000Z', '{}' from json_each(?1)";
        let many = serde_json::to_string(&vec![0; 300]).unwrap();
        app.db.rows(unheard, params![many.as_str()]).await.unwrap();
        events::relay(app).await.unwrap();
        let scanned = "select scanned from outbox_cursors where subscriber = 'auth'";
        assert_eq!(app.db.read(scanned, params![]).await.unwrap().as_deref(), Some("300"));
        let body = json!({ "id": world.id(), "handle": "bob", "displayName": "Bob", "bio": null, "avatarUrl": null,
                           "private": 0, "createdAt": "", "status": "active", "rev": 1 });
        let told = "insert into outbox (type, key, at, body) values ('user.registered', 'k', '2026-01-01T00:00:00.000Z', ?1)";
        app.db.rows(told, params![body]).await.unwrap();
        events::relay(app).await.unwrap();
        let name = "select display_name from people where handle = 'bob'";
        assert_eq!(world.app("auth").db.read(name, params![]).await.unwrap().as_deref(), Some("Bob"));
    }

    #[tokio::test]
    async fn one_relay_at_a_time_and_a_dead_ones_lease_ends() {
        static TELLER: Service = Service { name: "users", ..NOTES };
        let world = World::start(&[&TELLER], &[]).await;
        let app = world.app("users");
        let held = "insert into leases (name, until) values ('relay', ?1) on conflict (name) do update set until = excluded.until";
        app.db.rows(held, params![app.now().millis() + 60_000]).await.unwrap();
        assert_eq!(events::relay(app).await.unwrap(), None);
        app.db.rows(held, params![app.now().millis() - 1]).await.unwrap();
        assert_eq!(events::relay(app).await.unwrap(), Some(0));
    }

    #[tokio::test]
    async fn a_service_without_a_database_has_no_internal_routes() {
        static FRONT: Service = Service { name: "front", migrations: &[], ..NOTES };
        let world = World::start(&[&FRONT], &[]).await;
        for path in ["/internal/health", "/internal/tick", "/internal/events", "/internal"] {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                let token = crate::testing::INTERNAL_TOKEN;
                let answer = world.call("front", method, path, token, &[], json!({})).await;
                assert_eq!((answer.status, &answer.body["code"]), (404, &json!("not_found")), "{path}");
            }
        }
    }
}
