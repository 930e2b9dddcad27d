//! Every route of the service.

use axum::routing::{get, post};
use shared::routes::Routes;

use crate::handlers::{avatars, internal, media, multipart, streams, uploads, workers};

/// The routes. Method and path of a public one stand on its handler.
pub fn routes() -> Routes {
    Routes::new()
        .public(shared::routes!(uploads::create_upload))
        .public(shared::routes!(uploads::create_avatar_upload))
        .public(shared::routes!(multipart::create_parts))
        .public(shared::routes!(multipart::list_parts))
        .public(shared::routes!(multipart::complete_parts))
        .public(shared::routes!(media::process_video))
        .public(shared::routes!(media::get_media, media::delete_media))
        .public(shared::routes!(streams::get_playlist))
        .public(shared::routes!(avatars::get_avatar))
        .internal("/worker/lease", post(workers::lease_job))
        .internal("/worker/jobs/{id}/heartbeat", post(workers::renew_lease))
        .internal("/worker/jobs/{id}/complete", post(workers::complete_job))
        .internal("/worker/jobs/{id}/fail", post(workers::fail_job))
        .internal("/worker/redrive", post(workers::redrive_jobs))
        .internal("/worker/queue", get(workers::count_jobs))
        .internal("/worker/orphans", get(workers::list_orphans))
        .internal("/internal/claims", post(internal::claim_media))
        .internal("/internal/export/{user_id}", get(internal::export_person))
}
