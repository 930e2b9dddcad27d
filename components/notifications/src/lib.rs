#![doc = include_str!("../README.md")]

pub mod docs;
pub mod events;
mod handlers;
mod model;
mod push;
mod quiet;
mod routes;
pub mod store;

use shared::app::{Relay, Service};
use shared::{events::CORE, migration, people};

/// The service.
pub static SERVICE: Service = Service {
    name: "notifications",
    migrations: &[
        CORE,
        people::PEOPLE,
        people::TIES,
        people::TIES_EVENTS,
        migration!("0001_notifications"),
        migration!("0002_pushes"),
        migration!("0003_events"),
        migration!("0004_reports"),
        migration!("0005_badges"),
        migration!("0006_reads"),
        migration!("0007_mentions"),
        migration!("0008_badge_names"),
    ],
    routes: routes::routes,
    relay: Relay::AfterAnswer,
    tick: Some(|app| Box::pin(handlers::sweeps::tick(app))),
    keys: None,
    identify: None,
    rebuild: None,
};

shared::component!(SERVICE);
