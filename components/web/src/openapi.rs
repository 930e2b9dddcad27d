//! The document of the whole: the parts of the services, merged.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use shared::clock::Instant;

/// How long it is remembered: it changes only where a service is deployed anew.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The services as the document groups their routes, in the order a client meets them.
const TAGS: &[(&str, &str)] = &[
    ("auth", "Accounts, passwords, sessions, keys. Absent where tokens come from an outside issuer."),
    ("users", "The caller, handles, invites, search, leaving."),
    ("posts", "The feed, posts, comments, reactions, tags."),
    ("social", "Profiles, follows, blocks, mutes, reports, and what administrators decide about them."),
    ("media", "Uploads, what is made of them, pictures of people."),
    ("scoops", "Scoops, which last a day, and close friends."),
    ("notifications", "What the caller is told, and where it is pushed."),
    ("analytics", "How what one publishes is received, and how the whole is used."),
    ("gamification", "Points, levels, streaks, badges, leaderboards."),
    ("realtime", "What happens to the caller, as it happens."),
    ("web", "Operations: health, readiness, this document."),
];

/// One document of all parts. What two of them have under one name is the same in both.
pub fn merge(parts: impl IntoIterator<Item = Value>) -> Value {
    let tags: Vec<Value> =
        TAGS.iter().map(|(name, text)| json!({ "name": name, "description": text })).collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "ScooterBooter",
            "version": env!("CARGO_PKG_VERSION"),
            "description": include_str!("openapi.md"),
            "license": { "name": "Apache-2.0 OR MIT", "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
    });
    for mut part in parts {
        for name in ["paths", "components"] {
            merge_into(&mut document[name], part[name].take());
        }
    }
    document
}

fn merge_into(whole: &mut Value, part: Value) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (name, value) in part {
                merge_into(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (whole, part) => *whole = part,
    }
}

/// The document this instance made last. It is made with the routes, so an instance has one.
#[derive(Default)]
pub struct Memory(Mutex<Option<(Instant, String)>>);

impl Memory {
    /// It, unless it is too old.
    pub fn get(&self, now: Instant) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, json) = kept.as_ref()?;
        (*at <= now && now < at.plus(REMEMBERED)).then(|| json.clone())
    }

    /// Keeps it.
    pub fn put(&self, now: Instant, json: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, json.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_put_side_by_side_and_what_they_share_stands_once() {
        let part = |path: &str| {
            json!({ "openapi": "3.1.0", "info": {}, "paths": { path: { "get": {} } },
            "components": { "schemas": { "User": { "type": "object" }, path: {} } } })
        };
        let whole = merge([part("/a"), part("/b")]);
        assert_eq!(whole["paths"], json!({ "/a": { "get": {} }, "/b": { "get": {} } }));
        let schemas = json!({ "/a": {}, "/b": {}, "User": { "type": "object" } });
        assert_eq!(whole["components"]["schemas"], schemas);
        assert_eq!(whole["info"]["title"], "ScooterBooter");
    }

    #[test]
    fn a_document_is_remembered_for_a_minute() {
        let memory = Memory::default();
        let at = |seconds: i64| Instant::from_millis(1_800_000_000_000 + seconds * 1000);
        assert_eq!(memory.get(at(0)), None);
        memory.put(at(0), "{}");
        assert_eq!(memory.get(at(59)).as_deref(), Some("{}"));
        assert_eq!(memory.get(at(60)), None);
        assert_eq!(memory.get(at(-1)), None, "the clock was set back");
    }
}
