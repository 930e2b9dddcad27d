#![doc = include_str!("../README.md")]

mod bucket;
pub mod docs;
mod handlers;
mod model;
mod playlist;
mod results;
mod routes;
pub mod store;

use shared::app::{Relay, Service};
use shared::{events::CORE, migration, people};

/// The service.
pub static SERVICE: Service = Service {
    name: "media",
    migrations: &[
        CORE,
        people::PEOPLE,
        people::TIES,
        people::TIES_EVENTS,
        migration!("0001_media"),
        migration!("0002_jobs"),
        migration!("0003_events"),
        migration!("0004_scoops"),
    ],
    routes: routes::routes,
    relay: Relay::AfterAnswer,
    tick: Some(|app| Box::pin(handlers::sweeps::sweep(app))),
    keys: None,
    identify: None,
    rebuild: None,
};

shared::component!(SERVICE);
