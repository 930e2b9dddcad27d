//! The service over a real SQLite, called as clients and other services call it.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect should stop")]

mod deletion;
mod events;
mod handles;
mod internal;
mod invites;
mod me;
mod preferences;
mod routes;
mod search;

use serde_json::{Value, json};
use shared::db::Value as Sql;
use shared::ids::Id;
use shared::testing::{Answer, INTERNAL_TOKEN, World};
use users::SERVICE;

/// `users` alone, with these variables.
pub async fn world_with(variables: &[(&str, &str)]) -> World {
    World::start(&[&SERVICE], variables).await
}

/// `users` alone.
pub async fn world() -> World {
    world_with(&[]).await
}

/// The body by which `auth` registers `handle`.
pub fn newcomer(world: &World, handle: &str) -> Value {
    json!({ "id": world.id(), "email": format!("{handle}@example.org"), "handle": handle, "displayName": null,
            "inviteCode": null })
}

/// `POST /internal/people`.
pub async fn register(world: &World, body: &Value) -> Answer {
    world.post("users", "/internal/people", INTERNAL_TOKEN, body.clone()).await
}

/// Somebody registered: their id and a token.
pub async fn person(world: &World, handle: &str) -> (Id, String) {
    let answer = register(world, &newcomer(world, handle)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = Id::parse(answer.body["id"].as_str().unwrap()).unwrap();
    (id, world.token(id))
}

/// Their ties, as `social` tells of them.
pub async fn block(world: &World, blocker: Id, blocked: Id) {
    let body = json!({ "blockerId": blocker, "blockedId": blocked });
    world.hear("users", "social", &[("block.created", "k", body)]).await;
}

/// A suspension that begins, or ends, as `social` tells of it.
pub async fn suspend(world: &World, id: Id, begins: bool) {
    let (kind, body) = match begins {
        true => ("suspension.begun", json!({ "userId": id, "reportId": world.id() })),
        false => ("suspension.lifted", json!({ "userId": id })),
    };
    world.hear("users", "social", &[(kind, &id.to_string(), body)]).await;
}

/// The events told so far, oldest first: type and body.
pub async fn told(world: &World) -> Vec<(String, Value)> {
    let rows =
        world.app("users").db.rows("select type, body from outbox order by seq", vec![]).await.unwrap();
    let text = |value: &Sql| value.as_text().unwrap_or_default().to_owned();
    rows.iter().map(|row| (text(&row[0]), serde_json::from_str(&text(&row[1])).unwrap())).collect()
}

/// The members of an object.
pub fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// Status and code of an answer.
pub fn problem(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or_default())
}

/// The members of `Me`, sorted.
pub const ME: [&str; 13] = [
    "avatarUrl",
    "bio",
    "counts",
    "createdAt",
    "displayName",
    "email",
    "emailVerified",
    "handle",
    "id",
    "notificationPreferences",
    "private",
    "roles",
    "terms",
];

/// The code of the only thing wrong.
pub fn field(answer: &Answer) -> &str {
    answer.body["errors"][0]["field"].as_str().unwrap_or_default()
}
