//! Every route of the service.

use axum::routing::get;
use shared::routes::Routes;

use crate::handlers::{
    appeals, audit, cases, internal, lists, profiles, reports, requests, suspensions, ties,
};

/// The routes. Method and path of a public one stand on its handler.
pub fn routes() -> Routes {
    Routes::new()
        .public(shared::routes!(ties::create_follow))
        .public(shared::routes!(ties::delete_follow))
        .public(shared::routes!(ties::create_block))
        .public(shared::routes!(ties::delete_block))
        .public(shared::routes!(ties::create_mute))
        .public(shared::routes!(ties::delete_mute))
        .public(shared::routes!(lists::list_blocked))
        .public(shared::routes!(lists::list_muted))
        .public(shared::routes!(requests::list_follow_requests))
        .public(shared::routes!(requests::accept_follow_request))
        .public(shared::routes!(requests::reject_follow_request))
        .public(shared::routes!(reports::create_report))
        .public(shared::routes!(reports::list_reports))
        .public(shared::routes!(appeals::list_decisions))
        .public(shared::routes!(appeals::create_appeal))
        .public(shared::routes!(cases::list_cases))
        .public(shared::routes!(cases::resolve_report))
        .public(shared::routes!(suspensions::suspend_user))
        .public(shared::routes!(suspensions::unsuspend_user))
        .public(shared::routes!(appeals::list_appeals))
        .public(shared::routes!(appeals::resolve_appeal))
        .public(shared::routes!(audit::list_audit))
        .public(shared::routes!(profiles::show_profile))
        .public(shared::routes!(lists::list_followers))
        .public(shared::routes!(lists::list_following))
        .internal("/internal/export/{user_id}", get(internal::export_person))
}
