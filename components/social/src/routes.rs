//! Every route of the service.

use axum::Router;
use axum::routing::{get, post};
use shared::routes::Routes;

use crate::handlers::{internal, lists, profiles, reports, requests, ties};

/// The routes.
pub fn routes() -> Routes {
    Router::new()
        .route("/follow", post(ties::create_follow))
        .route("/unfollow", post(ties::delete_follow))
        .route("/block", post(ties::create_block))
        .route("/unblock", post(ties::delete_block))
        .route("/mute", post(ties::create_mute))
        .route("/unmute", post(ties::delete_mute))
        .route("/blocked", get(lists::list_blocked))
        .route("/muted", get(lists::list_muted))
        .route("/follow-requests", get(requests::list_follow_requests))
        .route("/follow-requests/{user_id}/accept", post(requests::accept_follow_request))
        .route("/follow-requests/{user_id}/reject", post(requests::reject_follow_request))
        .route("/report", post(reports::create_report))
        .route("/me/reports", get(reports::list_reports))
        .route("/u/{handle}", get(profiles::show_profile))
        .route("/u/{handle}/followers", get(lists::list_followers))
        .route("/u/{handle}/following", get(lists::list_following))
        .route("/internal/export/{user_id}", get(internal::export_person))
        .into()
}
