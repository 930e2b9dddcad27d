//! The service over a real SQLite, with `notifications` beside it; streams are read as a client reads them.

// Helpers of tests fail loudly, and their names say what they do.
#![allow(missing_docs, clippy::unwrap_used)]

mod ending;
mod erasure;
mod failures;
mod log;
mod notifications;
mod order;
mod plans;
mod privacy;
mod routes;
mod streams;
mod telling;
mod tickets;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Value, json};
use shared::app::App;
use shared::clock::Instant;
use shared::ids::Id;
use shared::params;
use shared::people::{Person, adopt};
use shared::testing::{Answer, Event, INTERNAL_TOKEN, Stream, World};

pub const POST: &str = "01a20052-fe97-7114-a1f4-07248e949f06";
pub const SCOOP: &str = "01a20052-fe97-7114-a1f4-07248e949f07";

/// Indices of the people here.
pub const ALICE: usize = 0;
pub const BOB: usize = 1;
pub const CARLA: usize = 2;

pub struct House {
    pub world: World,
    pub ids: Vec<Id>,
    pub tokens: Vec<String>,
}

/// alice follows bob.
pub async fn start() -> House {
    let store = [("s3_endpoint", "http://127.0.0.1:9000"), ("s3_bucket", "b"), ("s3_access_key_id", "id")];
    let world = World::start(&[&::realtime::SERVICE, &::notifications::SERVICE], &store).await;
    let ids = world.people("realtime", &["alice", "bob", "carla"]).await;
    let tokens = ids.iter().map(|id| world.token(*id)).collect();
    let house = House { world, ids, tokens };
    for (id, handle) in house.ids.iter().zip(["alice", "bob", "carla"]) {
        let app = house.world.app("notifications");
        let (handle, created_at) = (Some(handle.to_owned()), app.now().rfc3339());
        let (status, rev) = ("active".to_owned(), 1);
        let none = None::<String>;
        let person = Person {
            id: *id,
            handle,
            display_name: none.clone(),
            bio: none.clone(),
            avatar_url: none,
            private: 0,
            created_at,
            status,
            rev,
        };
        adopt(app, &person).await.unwrap();
    }
    house.tie("follow.created", ALICE, BOB).await;
    house
}

impl House {
    /// Opens a stream and reads its opening; where it stands.
    pub async fn listen(&self, who: usize) -> Stream {
        let mut stream = self.open(who, &[]).await;
        let opening = stream.next().await.unwrap();
        assert_eq!((opening.name.as_str(), opening.data), ("", Value::Null));
        stream
    }

    /// Opens a stream of who has the event `last`, and reads its opening.
    pub async fn resume(&self, who: usize, last: i64) -> (Stream, Event) {
        let mut stream = self.open(who, &[("last-event-id", &last.to_string())]).await;
        let opening = stream.next().await.unwrap();
        (stream, opening)
    }

    pub async fn open(&self, who: usize, headers: &[(&str, &str)]) -> Stream {
        self.try_open("/realtime", &self.tokens[who], headers).await.unwrap()
    }

    pub async fn try_open(
        &self,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
    ) -> Result<Stream, Answer> {
        self.world.open("realtime", path, token, headers).await
    }

    /// A token of a session that ends in so many seconds.
    pub async fn token_for(&self, who: usize, session: Id, seconds: i64) -> String {
        let token = format!("{session}.{seconds}");
        let name = URL_SAFE_NO_PAD.encode(shared_hash(&token));
        let ends = self.world.app("realtime").now().seconds() + seconds;
        let says = json!({ "user": self.ids[who], "email": null, "email_verified": false, "in_admin_group": false,
            "session": session, "expires": ends });
        self.world.platform.kv_set(&format!("token:{name}"), says.to_string().as_bytes()).await.unwrap();
        token
    }

    /// A ticket of whose token it is.
    pub async fn ticket(&self, token: &str) -> String {
        let answer = self.world.post("realtime", "/realtime/ticket", token, Value::Null).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["ticket"].as_str().unwrap().to_owned()
    }

    pub async fn hear(&self, source: &str, kind: &str, body: Value) {
        let key = body["userId"].as_str().or(body["id"].as_str()).unwrap_or("k").to_owned();
        self.world.hear("realtime", source, &[(kind, &key, body)]).await;
    }

    pub async fn publish(&self, who: usize, post: impl Into<Value>) {
        let body = json!({ "postId": post.into(), "authorId": self.ids[who], "visibility": "public" });
        self.hear("posts", "post.published", body).await;
    }

    /// A scoop of an hour.
    pub async fn show(&self, who: usize, audience: &str) {
        let ends = self.world.app("realtime").now().millis() + 3_600_000;
        let body = json!({ "scoopId": SCOOP, "authorId": self.ids[who], "audience": audience,
            "expiresAt": Instant::from_millis(ends).rfc3339() });
        self.hear("scoops", "scoop.published", body).await;
    }

    pub async fn befriend(&self, kind: &str, owner: usize, friend: usize) {
        self.hear("scoops", kind, json!({ "ownerId": self.ids[owner], "friendId": self.ids[friend] })).await;
    }

    /// Hears a tie of social: `tie("follow.created", BOB, ALICE)` is bob following alice.
    pub async fn tie(&self, kind: &str, one: usize, other: usize) {
        let names = match kind.split('.').next() {
            Some("follow") => ["followerId", "followeeId"],
            Some("block") => ["blockerId", "blockedId"],
            _ => ["muterId", "mutedId"],
        };
        self.hear("social", kind, json!({ names[0]: self.ids[one], names[1]: self.ids[other] })).await;
    }

    /// Hears a change of a person.
    pub async fn change(&self, kind: &str, who: usize, change: Value) {
        let sql = "select json_object('id', id, 'handle', handle, 'displayName', display_name, 'bio', bio,
            'avatarUrl', avatar_url, 'private', private, 'createdAt', created_at, 'status', status, 'rev', rev + 1)
            from people where id = ?1";
        let row = self.world.app("realtime").db.read_as(sql, params![self.ids[who]]).await;
        let mut row: Value = row.unwrap().unwrap();
        for (name, value) in change.as_object().unwrap() {
            row[name] = value.clone();
        }
        self.hear("users", kind, row).await;
    }

    /// bob reacts to a post of alice's, and `notifications` hears of it.
    pub async fn react(&self, who: usize, kind: &str) {
        self.told("reaction.created", who, kind).await;
    }

    pub async fn unreact(&self, who: usize, kind: &str) {
        self.told("reaction.removed", who, kind).await;
    }

    async fn told(&self, event: &str, who: usize, kind: &str) {
        let body =
            json!({ "postId": POST, "postAuthorId": self.ids[ALICE], "userId": self.ids[who], "type": kind });
        self.world.hear("notifications", "posts", &[(event, "k", body)]).await;
    }

    pub async fn tick(&self) {
        self.sql("delete from chores").await;
        let answer = self.world.post("realtime", "/internal/tick", INTERNAL_TOKEN, json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The service on the same database with a clock that is so many seconds ahead, for requests from now on.
    pub async fn clock(&mut self, seconds: i64) {
        let mut platform = self.world.platform.clone();
        platform.variables.insert("test_clock_offset_seconds".to_owned(), seconds.to_string());
        self.world.apps[0] = App::start(&::realtime::SERVICE, platform).await.unwrap();
    }

    pub async fn sql(&self, sql: &str) {
        self.world.app("realtime").db.rows(sql, params![]).await.unwrap();
    }

    /// One value of the database.
    pub async fn one(&self, sql: &str) -> String {
        self.world.app("realtime").db.read(sql, params![]).await.unwrap().unwrap_or_default()
    }

    /// [`House::one`] as soon as it is `expected`.
    pub async fn eventually(&self, sql: &str, expected: &str) {
        for _ in 0..100 {
            if self.one(sql).await == expected {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(self.one(sql).await, expected, "{sql}");
    }

    pub async fn status(&self, method: Method, path: &str, token: &str) -> u16 {
        self.world.call("realtime", method, path, token, &[], Value::Null).await.status
    }
}

fn shared_hash(text: &str) -> [u8; 32] {
    hmac_sha256::Hash::hash(text.as_bytes())
}

/// Number, name and data of the next event.
pub async fn next(stream: &mut Stream) -> (i64, String, Value) {
    let Event { id, name, data } = stream.next().await.unwrap();
    (id.unwrap(), name, data)
}

/// Status and code of a refusal.
pub fn refusal<T>(opened: Result<T, Answer>) -> (u16, String) {
    let answer = opened.err().unwrap();
    (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
}

/// The names of an object's members, sorted.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
