//! Every route of the service.

use axum::routing::{get, post};
use shared::history;
use shared::routes::Routes;

use crate::handlers::{badges, internal, leaderboard, progress};

/// The routes. Method and path of a public one stand on its handler.
pub fn routes() -> Routes {
    Routes::new()
        .public(shared::routes!(progress::get_progress, progress::update_progress))
        .public(shared::routes!(leaderboard::list_leaders))
        .public(shared::routes!(badges::list_badges))
        .internal("/internal/rebuild", post(history::rebuild))
        .internal("/internal/export/{user_id}", get(internal::export_person))
}
