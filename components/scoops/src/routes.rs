//! Every route of the service.

use axum::routing::get;
use shared::routes::Routes;

use crate::handlers::{close_friends, feed, internal, lists, scoops, views};

/// The routes. Method and path of a public one stand on its handler.
pub fn routes() -> Routes {
    Routes::new()
        .public(shared::routes!(feed::get_scoop_feed))
        .public(shared::routes!(lists::list_my_scoops))
        .public(shared::routes!(lists::list_scoops_of))
        .public(shared::routes!(scoops::create_scoop))
        .public(shared::routes!(scoops::get_scoop, scoops::delete_scoop))
        .public(shared::routes!(views::view_scoop))
        .public(shared::routes!(views::list_viewers))
        .public(shared::routes!(close_friends::list_close_friends))
        .public(shared::routes!(close_friends::add_close_friend, close_friends::remove_close_friend))
        .internal("/internal/visible", get(internal::find_visible))
        .internal("/internal/export/{user_id}", get(internal::export_person))
}
