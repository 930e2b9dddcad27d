#![doc = include_str!("../README.md")]

pub mod docs;
mod explorer;
mod handlers;
pub mod openapi;
mod routes;

use shared::app::{Relay, Service};

/// The service.
pub static SERVICE: Service = Service {
    name: "web",
    migrations: &[],
    routes: routes::routes,
    relay: Relay::AfterAnswer,
    tick: None,
    keys: None,
    identify: None,
    rebuild: None,
};

/// The services behind this door, in the order they are named to clients.
pub const SERVICES: &[&str] = &[
    "auth",
    "users",
    "posts",
    "social",
    "media",
    "scoops",
    "notifications",
    "analytics",
    "gamification",
    "realtime",
];

shared::component!(SERVICE);
