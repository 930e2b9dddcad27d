#![doc = include_str!("../README.md")]

pub mod docs;
mod handlers;
mod model;
mod routes;
pub mod store;

use shared::app::{Relay, Service};
use shared::{events::CORE, history, migration, people};

/// The service.
pub static SERVICE: Service = Service {
    name: "analytics",
    migrations: &[
        CORE,
        people::PEOPLE,
        migration!("0001_analytics"),
        migration!("0002_events"),
        migration!("0003_rebuild"),
        history::HISTORY_HEARD,
    ],
    routes: routes::routes,
    relay: Relay::AfterAnswer,
    tick: Some(|app| Box::pin(handlers::sweeps::tick(app))),
    keys: None,
    identify: None,
    rebuild: Some("insert into rebuilds (at) values (?1)"),
};

shared::component!(SERVICE);
