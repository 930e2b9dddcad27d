#![doc = include_str!("../README.md")]

pub mod docs;
pub mod events;
mod handlers;
mod issuer;
mod keys;
mod mail;
mod model;
mod passwords;
mod routes;
mod store;
mod tokens;
mod work;

use shared::app::{Relay, Service};

/// The service.
pub static SERVICE: Service = Service {
    name: "auth",
    migrations: &[
        shared::events::CORE,
        shared::people::PEOPLE,
        shared::migration!("0001_auth"),
        shared::migration!("0002_session_events"),
    ],
    routes: routes::routes,
    relay: Relay::BeforeAnswer,
    tick: Some(work::tick),
    keys: Some(keys::published),
    identify: None,
    rebuild: None,
};

shared::component!(SERVICE);
