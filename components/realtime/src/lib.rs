#![doc = include_str!("../README.md")]

pub mod docs;
pub mod events;
mod frames;
mod handlers;
mod model;
mod poller;
mod routes;
pub mod store;

use shared::app::{Relay, Service};
use shared::{events::CORE, migration, people};

/// The service.
pub static SERVICE: Service = Service {
    name: "realtime",
    migrations: &[
        CORE,
        people::PEOPLE,
        people::TIES,
        people::TIES_EVENTS,
        migration!("0001_realtime"),
        migration!("0002_events"),
    ],
    routes: routes::routes,
    relay: Relay::AfterAnswer,
    tick: Some(|app| Box::pin(handlers::sweeps::sweep(app))),
    keys: None,
    identify: None,
    rebuild: None,
};

shared::component!(SERVICE);
