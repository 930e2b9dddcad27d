//! alice, bob and carla, public, erin, who is an administrator, and in place of the services that are asked some that are bare: each
//! keeps the projection of ties that every service keeps, and answers what this one asks. So a
//! test says exactly what is heard and when; `neighbours.rs` has the real ones.

use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::answer::json_text;
use shared::app::{Ctx, Relay, Service};
use shared::auth::Internal;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Path, Query};
use shared::ids::Id;
use shared::jwks::ExtraClaims;
use shared::migrate::Migration;
use shared::params;
use shared::people::{PEOPLE, Person, TIES, TIES_EVENTS};
use shared::routes::Routes;
use shared::testing::{Answer, World};

const BESIDES: Migration = Migration {
    name: "besides",
    sql: "create table things (id text primary key, type text, author text);\ncreate table old_handles (handle text primary key, id text);\n",
};

static USERS: Service = Service {
    name: "users",
    migrations: &[shared::events::CORE, PEOPLE, TIES, TIES_EVENTS, BESIDES],
    routes: || {
        Routes::new()
            .internal("/internal/people", get(person_by_handle))
            .internal("/internal/people/{id}", get(person))
            .internal("/internal/people/{id}/me", get(me))
            .internal("/internal/handles/{handle}", get(old_handle))
    },
    relay: Relay::AfterAnswer,
    tick: None,
    keys: None,
    identify: None,
    rebuild: None,
};

static POSTS: Service = Service {
    name: "posts",
    routes: || Routes::new().internal("/internal/visible", get(visible)),
    migrations: &[shared::events::CORE, PEOPLE, TIES, TIES_EVENTS, BESIDES],
    relay: Relay::AfterAnswer,
    tick: None,
    keys: None,
    identify: None,
    rebuild: None,
};

static SCOOPS: Service = Service { name: "scoops", ..POSTS };

const PERSON: &str = "select json_object('id', id, 'handle', handle, 'displayName', display_name, 'bio', bio,
    'avatarUrl', avatar_url, 'private', private, 'createdAt', created_at, 'status', status, 'rev', rev)
    from people where status <> 'unknown' and ";

async fn one(app: &Ctx, sql: &str, key: String) -> ApiResult {
    let found = app.db.read(sql, params![key]).await?;
    found.map(|json| json_text(StatusCode::OK, json)).ok_or_else(ApiError::not_found)
}

async fn person(_: Internal, State(app): State<Ctx>, Path(id): Path<String>) -> ApiResult {
    one(&app, &format!("{PERSON} id = ?1"), id).await
}

async fn me(_: Internal, State(app): State<Ctx>, Path(id): Path<String>) -> ApiResult {
    one(&app, "select json_object('roles', json('[]')) from people where id = ?1 and status = 'active'", id)
        .await
}

#[derive(Deserialize)]
struct ByHandle {
    handle: String,
}

async fn person_by_handle(_: Internal, State(app): State<Ctx>, Query(by): Query<ByHandle>) -> ApiResult {
    one(&app, &format!("{PERSON} handle = ?1"), by.handle).await
}

async fn old_handle(_: Internal, State(app): State<Ctx>, Path(handle): Path<String>) -> ApiResult {
    let sql = "select json_object('id', p.id, 'handle', p.handle) from old_handles as o
        join people as p on p.id = o.id where o.handle = ?1";
    one(&app, sql, handle).await
}

#[derive(Deserialize)]
struct Thing {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

async fn visible(_: Internal, State(app): State<Ctx>, Query(thing): Query<Thing>) -> ApiResult {
    let sql = "select json_object('authorId', author, 'text', type || ' of theirs') from things where type || id = ?1";
    one(&app, sql, thing.kind + &thing.id).await
}

/// Somebody who calls.
#[derive(Clone)]
pub struct Who {
    pub id: Id,
    pub handle: &'static str,
    pub token: String,
}

impl Who {
    /// The body that names them.
    pub fn named(&self) -> Value {
        json!({ "userId": self.id })
    }
}

pub struct Town {
    pub world: World,
    pub alice: Who,
    pub bob: Who,
    pub carla: Who,
    pub erin: Who,
}

pub async fn town() -> Town {
    town_with(&[]).await
}

pub async fn town_with(variables: &[(&str, &str)]) -> Town {
    let variables = [&[("admin_emails", "erin@example.org")], variables].concat();
    let world = World::start(&[&social::SERVICE, &USERS, &POSTS, &SCOOPS], &variables).await;
    let handles = ["alice", "bob", "carla", "erin"];
    let ids = world.people("social", &handles).await;
    let who = |at: usize| Who { id: ids[at], handle: handles[at], token: world.token(ids[at]) };
    let (alice, bob, carla) = (who(0), who(1), who(2));
    let erin = Who { token: admin_token(&world, ids[3]), ..who(3) };
    Town { world, alice, bob, carla, erin }
}

/// A token of somebody whose address is erin's, and verified.
pub fn admin_token(world: &World, id: Id) -> String {
    let (email, email_verified) = (Some("erin@example.org".to_owned()), Some(json!(true)));
    world.token_with(id, ExtraClaims { email, email_verified, ..ExtraClaims::default() })
}

impl Town {
    pub async fn post(&self, who: &Who, path: &str, body: Value) -> Answer {
        self.world.post("social", path, &who.token, body).await
    }

    pub async fn get(&self, who: &Who, path: &str) -> Answer {
        self.world.get("social", path, &who.token).await
    }

    /// A verb that must succeed; the relationship after it.
    pub async fn tie(&self, who: &Who, verb: &str, whom: &Who) -> Value {
        let answer = self.post(who, verb, whom.named()).await;
        assert_eq!(answer.status, 200, "{verb} {answer:?}");
        answer.body
    }

    /// Accounts of `who` as `users` would tell of them now.
    pub fn account(&self, who: &Who, rev: i64, change: Value) -> Value {
        let mut account = json!({
            "id": who.id, "handle": who.handle, "displayName": null, "bio": null, "avatarUrl": null,
            "private": 0, "createdAt": "2026-01-01T00:00:00.000Z", "status": "active", "rev": rev,
        });
        for (name, value) in change.as_object().into_iter().flatten() {
            account[name] = value.clone();
        }
        account
    }

    /// The service hears of a change of `who`.
    pub async fn change(&self, who: &Who, kind: &str, rev: i64, change: Value) {
        let account = self.account(who, rev, change);
        self.world.hear("social", "users", &[(kind, &who.id.to_string(), account)]).await;
    }

    pub async fn make_private(&self, who: &Who) {
        self.change(who, "user.updated", 2, json!({ "private": 1 })).await;
    }

    /// Puts a person into the stand-in of `users` alone.
    pub async fn register_elsewhere(&self, handle: &'static str) -> Who {
        let id = self.world.people("users", &[handle]).await[0];
        Who { id, handle, token: self.world.token(id) }
    }

    /// Puts a post or comment into the stand-in of `posts`, a scoop into that of `scoops`.
    pub async fn publish(&self, kind: &str, author: &Who) -> Id {
        let id = self.world.id();
        let service = if kind == "scoop" { "scoops" } else { "posts" };
        self.rows(service, "insert into things values (?1, ?2, ?3)", params![id, kind, author.id]).await;
        id
    }

    /// A report that must be taken; its id.
    pub async fn report(&self, who: &Who, kind: &str, id: impl ToString) -> String {
        let body =
            json!({ "targetType": kind, "targetId": id.to_string(), "reason": "abuse", "details": "Rude." });
        let made = self.post(who, "/report", body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// erin decides a report, which must be open; the answer.
    pub async fn resolve(&self, report: &str, action: &str) -> Value {
        let path = format!("/admin/reports/{report}/resolve");
        let answer =
            self.post(&self.erin, &path, json!({ "action": action, "note": "Read the rules." })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// erin suspends somebody.
    pub async fn suspend(&self, whom: &Who) -> Answer {
        let path = format!("/admin/users/{}/suspend", whom.id);
        self.post(&self.erin, &path, json!({ "reason": "Spam." })).await
    }

    pub async fn appeal(&self, who: &Who, report: &str) -> Answer {
        self.post(who, "/me/appeals", json!({ "reportId": report, "text": "It was a joke." })).await
    }

    pub async fn rows(
        &self,
        service: &str,
        sql: &str,
        params: Vec<shared::db::Value>,
    ) -> Vec<Vec<shared::db::Value>> {
        self.world.app(service).db.rows(sql, params).await.unwrap()
    }

    /// A number out of the service's database.
    pub async fn number(&self, service: &str, sql: &str) -> i64 {
        self.rows(service, sql, params![]).await[0][0].as_integer().unwrap()
    }

    /// The events emitted so far, each `(type, body)`.
    pub async fn outbox(&self) -> Vec<(String, Value)> {
        let rows = self.rows("social", "select type, body from outbox order by seq", params![]).await;
        let text = |value: &shared::db::Value| value.as_text().unwrap().to_owned();
        rows.iter().map(|row| (text(&row[0]), serde_json::from_str(&text(&row[1])).unwrap())).collect()
    }

    /// The ties of a service's database in words, sorted.
    pub async fn ties(&self, service: &str) -> Vec<String> {
        let sql = "select json_group_array(line) from (
            select one.handle || ' ' || t.kind || ' ' || other.handle as line from (
                select 'follows' as kind, follower as one, followee as other from follows
                union all select 'asks', requester, target from follow_requests
                union all select 'blocks', blocker, blocked from blocks
                union all select 'mutes', muter, muted from mutes) as t
            join people as one on one.pk = t.one join people as other on other.pk = t.other
            order by line)";
        self.world.app(service).db.read_as(sql, params![]).await.unwrap().unwrap()
    }

    /// Lets the other services know who is who, so that [`Town::ties`] can name them.
    pub async fn introduce(&self) {
        for service in ["users", "posts"] {
            for who in [&self.alice, &self.bob, &self.carla] {
                let person: Person = serde_json::from_value(self.account(who, 1, json!({}))).unwrap();
                shared::people::adopt(self.world.app(service), &person).await.unwrap();
            }
        }
    }
}

/// The names of an object, sorted.
pub fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> =
        object.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default();
    keys.sort_unstable();
    keys
}

/// The handles of the people in a page.
pub fn handles(page: &Answer) -> Vec<&str> {
    assert_eq!(page.status, 200, "{page:?}");
    page.body["items"].as_array().unwrap().iter().map(|item| item["handle"].as_str().unwrap()).collect()
}

/// The code of a problem.
pub fn problem(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or(""))
}

pub fn relationship(names: &[&str]) -> Value {
    let mut all = json!({ "following": false, "followedBy": false, "requested": false, "blocking": false, "muting": false });
    for name in names {
        all[*name] = json!(true);
    }
    all
}

pub const USER: [&str; 7] = ["avatarUrl", "bio", "createdAt", "displayName", "handle", "id", "private"];
pub const PROFILE: [&str; 9] =
    ["avatarUrl", "bio", "counts", "createdAt", "displayName", "handle", "id", "private", "relationship"];
