//! Every route of the service. What no service has a route for comes here too, and gets the 404 of
//! every unknown route.

use std::sync::Arc;

use axum::extract::Extension;
use axum::routing::post;
use shared::routes::Routes;

use crate::handlers::{docs, health, openapi, rebuilds, ticks};
use crate::openapi::Memory;

/// The routes. Method and path of a public one stand on its handler.
pub fn routes() -> Routes {
    Routes::new()
        .public(shared::routes!(health::read_health))
        .public(shared::routes!(health::read_readiness))
        .public(shared::routes!(openapi::read_openapi))
        .layer(Extension(Arc::new(Memory::default())))
        .public(shared::routes!(docs::read_docs))
        .public(shared::routes!(docs::read_docs_file))
        .internal("/worker/tick", post(ticks::create_tick))
        .internal("/worker/rebuild", post(rebuilds::create_rebuild))
}
