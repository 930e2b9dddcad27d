//! Every route of the service.

use axum::Router;
use axum::routing::{delete, get, post};
use shared::routes::Routes;

use crate::handlers::{comments, feed, internal, lists, posts, reactions, views};

/// The routes.
pub fn routes() -> Routes {
    Router::new()
        .route("/feed", get(feed::get_feed))
        .route("/posts", post(posts::create_post))
        .route("/posts/{id}", get(posts::get_post).patch(posts::update_post).delete(posts::delete_post))
        .route("/posts/{id}/view", post(views::view_post))
        .route("/comments/{post_id}", get(comments::list_comments).post(comments::create_comment))
        .route("/comments/{post_id}/{comment_id}", delete(comments::delete_comment))
        .route("/reactions/{post_id}", get(reactions::list_reactions).post(reactions::toggle_reaction))
        .route("/tags/{tag}", get(lists::list_tag))
        .route("/u/{handle}/posts", get(lists::list_posts_of))
        .route("/internal/visible", get(internal::find_visible))
        .route("/internal/export/{user_id}", get(internal::export_person))
        .into()
}
