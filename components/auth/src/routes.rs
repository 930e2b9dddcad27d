//! Every route of the service.

use axum::extract::{Extension, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use shared::app::Ctx;
use shared::error::ApiError;
use shared::routes::Routes;

use crate::handlers::{accounts, emails, keys, people, sessions};

/// The routes. Method and path of a public one stand on its handler.
pub fn routes() -> Routes {
    Routes::new()
        .public(shared::routes!(accounts::register_account))
        .public(shared::routes!(accounts::change_password))
        .public(shared::routes!(accounts::request_password_reset))
        .public(shared::routes!(accounts::confirm_password_reset))
        .public(shared::routes!(emails::verify_email))
        .public(shared::routes!(emails::resend_verification))
        .public(shared::routes!(sessions::create_session))
        .public(shared::routes!(sessions::refresh_session))
        .public(shared::routes!(sessions::end_session))
        .public(shared::routes!(sessions::list_sessions))
        .public(shared::routes!(sessions::delete_session))
        .public(shared::routes!(keys::read_discovery))
        .public(shared::routes!(keys::read_jwks))
        .layer(from_fn(only_as_issuer))
        .internal("/internal/keys", get(keys::read_keys))
        .internal("/internal/export/{id}", get(people::export_person))
}

/// With an outside issuer nobody signs in here: these routes do not exist, whatever is sent to them.
async fn only_as_issuer(Extension(app): Extension<Ctx>, request: Request, next: Next) -> Response {
    if app.config.has_outside_issuer() {
        return ApiError::not_found().into_response();
    }
    next.run(request).await
}
