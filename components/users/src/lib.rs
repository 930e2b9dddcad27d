#![doc = include_str!("../README.md")]

pub mod docs;
mod events;
mod handlers;
mod model;
mod routes;
mod search;
mod store;

use shared::app::{Relay, Service};
use shared::migration;

/// The service.
pub static SERVICE: Service = Service {
    name: "users",
    migrations: &[
        shared::events::CORE,
        shared::people::PEOPLE,
        shared::people::TIES,
        shared::people::TIES_EVENTS,
        migration!("0001_people"),
        migration!("0002_joining"),
        migration!("0003_deletion"),
        migration!("0004_search"),
        migration!("0005_avatars"),
        migration!("0006_preferences"),
        migration!("0007_moderation"),
        shared::history::HISTORY,
    ],
    routes: routes::routes,
    // Who goes private or blocks sees it everywhere at once.
    relay: Relay::BeforeAnswer,
    tick: Some(|app| Box::pin(handlers::internal::tick(app))),
    keys: None,
    identify: Some(|app, identity| Box::pin(handlers::internal::identify(app, identity))),
    rebuild: None,
};

shared::component!(SERVICE);
