//! Every route of the service. What no service has a route for comes here too, and gets the 404 of
//! every unknown route.

use std::sync::Arc;

use axum::extract::Extension;
use axum::routing::post;
use shared::routes::Routes;
use utoipa_axum::routes;

use crate::handlers::{docs, health, openapi, ticks};
use crate::openapi::Memory;

/// The routes. Method and path of a public one stand on its handler.
pub fn routes() -> Routes {
    Routes::new()
        .public(routes!(health::read_health))
        .public(routes!(health::read_readiness))
        .public(routes!(openapi::read_openapi))
        .layer(Extension(Arc::new(Memory::default())))
        .public(routes!(docs::read_docs))
        .public(routes!(docs::read_docs_file))
        .internal("/worker/tick", post(ticks::create_tick))
}
