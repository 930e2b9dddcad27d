//! Every route of the service.

use axum::routing::get;
use shared::routes::Routes;

use crate::handlers::{internal, streams, tickets};

/// The routes. Method and path of a public one stand on its handler.
pub fn routes() -> Routes {
    Routes::new()
        .public(shared::routes!(streams::open_stream))
        .public(shared::routes!(tickets::create_ticket))
        .internal("/internal/export/{user_id}", get(internal::export_person))
}
