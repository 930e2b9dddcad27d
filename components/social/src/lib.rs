#![doc = include_str!("../README.md")]

pub mod docs;
pub mod events;
mod handlers;
pub mod model;
mod routes;
pub mod store;

use shared::app::{Relay, Service};

/// The service.
pub static SERVICE: Service = Service {
    name: "social",
    migrations: &[
        shared::events::CORE,
        shared::people::PEOPLE,
        shared::people::TIES,
        shared::migration!("0001_ties"),
        shared::migration!("0002_reports"),
        shared::migration!("0003_heard"),
        shared::migration!("0004_moderation"),
        shared::history::HISTORY,
    ],
    routes: routes::routes,
    // Who blocks somebody is out of their sight everywhere when the answer arrives.
    relay: Relay::BeforeAnswer,
    tick: Some(|app| Box::pin(shared::history::tick(app))),
    keys: None,
    identify: None,
    rebuild: None,
};

shared::component!(SERVICE);
