//! Every route of the service.

use axum::routing::{get, post};
use shared::routes::Routes;

use crate::handlers::{deletion, handle, internal, invite, me, preferences, search};

/// The routes. Method and path of a public one stand on its handler.
pub fn routes() -> Routes {
    Routes::new()
        .public(shared::routes!(me::get_me, me::update_me, deletion::delete_me))
        .public(shared::routes!(me::set_avatar))
        .public(shared::routes!(me::accept_terms))
        .public(shared::routes!(preferences::get_preferences, preferences::update_preferences))
        .public(shared::routes!(invite::list_invites, invite::create_invite))
        .public(shared::routes!(invite::list_invite_tree))
        .public(shared::routes!(deletion::export_me))
        .public(shared::routes!(deletion::get_deletion))
        .public(shared::routes!(handle::check_handle, handle::change_handle))
        .public(shared::routes!(search::search_people))
        .internal("/internal/people", get(internal::find_person).post(internal::create_person))
        .internal("/internal/people/{id}", get(internal::get_person))
        .internal("/internal/people/{id}/me", get(internal::get_me))
        .internal("/internal/handles/{handle}", get(internal::follow_handle))
        .internal("/internal/identities", post(internal::identify_person))
}
