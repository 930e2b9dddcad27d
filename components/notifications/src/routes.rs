//! Every route of the service.

use axum::routing::{get, post};
use shared::routes::Routes;

use crate::handlers::{internal, notifications, pushes};
use crate::push;

/// The routes. Method and path of a public one stand on its handler.
pub fn routes() -> Routes {
    Routes::new()
        .public(shared::routes!(notifications::list_notifications))
        .public(shared::routes!(notifications::read_notifications))
        .public(shared::routes!(pushes::register_endpoint))
        .public(shared::routes!(pushes::unregister_endpoint))
        .public(shared::routes!(pushes::get_vapid_key))
        .internal("/internal/notifications", post(internal::tell_notifications))
        .internal("/internal/export/{user_id}", get(internal::export_person))
        .heard(push::send_soon)
}
