#![doc = include_str!("../README.md")]

pub mod events;
mod handlers;
mod issuer;
mod keys;
mod mail;
mod model;
mod passwords;
mod routes;
mod store;
mod tokens;
mod work;

use shared::app::{Relay, Service};

/// The service.
pub static SERVICE: Service = Service {
    name: "auth",
    migrations: &[shared::events::CORE, shared::people::PEOPLE, shared::migration!("0001_auth")],
    routes: routes::routes,
    relay: Relay::BeforeAnswer,
    tick: Some(work::tick),
    keys: Some(keys::published),
    identify: None,
};

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
