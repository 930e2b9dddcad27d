//! What the tests share: a world with `auth` in it, a stand-in for `users`, a mailbox.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use shared::answer;
use shared::app::Ctx;
use shared::extract::Json;
use shared::ids::Id;
use shared::testing::{Answer, INTERNAL_TOKEN, World};

pub const PASSWORD: &str = "correct horse battery";

/// What the stand-in for `users` knows, and how it behaves.
#[derive(Default)]
pub struct UsersState {
    pub people: HashMap<String, Value>,
    /// Answered instead of creating anybody.
    pub refuse: Option<(u16, &'static str)>,
    pub created: Vec<Value>,
}

pub struct House {
    pub world: World,
    pub users: Arc<Mutex<UsersState>>,
    pub mails: Arc<Mutex<Vec<Value>>>,
    /// Status of the mail hook.
    pub hook: Arc<Mutex<u16>>,
}

pub async fn house(variables: &[(&str, &str)]) -> House {
    let mut all = vec![("rate_limits", "off"), ("mail_url", "http://mail.example/hook")];
    all.extend_from_slice(variables);
    house_of(World::start(&[&auth::SERVICE], &all).await)
}

/// The stand-ins around a world.
pub fn house_of(world: World) -> House {
    let house =
        House { world, users: Arc::default(), mails: Arc::default(), hook: Arc::new(Mutex::new(200)) };
    house.start_users();
    let (mails, hook) = (house.mails.clone(), house.hook.clone());
    let mailbox = Router::new().route(
        "/hook",
        post(async move |Json(mail): Json<Value>| {
            let status = *hook.lock().unwrap();
            if status == 200 {
                mails.lock().unwrap().push(mail);
            }
            StatusCode::from_u16(status).unwrap().into_response()
        }),
    );
    house.route("mail.example", mailbox);
    house
}

fn problem(status: u16, code: &str) -> Response {
    let body =
        json!({ "type": "", "title": "", "status": status, "detail": "", "code": code, "requestId": "" });
    answer::json(StatusCode::from_u16(status).unwrap(), &body)
}

fn ok(body: Value) -> Response {
    answer::json(StatusCode::OK, &body)
}

fn me_of(person: &Value) -> Value {
    let all = ["follow", "reaction", "comment", "mention", "scoop"].map(|kind| (kind, true));
    json!({
        "id": person["id"], "handle": person["handle"], "displayName": person["displayName"], "bio": null,
        "avatarUrl": null, "private": false, "createdAt": "2026-11-21T19:21:00.123Z", "email": person["email"],
        "emailVerified": person["verified"] == true, "roles": [], "counts": { "posts": 0, "followers": 0, "following": 0 },
        "terms": { "acceptedVersion": null, "acceptedAt": null, "currentVersion": "1" },
        "notificationPreferences": { "push": std::collections::BTreeMap::from(all), "quietHours": null },
    })
}

impl House {
    pub fn route(&self, authority: &str, router: Router) {
        self.world.platform.mesh.lock().unwrap().insert(authority.to_owned(), router);
    }

    pub fn start_users(&self) {
        let (create, me, person, identify) =
            (self.users.clone(), self.users.clone(), self.users.clone(), self.users.clone());
        let router = Router::new()
            .route(
                "/internal/people",
                post(async move |Json(new): Json<Value>| {
                    let mut users = create.lock().unwrap();
                    if let Some((status, code)) = users.refuse {
                        return problem(status, code);
                    }
                    users.created.push(new.clone());
                    let id = new["id"].as_str().unwrap().to_owned();
                    let person = users.people.entry(id).or_insert(new);
                    ok(me_of(person))
                }),
            )
            .route(
                "/internal/people/{id}/me",
                get(async move |Path(id): Path<String>| match me.lock().unwrap().people.get(&id) {
                    Some(person) => ok(me_of(person)),
                    None => problem(404, "not_found"),
                }),
            )
            .route(
                "/internal/people/{id}",
                get(async move |Path(id): Path<String>| match person.lock().unwrap().people.get(&id) {
                    Some(person) => ok(snapshot(person, "active", 1)),
                    None => problem(404, "not_found"),
                }),
            )
            .route(
                "/internal/identities",
                post(async move |Json(identity): Json<Value>| {
                    let subject = identity["subject"].as_str().unwrap().to_owned();
                    let mut users = identify.lock().unwrap();
                    let fresh = Id::new(shared::clock::Clock::default().now()).to_string();
                    let person = users.people.entry(subject).or_insert_with(|| json!({ "id": fresh }));
                    let id = person["id"].as_str().unwrap().to_owned();
                    users.people.insert(id.clone(), json!({ "id": id }));
                    users.created.push(identity);
                    ok(json!({ "id": id }))
                }),
            );
        self.route("users.spin.internal", router);
    }

    pub fn stop_users(&self) {
        self.world.platform.mesh.lock().unwrap().remove("users.spin.internal");
    }

    pub fn app(&self) -> &Ctx {
        self.world.app("auth")
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.world.post("auth", path, token, body).await
    }

    pub async fn keyed(&self, path: &str, token: &str, key: &str, body: Value) -> Answer {
        self.world.call("auth", Method::POST, path, token, &[("idempotency-key", key)], body).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.world.get("auth", path, token).await
    }

    pub async fn register(&self, name: &str) -> Session {
        let email = format!("{name}@example.com");
        let body = json!({ "email": email, "password": PASSWORD, "handle": name });
        let answer = self.post("/auth/register", "", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        Session::of(&answer)
    }

    pub async fn login(&self, name: &str, password: &str) -> Answer {
        let body = json!({ "email": format!("{name}@example.com"), "password": password });
        self.post("/auth/login", "", body).await
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/auth/refresh", "", json!({ "refreshToken": token })).await
    }

    pub async fn tick(&self) {
        let answer = self.post("/internal/tick", INTERNAL_TOKEN, json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Waits for the mails sent after the answer; the tick sends what is still due.
    pub async fn mail(&self, kind: &str, to: &str) -> Value {
        for _ in 0..200 {
            let found = self.find_mails(kind, to).pop();
            if let Some(mail) = found {
                return mail;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no {kind} to {to}");
    }

    pub fn find_mails(&self, kind: &str, to: &str) -> Vec<Value> {
        let mails = self.mails.lock().unwrap();
        mails.iter().filter(|mail| mail["kind"] == kind && mail["to"] == to).cloned().collect()
    }

    /// The first column of the first row, as text.
    pub async fn sql(&self, sql: &str) -> String {
        self.app().db.read(sql, vec![]).await.unwrap().unwrap_or_default()
    }

    /// The events the service told, of one type.
    pub async fn told(&self, kind: &str) -> Vec<Value> {
        let sql = format!("select json_group_array(json(body)) from outbox where type = '{kind}'");
        serde_json::from_str(&self.sql(&sql).await).unwrap()
    }

    pub async fn hear(&self, kind: &str, id: &str, status: &str, rev: i64) {
        let mut body = snapshot(&json!({ "id": id }), status, rev);
        if kind == "user.deleted" {
            body["deletionId"] = json!("0199b7a0-0000-7000-8000-00000000dead");
        }
        self.world.hear("auth", "users", &[(kind, id, body)]).await;
    }
}

pub fn snapshot(person: &Value, status: &str, rev: i64) -> Value {
    json!({
        "id": person["id"], "handle": person["handle"], "displayName": null, "bio": null, "avatarUrl": null,
        "private": 0, "createdAt": "2026-01-01T00:00:00.000Z", "status": status, "rev": rev,
    })
}

/// A `Session` as answered.
#[derive(Clone, Debug)]
pub struct Session {
    pub access: String,
    pub refresh: String,
    pub user: String,
}

impl Session {
    pub fn of(answer: &Answer) -> Self {
        let text = |name: &str| answer.body[name].as_str().unwrap_or_default().to_owned();
        Self {
            access: text("accessToken"),
            refresh: text("refreshToken"),
            user: answer.body["user"]["id"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

pub fn keys_of(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

pub fn code(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or_default())
}
