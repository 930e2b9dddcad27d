//! The journeys. One binary, so that they share a stack and are linked once.

mod accounts;
mod analytics;
mod conventions;
mod crash;
mod decisions;
mod documents;
mod gamification;
mod generated;
mod media;
mod media_faults;
mod moderation;
mod notifications;
mod operations;
mod outside_issuer;
mod player;
mod player_live;
mod posts;
mod privacy;
mod races;
mod realtime;
mod scoops;
mod sessions;
mod social;

use std::sync::OnceLock;

use journeys::Stack;
use journeys::outside::MailHook;
use serde_json::Value;

/// The members of `Me`, sorted.
const ME: [&str; 13] = [
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

/// The stack most journeys share, and where its mails go.
fn shared() -> &'static (Stack, MailHook) {
    static STACK: OnceLock<(Stack, MailHook)> = OnceLock::new();
    STACK.get_or_init(|| {
        let mails = MailHook::start();
        let stack = Stack::start(&[("mail_url", &mails.url)]).unwrap_or_else(|error| panic!("{error:#}"));
        (stack, mails)
    })
}

/// The shared stack.
fn stack() -> &'static Stack {
    &shared().0
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The members of an object, sorted: answers have exactly the documented keys.
#[track_caller]
fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// The ids of the items of a page.
fn ids(page: &journeys::Answer) -> Vec<&str> {
    page.items().iter().filter_map(|item| item["id"].as_str()).collect()
}
