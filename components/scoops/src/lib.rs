#![doc = include_str!("../README.md")]

pub mod docs;
pub mod events;
mod handlers;
mod links;
mod model;
mod routes;
pub mod store;

use shared::app::{Relay, Service};
use shared::{events::CORE, history::HISTORY, migration, people};

/// The service.
pub static SERVICE: Service = Service {
    name: "scoops",
    migrations: &[
        CORE,
        people::PEOPLE,
        people::TIES,
        people::TIES_EVENTS,
        migration!("0001_scoops"),
        migration!("0002_events"),
        migration!("0003_moderation"),
        migration!("0004_close_friends"),
        HISTORY,
    ],
    routes: routes::routes,
    relay: Relay::AfterAnswer,
    tick: Some(|app| Box::pin(handlers::sweeps::sweep(app))),
    keys: None,
    identify: None,
    rebuild: None,
};

shared::component!(SERVICE);
