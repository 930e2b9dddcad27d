//! Every route of the service.

use axum::Router;
use axum::extract::{Extension, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use shared::app::Ctx;
use shared::error::ApiError;
use shared::routes::Routes;

use crate::handlers::{accounts, emails, keys, people, sessions};

/// The routes.
pub fn routes() -> Routes {
    let public = Router::new()
        .route("/auth/register", post(accounts::register_account))
        .route("/auth/password", post(accounts::change_password))
        .route("/auth/password-reset", post(accounts::request_password_reset))
        .route("/auth/password-reset/confirm", post(accounts::confirm_password_reset))
        .route("/auth/verify-email", post(emails::verify_email))
        .route("/auth/verify-email/resend", post(emails::resend_verification))
        .route("/auth/login", post(sessions::create_session))
        .route("/auth/refresh", post(sessions::refresh_session))
        .route("/auth/logout", post(sessions::end_session))
        .route("/auth/sessions", get(sessions::list_sessions))
        .route("/auth/sessions/{id}", delete(sessions::delete_session))
        .route("/.well-known/openid-configuration", get(keys::read_discovery))
        .route("/.well-known/jwks.json", get(keys::read_jwks))
        .layer(from_fn(only_as_issuer));
    let internal = Router::new()
        .route("/internal/keys", get(keys::read_keys))
        .route("/internal/export/{id}", get(people::export_person));
    public.merge(internal).into()
}

/// With an outside issuer nobody signs in here: these routes do not exist, whatever is sent to them.
async fn only_as_issuer(Extension(app): Extension<Ctx>, request: Request, next: Next) -> Response {
    if app.config.has_outside_issuer() {
        return ApiError::not_found().into_response();
    }
    next.run(request).await
}
