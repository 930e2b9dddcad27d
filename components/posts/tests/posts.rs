//! The posts service over a real SQLite, called as a client calls it.

// Helpers of tests fail loudly, and their names say what they do.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "posts/comments.rs"]
mod comments;
#[path = "posts/events.rs"]
mod events;
#[path = "posts/feed.rs"]
mod feed;
#[path = "posts/heads.rs"]
mod heads;
#[path = "posts/media.rs"]
mod media;
#[path = "posts/moderation.rs"]
mod moderation;
#[path = "posts/posts.rs"]
mod posts;
#[path = "posts/reactions.rs"]
mod reactions;
#[path = "posts/routes.rs"]
mod routes;

use serde_json::{Value, json};
use shared::ids::Id;
use shared::params;
use shared::testing::{Answer, World};

/// The service with alice, bob and carla, who can all call it.
pub struct Posts {
    pub world: World,
    pub ids: Vec<Id>,
    pub alice: String,
    pub bob: String,
    pub carla: String,
}

pub async fn start() -> Posts {
    let world = World::start(&[posts_service()], &[]).await;
    let ids = world.people("posts", &["alice", "bob", "carla"]).await;
    let (alice, bob, carla) = (world.token(ids[0]), world.token(ids[1]), world.token(ids[2]));
    Posts { world, ids, alice, bob, carla }
}

fn posts_service() -> &'static shared::app::Service {
    &::posts::SERVICE
}

impl Posts {
    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.world.get("posts", path, token).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.world.post("posts", path, token, body).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> u16 {
        self.world.delete("posts", path, token).await.status
    }

    /// Publishes a post; its id.
    pub async fn write(&self, token: &str, text: &str) -> String {
        let answer = self.post("/posts", token, json!({ "text": text })).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Comments; the id of the comment.
    pub async fn comment(&self, token: &str, post: &str, text: &str, parent: Option<&str>) -> String {
        let body = json!({ "text": text, "parentId": parent });
        let answer = self.post(&format!("/comments/{post}"), token, body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Hears a tie of social: `tie("follow.created", 1, 0)` is bob following alice.
    pub async fn tie(&self, kind: &str, one: usize, other: usize) {
        let names = match kind.split('.').next() {
            Some("follow") => ["followerId", "followeeId"],
            Some("block") => ["blockerId", "blockedId"],
            _ => ["muterId", "mutedId"],
        };
        let body = json!({ names[0]: self.ids[one], names[1]: self.ids[other] });
        self.world.hear("posts", "social", &[(kind, "k", body)]).await;
    }

    /// Hears a change of a person: `private`, `status` and more of their row.
    pub async fn change(&self, kind: &str, who: usize, change: Value) {
        let db = &self.world.app("posts").db;
        let row: Value = db
            .read_as(
                "select json_object('id', id, 'handle', handle, 'displayName', display_name, 'bio', bio, 'avatarUrl', avatar_url,
                    'private', private, 'createdAt', created_at, 'status', status, 'rev', rev + 1) from people where id = ?1",
                params![self.ids[who]],
            )
            .await
            .unwrap()
            .unwrap();
        let mut row = row;
        for (name, value) in change.as_object().unwrap() {
            row[name] = value.clone();
        }
        self.world.hear("posts", "users", &[(kind, "k", row)]).await;
    }

    /// One value of the database.
    pub async fn one(&self, sql: &str) -> String {
        self.world.app("posts").db.read(sql, params![]).await.unwrap().unwrap_or_default()
    }

    /// The bodies of the events told so far, of one type.
    pub async fn told(&self, kind: &str) -> Vec<Value> {
        let sql =
            "select json_group_array(json(body)) from (select body from outbox where type = ?1 order by seq)";
        self.world.app("posts").db.read_as(sql, params![kind]).await.unwrap().unwrap()
    }

    /// Every item of a list, `limit` at a time.
    pub async fn all(&self, path: &str, token: &str, limit: u32) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{join}limit={limit}{cursor}"), token).await;
            assert_eq!(page.status, 200, "{page:?}");
            items.extend(page.body["items"].as_array().unwrap().iter().cloned());
            match page.body["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// Their texts.
    pub async fn texts(&self, path: &str, token: &str) -> Vec<String> {
        let items = self.all(path, token, 3).await;
        items.iter().map(|item| item["text"].as_str().unwrap().to_owned()).collect()
    }
}

/// The names of an object's members, sorted.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
