#![doc = include_str!("../README.md")]

mod handlers;
mod routes;

use shared::app::{Relay, Service};

/// The service.
pub static SERVICE: Service = Service {
    name: "web",
    migrations: &[],
    routes: routes::routes,
    relay: Relay::AfterAnswer,
    tick: None,
    keys: None,
    identify: None,
};

/// The services behind this door, in the order they are named to clients.
pub const SERVICES: &[&str] = &["auth", "users", "posts", "social"];

#[cfg(target_family = "wasm")]
mod entry {
    // The macro writes the export of the component, which is unsafe by nature.
    #![allow(unsafe_code)]

    use spin_sdk::http::{IntoResponse, Request};
    use spin_sdk::http_service;

    #[http_service]
    async fn handle(request: Request) -> impl IntoResponse {
        shared::app::serve(&super::SERVICE, request).await
    }
}
