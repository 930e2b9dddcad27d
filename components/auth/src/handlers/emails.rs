//! Showing that an address is one's own.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::app::Ctx;
use shared::auth::{Caller, NoBadToken};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{ClientAddr, Json};
use shared::limits::Limiter;
use utoipa::ToSchema;

use crate::model::{MAIL, MAIL_ADDRESS};
use crate::tokens::hash_token;
use crate::{mail, store};

/// A token of a mail that is used, too old, or none.
pub fn token_spent() -> ApiError {
    ApiError::unprocessable("token_invalid", "This link was used before or is too old.")
        .field("token", "was used before or is too old")
}

#[derive(Deserialize, ToSchema)]
pub struct VerifyIn {
    /// From the mail, good for a day.
    token: String,
}

/// Verifies an address with the token of the mail.
#[utoipa::path(post, path = "/auth/verify-email", security(()), responses(
    (status = 204, description = "It is verified."),
    (status = 422, description = "`token_invalid`: the link was used before or is too old"),
    (status = 429),
))]
pub async fn verify_email(
    _: NoBadToken,
    State(app): State<Ctx>,
    (limiter, address): (Limiter, ClientAddr),
    db: Db,
    Json(input): Json<VerifyIn>,
) -> ApiResult<StatusCode> {
    limiter.spend(&app, &[(&MAIL_ADDRESS, address.0.as_str())], 1).await?;
    let verified = store::verify_email(&db, &hash_token(&input.token), app.now()).await?;
    verified.then_some(StatusCode::NO_CONTENT).ok_or_else(token_spent)
}

/// Mails the caller another link to verify their address.
///
/// Nothing is sent where it is verified.
#[utoipa::path(post, path = "/auth/verify-email/resend",
    responses((status = 202, description = "A mail is on its way.")))]
pub async fn resend_verification(
    State(app): State<Ctx>,
    (caller, limiter): (Caller, Limiter),
    db: Db,
) -> ApiResult<StatusCode> {
    limiter.spend(&app, &[(&MAIL, caller.id.to_string().as_str())], 1).await?;
    store::queue_verification(&db, caller.id, app.now()).await?;
    mail::send_soon(&app);
    Ok(StatusCode::ACCEPTED)
}
