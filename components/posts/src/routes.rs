//! Every route of the service.

use axum::routing::get;
use shared::routes::Routes;

use crate::handlers::{comments, feed, internal, lists, posts, reactions, views};

/// The routes. Method and path of a public one stand on its handler.
pub fn routes() -> Routes {
    Routes::new()
        .public(shared::routes!(feed::get_feed))
        .public(shared::routes!(posts::create_post))
        .public(shared::routes!(posts::get_post, posts::update_post, posts::delete_post))
        .public(shared::routes!(views::view_post))
        .public(shared::routes!(comments::list_comments, comments::create_comment))
        .public(shared::routes!(comments::delete_comment))
        .public(shared::routes!(reactions::list_reactions, reactions::toggle_reaction))
        .public(shared::routes!(lists::list_tag))
        .public(shared::routes!(lists::list_posts_of))
        .internal("/internal/visible", get(internal::find_visible))
        .internal("/internal/export/{user_id}", get(internal::export_person))
}
