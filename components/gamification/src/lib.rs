#![doc = include_str!("../README.md")]

pub mod badges;
pub mod docs;
pub mod events;
mod handlers;
mod kept;
pub mod model;
mod ranking;
mod routes;
pub mod store;
pub mod streaks;

use shared::app::{Relay, Service};
use shared::events::CORE;
use shared::history::HISTORY_HEARD;
use shared::{migration, people};

/// The service.
pub static SERVICE: Service = Service {
    name: "gamification",
    migrations: &[
        CORE,
        people::PEOPLE,
        people::TIES,
        people::TIES_EVENTS,
        HISTORY_HEARD,
        migration!("0001_points"),
        migration!("0002_boards"),
        migration!("0003_badges"),
        migration!("0004_events"),
        migration!("0005_standings"),
        migration!("0006_ended_boards"),
        migration!("0007_pages"),
    ],
    routes: routes::routes,
    relay: Relay::AfterAnswer,
    tick: Some(|app| Box::pin(handlers::ticks::tick(app))),
    keys: None,
    identify: None,
    rebuild: Some(store::BEGIN_REBUILD),
};

shared::component!(SERVICE);
