#![doc = include_str!("../README.md")]

pub mod docs;
pub mod events;
mod handlers;
mod links;
mod model;
mod routes;
pub mod store;

use shared::app::{Relay, Service};
use shared::{events::CORE, migration, people};

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
    ],
    routes: routes::routes,
    relay: Relay::AfterAnswer,
    tick: Some(|app| Box::pin(handlers::sweeps::sweep(app))),
    keys: None,
    identify: None,
};

shared::component!(SERVICE);
