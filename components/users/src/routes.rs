//! Every route of the service.

use axum::Router;
use shared::app::Ctx;

/// The routes.
pub fn routes() -> Router<Ctx> {
    Router::new()
}
