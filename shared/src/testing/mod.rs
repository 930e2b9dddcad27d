//! What native tests share: services in this process, over a SQLite of their own, called as a
//! client calls them.
//!
//! ```text
//! let world = World::start(&[&users::SERVICE, &social::SERVICE], &[("rate_limits", "off")]).await;
//! let alice = world.token(alice_id);
//! let answer = world.post("users", "/username", &alice, json!({ "handle": "alice" })).await;
//! assert_eq!(answer.status, 200, "{answer:?}");
//! ```

mod contract;
mod streams;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use jwt_simple::prelude::*;
use serde_json::Value as Json;

use crate::app::{App, Ctx, Service, router};
use crate::clock::Instant;
use crate::db::Db;
use crate::ids::Id;
use crate::jwks::ExtraClaims;
use crate::params;
use crate::platform::Platform;
use contract::Contract;
pub use streams::{Event, Stream};

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// The service token of every [`World`].
pub const INTERNAL_TOKEN: &str = "internal-test-token";
/// The worker token of every [`World`].
pub const WORKER_TOKEN: &str = "worker-test-token";

/// A new empty folder.
///
/// # Panics
/// Where the temporary folder of the machine cannot be written.
pub fn folder(name: &str) -> PathBuf {
    let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("scooterbooter-{name}-{}-{number}", std::process::id()));
    // Left over from a run that had the same process id.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    folder
}

/// A database with the shared tables and the people alice (pk 1), bob (2) and carla (3), whose
/// ids here are their names.
///
/// # Panics
/// Where the shared migrations do not run.
pub async fn ties_database(name: &'static str) -> Db {
    let db = Db::new(Platform::new(folder(name)), name);
    let migrations = [crate::events::CORE, crate::people::PEOPLE, crate::people::TIES];
    let ready = async {
        crate::migrate::migrate(&db, &migrations).await?;
        db.rows(
            "insert into people (id, handle, status) values ('alice', 'alice', 'active'), ('bob', 'bob', 'active'), ('carla', 'carla', 'active')",
            params![],
        )
        .await
    };
    ready.await.unwrap_or_else(|error| panic!("{error}"));
    db
}

/// Services in this process. Those that are not started answer nothing; `auth` is stood in for by
/// an issuer of its own unless it is started, so that a service is tested with real tokens.
pub struct World {
    /// The machine under the services.
    pub platform: Platform,
    /// The services, in the order given.
    pub apps: Vec<Ctx>,
    contracts: HashMap<&'static str, Contract>,
    issuer: Ed25519KeyPair,
}

/// What a client gets.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as JSON; null where it is empty or no JSON.
    pub body: Json,
    /// The body as it came.
    pub bytes: Bytes,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, headers, body, bytes: _ } = self;
        f.debug_struct("Answer")
            .field("status", status)
            .field("headers", headers)
            .field("body", body)
            .finish()
    }
}

impl World {
    /// Starts `services` with `variables` besides the tokens of tests.
    ///
    /// # Panics
    /// Where a migration does not run.
    pub async fn start(services: &[&'static Service], variables: &[(&str, &str)]) -> Self {
        let name = services.first().map_or("world", |service| service.name);
        let mut platform = Platform::new(folder(name));
        let fixed =
            [("internal_token", INTERNAL_TOKEN), ("worker_token", WORKER_TOKEN), ("cors_allow_origins", "*")];
        for (name, value) in fixed.iter().chain(variables) {
            platform.variables.insert((*name).to_owned(), (*value).to_owned());
        }
        let issuer = Ed25519KeyPair::generate().with_key_id("test");
        let mut world = Self { platform, apps: Vec::new(), contracts: HashMap::new(), issuer };
        world.stand_in_for_auth();
        for service in services {
            world.add(service).await;
        }
        world
    }

    async fn add(&mut self, service: &'static Service) {
        let app = App::start(service, self.platform.clone()).await.unwrap_or_else(|error| panic!("{error}"));
        let host = format!("{}.spin.internal", service.name);
        self.routes().insert(host, router(app.clone()));
        self.contracts.insert(service.name, Contract::of(service));
        self.apps.push(app);
    }

    fn routes(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<String, axum::Router>> {
        self.platform.mesh.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn stand_in_for_auth(&self) {
        use base64::Engine;
        let x = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.issuer.public_key().to_bytes());
        let keys = serde_json::json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "test", "x": x }] });
        let auth =
            axum::Router::new().route("/internal/keys", axum::routing::get(async move || keys.to_string()));
        self.routes().insert("auth.spin.internal".to_owned(), auth);
    }

    /// The state of a service.
    ///
    /// # Panics
    /// Where it was not started.
    pub fn app(&self, service: &str) -> &Ctx {
        self.apps
            .iter()
            .find(|app| app.service.name == service)
            .unwrap_or_else(|| panic!("{service} was not started"))
    }

    /// Takes a service off the mesh: calls to it fail as to one that is down.
    pub fn stop(&self, service: &str) {
        self.routes().remove(&format!("{service}.spin.internal"));
    }

    /// Puts a service back.
    pub fn resume(&self, service: &str) {
        let app = self.app(service).clone();
        self.routes().insert(format!("{service}.spin.internal"), router(app));
    }

    /// A good token of the stand-in issuer, for an hour.
    pub fn token(&self, user: Id) -> String {
        self.token_with(user, ExtraClaims::default())
    }

    /// A good token with more claims.
    ///
    /// # Panics
    /// Never, as long as the key signs.
    pub fn token_with(&self, user: Id, extra: ExtraClaims) -> String {
        let claims = Claims::with_custom_claims(extra, Duration::from_hours(1))
            .with_issuer("http://127.0.0.1:3000")
            .with_audience("scooterbooter")
            .with_subject(user.to_string());
        self.issuer.sign(claims).unwrap_or_else(|error| panic!("{error}"))
    }

    /// An id of now.
    pub fn id(&self) -> Id {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Id::new(Instant::from_millis(i64::try_from(now.as_millis()).unwrap_or(0)))
    }

    /// One request, as a client sends it. An empty token sends none; a null body sends none.
    ///
    /// # Panics
    /// Where the request cannot be written, the service was not started, or what a public route took or
    /// answered is not what its document says.
    pub async fn call(
        &self,
        service: &str,
        method: Method,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: Json,
    ) -> Answer {
        let response = self.respond(service, method.clone(), path, token, headers, &body).await;
        self.answer_of(service, &method, path, &body, response).await
    }

    async fn respond(
        &self,
        service: &str,
        method: Method,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: &Json,
    ) -> Response {
        let mut request =
            Request::builder().method(method).uri(format!("http://{service}.spin.internal{path}"));
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let mut bytes = Vec::new();
        if !body.is_null() {
            request = request.header(header::CONTENT_TYPE, "application/json");
            bytes = body.to_string().into_bytes();
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(bytes)).unwrap_or_else(|error| panic!("{error}"));
        let mut routes = router(self.app(service).clone());
        match tower_service::Service::call(&mut routes, request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    async fn answer_of(
        &self,
        service: &str,
        method: &Method,
        path: &str,
        sent: &Json,
        response: Response,
    ) -> Answer {
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let body = serde_json::from_slice(&bytes).unwrap_or(Json::Null);
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body, bytes };
        self.contracts[service].check(method, path, sent, &answer);
        answer
    }

    /// Checks that the routes of a service are those of its document: each documented operation is
    /// there, and every other method of its path is refused with exactly these in `Allow`.
    ///
    /// # Panics
    /// Where router and document differ.
    pub async fn check_routes(&self, service: &str) {
        let operations = self.contracts[service].operations();
        assert!(!operations.is_empty(), "{service} documents nothing");
        for (template, documented) in operations {
            let named = |part: &'_ str| if part.starts_with('{') { "x".to_owned() } else { part.to_owned() };
            let path = template.split('/').map(named).collect::<Vec<_>>().join("/");
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                let answer = self.call(service, method.clone(), &path, "", &[], Json::Null).await;
                let is_documented = documented.iter().any(|known| known == method.as_str());
                assert_eq!(answer.status != 405, is_documented, "{method} {template}: {answer:?}");
                if !is_documented {
                    let allow = answer.headers[header::ALLOW].to_str().unwrap_or_default();
                    let mut allowed: Vec<&str> =
                        allow.split(',').filter(|method| *method != "HEAD").collect();
                    let mut known: Vec<&str> = documented.iter().map(String::as_str).collect();
                    allowed.sort_unstable();
                    known.sort_unstable();
                    assert_eq!(allowed, known, "{template}");
                }
            }
        }
    }

    /// `GET path`.
    pub async fn get(&self, service: &str, path: &str, token: &str) -> Answer {
        self.call(service, Method::GET, path, token, &[], Json::Null).await
    }

    /// `POST path`.
    pub async fn post(&self, service: &str, path: &str, token: &str, body: Json) -> Answer {
        self.call(service, Method::POST, path, token, &[], body).await
    }

    /// `PATCH path`.
    pub async fn patch(&self, service: &str, path: &str, token: &str, body: Json) -> Answer {
        self.call(service, Method::PATCH, path, token, &[], body).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, service: &str, path: &str, token: &str) -> Answer {
        self.call(service, Method::DELETE, path, token, &[], Json::Null).await
    }

    /// Puts people into the projection of a service, as their events would: alice, bob and carla
    /// say, each active and public. Their ids, in the order of `handles`.
    ///
    /// # Panics
    /// Where the service keeps no people.
    pub async fn people(&self, service: &str, handles: &[&str]) -> Vec<Id> {
        let app = self.app(service);
        let mut ids = Vec::new();
        for handle in handles {
            let person = crate::people::Person {
                id: self.id(),
                handle: Some((*handle).to_owned()),
                display_name: None,
                bio: None,
                avatar_url: None,
                private: 0,
                created_at: app.now().rfc3339(),
                status: "active".to_owned(),
                rev: 1,
            };
            crate::people::adopt(app, &person).await.unwrap_or_else(|error| panic!("{error}"));
            ids.push(person.id);
        }
        ids
    }

    /// Lets a service hear events of `source` as if its relay had delivered them, each
    /// `(type, key, body)`; they are numbered on from what it heard before.
    ///
    /// # Panics
    /// Where the service refuses them.
    pub async fn hear(&self, service: &str, source: &str, events: &[(&str, &str, Json)]) {
        let app = self.app(service);
        let heard = "select cast(coalesce(max(seq), 0) as text) from inbox_cursors where source = ?1";
        let after = app.db.read(heard, params![source]).await.unwrap_or_else(|error| panic!("{error}"));
        let after: i64 = after.and_then(|seq| seq.parse().ok()).unwrap_or(0);
        let at = app.now().rfc3339();
        let numbered: Vec<Json> = (after + 1..)
            .zip(events)
            .map(|(seq, (kind, key, body))| serde_json::json!({ "seq": seq, "type": kind, "key": key, "at": at, "body": body }))
            .collect();
        let batch = serde_json::json!({ "source": source, "after": after, "events": numbered });
        let answer = self.post(service, "/internal/events", INTERNAL_TOKEN, batch).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}
