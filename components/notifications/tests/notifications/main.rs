//! The service over a real SQLite, called as clients and other services call it, with push services that receive.

// Helpers of tests fail loudly, and their names say what they do.
#![allow(missing_docs, clippy::unwrap_used)]

mod badges;
mod endpoints;
mod events;
mod failures;
mod grouping;
mod paging;
mod plans;
mod privacy;
mod providers;
mod pushes;
mod quiet;
mod reading;
mod receivers;
mod reports;
mod routes;
mod withdrawal;

use bytes::Bytes;
use http::{Method, Request, header};
use serde_json::{Value, json};
use shared::app::App;
use shared::clock::{Clock, Instant};
use shared::ids::Id;
use shared::params;
use shared::testing::{Answer, INTERNAL_TOKEN, World};

/// A post of alice's.
pub const POST: &str = "01a20052-fe97-7114-a1f4-07248e949f06";
/// Another.
pub const OTHER: &str = "01a20052-fe97-7114-a1f4-07248e949f07";
/// A comment.
pub const COMMENT: &str = "01a20052-fe97-7114-a1f4-07248e949f08";
/// A reply to it.
pub const REPLY: &str = "01a20052-fe97-7114-a1f4-07248e949f09";

/// Indices of the people here.
pub const ALICE: usize = 0;
pub const BOB: usize = 1;
pub const CARLA: usize = 2;
pub const DORA: usize = 3;
pub const EVE: usize = 4;

/// The service with people who can all call it.
pub struct House {
    pub world: World,
    pub ids: Vec<Id>,
    pub tokens: Vec<String>,
}

pub async fn start() -> House {
    start_with(&[]).await
}

pub async fn start_with(variables: &[(&str, &str)]) -> House {
    let world = World::start(&[&::notifications::SERVICE], variables).await;
    let ids = world.people("notifications", &["alice", "bob", "carla", "dora", "eve"]).await;
    let tokens = ids.iter().map(|id| world.token(*id)).collect();
    House { world, ids, tokens }
}

impl House {
    pub async fn get(&self, path: &str, who: usize) -> Answer {
        self.world.get("notifications", path, &self.tokens[who]).await
    }

    pub async fn post(&self, path: &str, who: usize, body: Value) -> Answer {
        self.world.post("notifications", path, &self.tokens[who], body).await
    }

    pub async fn delete(&self, path: &str, who: usize, body: Value) -> Answer {
        self.world.call("notifications", Method::DELETE, path, &self.tokens[who], &[], body).await
    }

    /// What somebody is told, newest first.
    pub async fn list(&self, who: usize) -> Vec<Value> {
        let answer = self.get("/notifications?limit=100", who).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["items"].as_array().unwrap().clone()
    }

    /// The same as words: `reaction 2`.
    pub async fn told(&self, who: usize) -> Vec<String> {
        let word = |one: &Value| format!("{} {}", one["type"].as_str().unwrap(), one["actorCount"]);
        self.list(who).await.iter().map(word).collect()
    }

    pub async fn unread(&self, who: usize) -> i64 {
        let answer = self.get("/notifications?unread=true&limit=100", who).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["unreadCount"].as_i64().unwrap()
    }

    pub async fn hear(&self, source: &str, kind: &str, body: Value) {
        let key = body["userId"].as_str().or(body["id"].as_str()).unwrap_or("k").to_owned();
        self.world.hear("notifications", source, &[(kind, &key, body)]).await;
        look_now().await;
    }

    /// [`House::hear`] of something that happened so many minutes from now.
    pub async fn hear_at(&self, minutes: i64, source: &str, kind: &str, body: Value) {
        let heard = "select coalesce((select seq from inbox_cursors where source = ?1), 0)";
        let app = self.world.app("notifications");
        let after: i64 = app.db.read_as(heard, params![source]).await.unwrap().unwrap();
        let at = Instant::from_millis(app.now().millis() + minutes * 60_000).rfc3339();
        let event = json!({ "seq": after + 1, "type": kind, "key": "k", "at": at, "body": body });
        let batch = json!({ "source": source, "after": after, "events": [event] });
        let answer = self.world.post("notifications", "/internal/events", INTERNAL_TOKEN, batch).await;
        assert_eq!(answer.body["seq"], after + 1, "{answer:?}");
        look_now().await;
    }

    pub fn reacted(&self, who: usize, post: &str, kind: &str) -> Value {
        json!({ "postId": post, "postAuthorId": self.ids[ALICE], "userId": self.ids[who], "type": kind })
    }

    /// Somebody reacts to a post of alice's.
    pub async fn react(&self, who: usize, post: &str, kind: &str) {
        self.hear("posts", "reaction.created", self.reacted(who, post, kind)).await;
    }

    pub async fn unreact(&self, who: usize, post: &str, kind: &str) {
        self.hear("posts", "reaction.removed", self.reacted(who, post, kind)).await;
    }

    /// Somebody comments on a post of alice's, maybe in answer to a comment of somebody's, naming others.
    pub async fn comment(&self, who: usize, id: &str, parent: Option<(&str, usize)>, mentions: &[usize]) {
        self.comment_below("public", who, id, parent, mentions).await;
    }

    /// [`House::comment`] on a post that those may see.
    pub async fn comment_below(
        &self,
        visibility: &str,
        who: usize,
        id: &str,
        parent: Option<(&str, usize)>,
        mentions: &[usize],
    ) {
        let named: Vec<Id> = mentions.iter().map(|who| self.ids[*who]).collect();
        let body = json!({ "commentId": id, "postId": POST, "postAuthorId": self.ids[ALICE], "visibility": visibility,
            "parentId": parent.map(|parent| parent.0), "parentAuthorId": parent.map(|parent| self.ids[parent.1]),
            "authorId": self.ids[who], "mentions": named });
        self.hear("posts", "comment.created", body).await;
    }

    pub async fn uncomment(&self, who: usize, id: &str) {
        let body = json!({ "commentId": id, "postId": POST, "postAuthorId": self.ids[ALICE], "authorId": self.ids[who] });
        self.hear("posts", "comment.deleted", body).await;
    }

    /// Somebody publishes a post that names others; one that names nobody is not told of.
    pub async fn publish(&self, who: usize, post: &str, visibility: &str, mentions: &[usize]) {
        let named: Vec<Id> = mentions.iter().map(|who| self.ids[*who]).collect();
        let body =
            json!({ "postId": post, "authorId": self.ids[who], "visibility": visibility, "mentions": named });
        self.hear("posts", "mention.created", body).await;
    }

    pub async fn unpublish(&self, who: usize, post: &str) {
        let body = json!({ "postId": post, "authorId": self.ids[who], "wasPublished": true });
        self.hear("posts", "post.deleted", body).await;
    }

    /// Hears a tie of social: `tie("follow.created", BOB, ALICE)` is bob following alice.
    pub async fn tie(&self, kind: &str, one: usize, other: usize) {
        let names = match kind {
            "follow.requested" | "follow.request_removed" => ["requesterId", "targetId"],
            _ if kind.starts_with("follow.") => ["followerId", "followeeId"],
            _ if kind.starts_with("block.") => ["blockerId", "blockedId"],
            _ => ["muterId", "mutedId"],
        };
        self.hear("social", kind, json!({ names[0]: self.ids[one], names[1]: self.ids[other] })).await;
    }

    /// Hears a change of a person.
    pub async fn change(&self, kind: &str, who: usize, change: Value) {
        let sql = "select json_object('id', id, 'handle', handle, 'displayName', display_name, 'bio', bio,
            'avatarUrl', avatar_url, 'private', private, 'createdAt', created_at, 'status', status, 'rev', rev + 1)
            from people where id = ?1";
        let row = self.world.app("notifications").db.read_as(sql, params![self.ids[who]]).await;
        let mut row: Value = row.unwrap().unwrap();
        for (name, value) in change.as_object().unwrap() {
            row[name] = value.clone();
        }
        self.hear("users", kind, row).await;
    }

    /// Hears what somebody wants to be pushed: `{"comment": false}` is all but comments.
    pub async fn want(&self, who: usize, switches: Value, hours: Value) {
        let mut push =
            json!({ "follow": true, "reaction": true, "comment": true, "mention": true, "scoop": true });
        for (name, value) in switches.as_object().unwrap() {
            push[name] = value.clone();
        }
        let preferences = json!({ "push": push, "quietHours": hours });
        let body = json!({ "userId": self.ids[who], "preferences": preferences });
        self.hear("users", "preferences.updated", body).await;
    }

    pub async fn tick(&self) {
        let answer = self.world.post("notifications", "/internal/tick", INTERNAL_TOKEN, json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// A tick as of so many seconds from now, by a service on the same database whose clock was moved.
    pub async fn tick_later(&self, seconds: i64) {
        let mut platform = self.world.platform.clone();
        let offset = self.world.app("notifications").now().seconds() - Clock::default().now().seconds();
        platform.variables.insert("test_clock_offset_seconds".to_owned(), (offset + seconds).to_string());
        let later = App::start(&::notifications::SERVICE, platform).await.unwrap();
        let routes = shared::app::router(later);
        self.world.platform.mesh.lock().unwrap().insert("later.spin.internal".to_owned(), routes);
        let request = Request::post("http://later.spin.internal/internal/tick")
            .header(header::AUTHORIZATION, format!("Bearer {INTERNAL_TOKEN}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from_static(b"{}"))
            .unwrap();
        let answer = self.world.platform.send(request, 1 << 20).await.unwrap();
        assert_eq!(answer.status(), 200, "{answer:?}");
    }

    pub async fn sql(&self, sql: &str) {
        self.world.app("notifications").db.rows(sql, params![]).await.unwrap();
    }

    /// One value of the database.
    pub async fn one(&self, sql: &str) -> String {
        self.world.app("notifications").db.read(sql, params![]).await.unwrap().unwrap_or_default()
    }

    /// The bodies of the events told so far, of one type.
    pub async fn emitted(&self, kind: &str) -> Vec<Value> {
        let sql =
            "select json_group_array(json(body)) from (select body from outbox where type = ?1 order by seq)";
        self.world.app("notifications").db.read_as(sql, params![kind]).await.unwrap().unwrap()
    }
}

/// Lets what the service began after its answer see the queue as it is, and not as the test changes it next.
async fn look_now() {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

/// The handles of the actors of a notification.
pub fn actors(notification: &Value) -> Vec<&str> {
    notification["actors"].as_array().unwrap().iter().map(|user| user["handle"].as_str().unwrap()).collect()
}

/// The names of an object's members, sorted.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// Status, code and first field at fault of a refusal.
pub fn refusal(answer: &Answer) -> (u16, &str, &str) {
    let field = answer.body["errors"][0]["field"].as_str().unwrap_or_default();
    (answer.status, answer.body["code"].as_str().unwrap_or_default(), field)
}
