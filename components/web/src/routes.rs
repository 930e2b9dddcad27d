//! Every route of the service. What no service has a route for comes here too, and gets the 404 of
//! every unknown route.

use axum::Router;
use axum::routing::{get, post};
use shared::app::Ctx;

use crate::handlers::{health, ticks};

/// The routes.
pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/healthz", get(health::read_health))
        .route("/readyz", get(health::read_readiness))
        .route("/worker/tick", post(ticks::create_tick))
}
