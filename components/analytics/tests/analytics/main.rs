//! The service over a real SQLite, called as clients and other services call it.

// Helpers of tests fail loudly, and their names say what they do.
#![allow(missing_docs, clippy::unwrap_used)]

mod erasure;
mod me;
mod order;
mod overview;
mod plans;
mod posts;
mod rebuild;
mod routes;

use std::time::Duration;

use serde_json::{Value, json};
use shared::clock::Instant;
use shared::ids::Id;
use shared::params;
use shared::testing::{Answer, INTERNAL_TOKEN, World};

/// Posts of alice's.
pub const POST: &str = "01a20052-fe97-7114-a1f4-07248e949f06";
pub const OTHER: &str = "01a20052-fe97-7114-a1f4-07248e949f07";

/// Indices of the people here.
pub const ALICE: usize = 0;
pub const BOB: usize = 1;
pub const CARLA: usize = 2;

/// An event: its type, how many days ago, its body.
pub type Event = (&'static str, u32, Value);

/// The service with alice, bob and carla.
pub struct House {
    pub world: World,
    pub ids: Vec<Id>,
    pub tokens: Vec<String>,
}

pub async fn start() -> House {
    let world = World::start(&[&::analytics::SERVICE], &[("admin_emails", "root@example.org")]).await;
    let ids = world.people("analytics", &["alice", "bob", "carla"]).await;
    let tokens = ids.iter().map(|id| world.token(*id)).collect();
    House { world, ids, tokens }
}

impl House {
    pub async fn get(&self, path: &str, who: usize) -> Answer {
        self.world.get("analytics", path, &self.tokens[who]).await
    }

    /// A good answer to somebody.
    pub async fn good(&self, path: &str, who: usize) -> Value {
        let answer = self.get(path, who).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    pub fn ago(&self, days: u32) -> Instant {
        self.world.app("analytics").now().minus(Duration::from_secs(86_400) * days)
    }

    /// The date so many days ago.
    pub fn date(&self, days: u32) -> String {
        self.ago(days).rfc3339()[..10].to_owned()
    }

    /// A batch as the relay of `source` posts it, and how far the service has applied what that tells.
    pub async fn send(&self, source: &str, after: i64, events: &[(i64, Event)]) -> i64 {
        let event = |(seq, (kind, days, body)): &(i64, Event)| {
            let key = body["id"].as_str().unwrap_or("k");
            json!({ "seq": seq, "type": kind, "key": key, "at": self.ago(*days).rfc3339(), "body": body })
        };
        let events: Vec<Value> = events.iter().map(event).collect();
        let batch = json!({ "source": source, "after": after, "events": events });
        let answer = self.world.post("analytics", "/internal/events", INTERNAL_TOKEN, batch).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["seq"].as_i64().unwrap()
    }

    pub async fn hear(&self, source: &str, events: &[Event]) {
        let heard = "select coalesce((select seq from inbox_cursors where source = ?1), 0)";
        let db = &self.world.app("analytics").db;
        let after: i64 = db.read_as(heard, params![source]).await.unwrap().unwrap();
        let numbered: Vec<(i64, Event)> = (after + 1..).zip(events.iter().cloned()).collect();
        self.send(source, after, &numbered).await;
    }

    pub fn published(&self, who: usize, post: &str) -> Value {
        json!({ "postId": post, "authorId": self.ids[who], "visibility": "public" })
    }

    pub fn gone(&self, who: usize, post: &str) -> Value {
        json!({ "postId": post, "authorId": self.ids[who], "wasPublished": true })
    }

    pub fn viewed(&self, who: usize, post: &str) -> Value {
        json!({ "postId": post, "authorId": self.ids[ALICE], "viewerId": self.ids[who] })
    }

    pub fn reacted(&self, who: usize, post: &str, kind: &str) -> Value {
        json!({ "postId": post, "postAuthorId": self.ids[ALICE], "userId": self.ids[who], "type": kind })
    }

    pub fn commented(&self, who: usize, post: &str, comment: &str) -> Value {
        json!({ "commentId": comment, "postId": post, "postAuthorId": self.ids[ALICE], "parentId": null,
            "parentAuthorId": null, "authorId": self.ids[who], "mentions": [] })
    }

    pub fn uncommented(&self, who: usize, post: &str, comment: &str) -> Value {
        json!({ "commentId": comment, "postId": post, "postAuthorId": self.ids[ALICE], "authorId": self.ids[who] })
    }

    pub fn follow(&self, who: usize, whom: usize) -> Value {
        json!({ "followerId": self.ids[who], "followeeId": self.ids[whom] })
    }

    /// A person as `users` tells of them; `rev` is the newest.
    pub fn person(&self, id: Id, came: u32, status: &str, rev: i64) -> Value {
        json!({ "id": id, "handle": null, "displayName": null, "bio": null, "avatarUrl": null, "private": 0,
            "createdAt": self.ago(came).rfc3339(), "status": status, "rev": rev })
    }

    /// `users` tells that somebody was deleted.
    pub async fn erase(&self, who: usize) {
        let mut body = self.person(self.ids[who], 0, "deleted", 9);
        body["deletionId"] = json!(self.world.id());
        self.hear("users", &[("user.deleted", 0, body)]).await;
    }

    /// What `/analytics/me` tells of the day so many days ago.
    pub async fn day(&self, who: usize, days: u32) -> Value {
        let body = self.good("/analytics/me?days=90", who).await;
        let index = 89 - usize::try_from(days).unwrap();
        body["days"][index].clone()
    }

    /// One value of the database.
    pub async fn one(&self, sql: &str) -> String {
        self.world.app("analytics").db.read(sql, params![]).await.unwrap().unwrap_or_default()
    }

    pub async fn sql(&self, sql: &str) {
        self.world.app("analytics").db.rows(sql, params![]).await.unwrap();
    }
}

/// A token of somebody whose verified address is an administrator's.
pub fn admin(world: &World, id: Id) -> String {
    let extra = shared::jwks::ExtraClaims {
        email: Some("root@example.org".to_owned()),
        email_verified: Some(json!(true)),
        ..Default::default()
    };
    world.token_with(id, extra)
}

/// Status and code of a refusal.
pub fn refusal(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or_default())
}
