//! Every route of the service.

use axum::Router;
use axum::routing::{get, post, put};
use shared::app::Ctx;

use crate::handlers::{deletion, handle, internal, invite, me, preferences, search};

/// The routes.
pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/me", get(me::get_me).patch(me::update_me).delete(deletion::delete_me))
        .route("/me/avatar", post(me::set_avatar))
        .route("/me/accept-terms", post(me::accept_terms))
        .route(
            "/me/notification-preferences",
            get(preferences::get_preferences).patch(preferences::update_preferences),
        )
        .route("/me/invite", get(invite::list_invites).post(invite::create_invite))
        .route("/me/export", get(deletion::export_me))
        .route("/me/deletion/{id}", get(deletion::get_deletion))
        .route("/username", get(handle::check_handle).post(handle::change_handle))
        .route("/search", get(search::search_people))
        // For services of ours alone.
        .route("/internal/people", get(internal::find_person).post(internal::create_person))
        .route("/internal/people/{id}", get(internal::get_person))
        .route("/internal/people/{id}/me", get(internal::get_me))
        .route(
            "/internal/people/{id}/suspension",
            put(internal::suspend_person).delete(internal::unsuspend_person),
        )
        .route("/internal/handles/{handle}", get(internal::follow_handle))
        .route("/internal/identities", post(internal::identify_person))
}
