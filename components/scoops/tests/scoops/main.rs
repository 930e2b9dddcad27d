//! The scoops service over a real SQLite, called as a client calls it. What `media` answers to a claim is said by each test;
//! what it tells later is heard as events.

// Helpers of tests fail loudly, and their names say what they do.
#![allow(missing_docs, clippy::unwrap_used)]

mod close_friends;
mod events;
mod expiry;
mod feed;
mod links;
mod lists;
mod media;
mod moderation;
mod paging;
mod plans;
mod privacy;
mod routes;
mod scoops;
mod views;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Value, json};
use shared::app::App;
use shared::ids::Id;
use shared::params;
use shared::testing::{Answer, INTERNAL_TOKEN, World};

/// The service with alice, bob and carla, who can all call it. bob follows alice.
pub struct Scoops {
    pub world: World,
    pub ids: Vec<Id>,
    pub alice: String,
    pub bob: String,
    pub carla: String,
}

pub async fn start() -> Scoops {
    start_with(&[]).await
}

pub async fn start_with(variables: &[(&str, &str)]) -> Scoops {
    let store = [("s3_endpoint", "http://127.0.0.1:9000"), ("s3_bucket", "b"), ("s3_access_key_id", "id")];
    let all: Vec<_> = store.iter().chain(variables).copied().collect();
    let world = World::start(&[&::scoops::SERVICE], &all).await;
    let ids = world.people("scoops", &["alice", "bob", "carla"]).await;
    let mut tokens = Vec::new();
    for id in &ids {
        tokens.push(lasting_token(&world, *id).await);
    }
    let [alice, bob, carla]: [String; 3] = tokens.try_into().unwrap();
    let scoops = Scoops { world, ids, alice, bob, carla };
    scoops.claims_are("ready");
    scoops.tie("follow.created", 1, 0).await;
    scoops
}

/// A token that outlives any move of the clock.
pub async fn lasting_token(world: &World, id: Id) -> String {
    let token = world.token(id);
    let name = URL_SAFE_NO_PAD.encode(hmac_sha256::Hash::hash(token.as_bytes()));
    let says = json!({ "user": id, "email": null, "email_verified": false, "in_admin_group": false, "expires": i64::MAX });
    world.platform.kv_set(&format!("token:{name}"), says.to_string().as_bytes()).await.unwrap();
    token
}

/// The template of an image that is `status`, as `media` tells of it.
pub fn template(key: Id, status: &str) -> Value {
    let url = (status == "ready").then(|| format!("@o/{key}/1/large.jpg"));
    json!({ "key": key, "kind": "image", "status": status, "progress": 0, "error": null, "url": url, "hlsUrl": null,
        "posterUrl": null, "width": 40, "height": 30, "durationMs": null, "blurhash": "LEHV6nWB2yk8" })
}

impl Scoops {
    /// From now on every upload that is claimed is `status`.
    pub fn claims_are(&self, status: &'static str) {
        let answer = async move |body: String| {
            let body: Value = serde_json::from_str(&body).unwrap();
            let item = |key: &Value| {
                let key = Id::parse(key.as_str().unwrap()).unwrap();
                json!({ "key": key, "status": status, "media": template(key, status), "avatarUrl": null })
            };
            json!({ "items": body["keys"].as_array().unwrap().iter().map(item).collect::<Vec<_>>() })
                .to_string()
        };
        self.media_is(axum::Router::new().route("/internal/claims", axum::routing::post(answer)));
    }

    /// From now on this answers for `media`.
    pub fn media_is(&self, routes: axum::Router) {
        self.world.platform.mesh.lock().unwrap().insert("media.spin.internal".to_owned(), routes);
    }

    /// Hears what `media` tells of a key.
    pub async fn hear(&self, kind: &str, key: Id) {
        let status = kind.strip_prefix("media.").unwrap();
        let mut body = json!({ "key": key, "ownerId": self.ids[0] });
        if status != "deleted" {
            body["media"] = template(key, status);
            body["avatarUrl"] = Value::Null;
        }
        self.world.hear("scoops", "media", &[(kind, "k", body)]).await;
    }

    /// The clock of the service is so many seconds ahead from now on.
    pub async fn clock(&mut self, seconds: i64) {
        let mut platform = self.world.platform.clone();
        platform.variables.insert("test_clock_offset_seconds".to_owned(), seconds.to_string());
        self.world.apps = vec![App::start(&::scoops::SERVICE, platform).await.unwrap()];
    }

    pub async fn tick(&self) {
        let answer = self.post("/internal/tick", INTERNAL_TOKEN, json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// [`Scoops::tick`], where what is done once a minute is due.
    pub async fn tick_of_a_minute(&self) {
        self.sql("delete from chores").await;
        self.tick().await;
    }

    pub async fn call(&self, method: Method, path: &str, token: &str) -> Answer {
        self.world.call("scoops", method, path, token, &[], Value::Null).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.world.get("scoops", path, token).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.world.post("scoops", path, token, body).await
    }

    pub async fn status(&self, method: Method, path: &str, token: &str) -> u16 {
        self.call(method, path, token).await.status
    }

    /// Makes a scoop of an upload of its own with `more` in the body; the scoop.
    pub async fn make_with(&self, token: &str, more: Value) -> Value {
        let mut body = json!({ "mediaKey": self.world.id() });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = self.post("/scoops", token, body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body
    }

    /// Makes a scoop; its id.
    pub async fn make(&self, token: &str) -> String {
        id_of(&self.make_with(token, json!({})).await)
    }

    /// Makes a scoop for close friends; its id.
    pub async fn make_close(&self, token: &str) -> String {
        id_of(&self.make_with(token, json!({ "audience": "close_friends" })).await)
    }

    pub async fn view(&self, scoop: &str, token: &str) -> u16 {
        self.post(&format!("/scoops/{scoop}/view"), token, json!(null)).await.status
    }

    pub async fn sees(&self, scoop: &str, token: &str) -> bool {
        match self.get(&format!("/scoops/{scoop}"), token).await.status {
            200 => true,
            404 => false,
            other => panic!("{other}"),
        }
    }

    pub async fn befriend(&self, token: &str, who: usize) {
        let path = format!("/close-friends/{}", self.ids[who]);
        assert_eq!(self.status(Method::PUT, &path, token).await, 204);
    }

    /// Hears a tie of social: `tie("follow.created", 1, 0)` is bob following alice.
    pub async fn tie(&self, kind: &str, one: usize, other: usize) {
        let names = match kind.split('.').next() {
            Some("follow") => ["followerId", "followeeId"],
            Some("block") => ["blockerId", "blockedId"],
            _ => ["muterId", "mutedId"],
        };
        let body = json!({ names[0]: self.ids[one], names[1]: self.ids[other] });
        self.world.hear("scoops", "social", &[(kind, "k", body)]).await;
    }

    /// Hears a change of a person: `private`, `status` and more of their row.
    pub async fn change(&self, kind: &str, who: usize, change: Value) {
        let row = "select json_object('id', id, 'handle', handle, 'displayName', display_name, 'bio', bio, 'avatarUrl', avatar_url,
            'private', private, 'createdAt', created_at, 'status', status, 'rev', rev + 1) from people where id = ?1";
        let db = &self.world.app("scoops").db;
        let mut row: Value = db.read_as(row, params![self.ids[who]]).await.unwrap().unwrap();
        for (name, value) in change.as_object().unwrap() {
            row[name] = value.clone();
        }
        self.world.hear("scoops", "users", &[(kind, "k", row)]).await;
    }

    pub async fn sql(&self, sql: &str) {
        self.world.app("scoops").db.rows(sql, params![]).await.unwrap();
    }

    /// One value of the database.
    pub async fn one(&self, sql: &str) -> String {
        self.world.app("scoops").db.read(sql, params![]).await.unwrap().unwrap_or_default()
    }

    /// The bodies of the events told so far, of one type.
    pub async fn told(&self, kind: &str) -> Vec<Value> {
        let sql =
            "select json_group_array(json(body)) from (select body from outbox where type = ?1 order by seq)";
        self.world.app("scoops").db.read_as(sql, params![kind]).await.unwrap().unwrap()
    }

    /// Every item of a list, `limit` at a time.
    pub async fn all(&self, path: &str, token: &str, limit: u32) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{join}limit={limit}{cursor}"), token).await;
            assert_eq!(page.status, 200, "{page:?}");
            items.extend(
                page.body["items"].as_array().unwrap_or_else(|| panic!("{:?}", page.bytes)).iter().cloned(),
            );
            match page.body["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// The ids of a list of scoops.
    pub async fn ids_of(&self, path: &str, token: &str) -> Vec<String> {
        self.all(path, token, 2).await.iter().map(id_of).collect()
    }

    /// The feed: handles with their scoops, and a `*` where something is unseen.
    pub async fn feed(&self, token: &str) -> Vec<(String, Vec<String>)> {
        let groups = self.all("/scoops/feed", token, 2).await;
        let group = |group: &Value| {
            let mark = if group["hasUnseen"] == true { "*" } else { "" };
            let name = format!("{}{mark}", group["user"]["handle"].as_str().unwrap());
            (name, group["scoops"].as_array().unwrap().iter().map(id_of).collect())
        };
        groups.iter().map(group).collect()
    }

    /// The names of [`Scoops::feed`].
    pub async fn authors(&self, token: &str) -> Vec<String> {
        self.feed(token).await.into_iter().map(|(name, _)| name).collect()
    }
}

pub fn id_of(scoop: &Value) -> String {
    scoop["id"].as_str().unwrap().to_owned()
}

/// Status and code of a problem.
pub fn problem(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or(""))
}

/// The names of an object's members, sorted.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
