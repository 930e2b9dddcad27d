#![doc = include_str!("../README.md")]

pub mod docs;
pub mod events;
mod handlers;
mod model;
mod routes;
pub mod store;

use shared::app::{Relay, Service};
use shared::{events::CORE, history::HISTORY, migration, people};

/// The service.
pub static SERVICE: Service = Service {
    name: "posts",
    migrations: &[
        CORE,
        people::PEOPLE,
        people::TIES,
        people::TIES_EVENTS,
        migration!("0001_posts"),
        migration!("0002_threads"),
        migration!("0003_feed"),
        migration!("0004_events"),
        migration!("0005_feed_heads"),
        migration!("0006_rendered"),
        migration!("0007_media"),
        migration!("0009_mentions"),
        migration!("0008_moderation"),
        HISTORY,
    ],
    routes: routes::routes,
    relay: Relay::AfterAnswer,
    tick: Some(|app| Box::pin(handlers::views::forget_views(app))),
    keys: None,
    identify: None,
    rebuild: None,
};

shared::component!(SERVICE);
