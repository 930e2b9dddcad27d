//! Every route of the service.

use axum::routing::{get, post};
use shared::history;
use shared::routes::Routes;

use crate::handlers::{internal, me, overview, posts};

/// The routes. Method and path of a public one stand on its handler.
pub fn routes() -> Routes {
    Routes::new()
        .public(shared::routes!(me::get_my_analytics))
        .public(shared::routes!(posts::get_post_analytics))
        .public(shared::routes!(overview::get_overview))
        .internal("/internal/rebuild", post(history::rebuild))
        .internal("/internal/export/{user_id}", get(internal::export_person))
}
