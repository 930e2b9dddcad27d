//! The handlers, by noun.

pub mod accounts;
pub mod emails;
pub mod keys;
pub mod people;
pub mod sessions;

use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use shared::answer;
use shared::app::App;
use shared::error::{ApiError, ApiResult};
use shared::ids::Id;

use crate::tokens::{self, Holder};

/// The same for a wrong address and a wrong password.
fn invalid_credentials() -> ApiError {
    let detail = "The e-mail address or the password is wrong.";
    ApiError::new(StatusCode::UNAUTHORIZED, "invalid_credentials", detail)
        .header(header::WWW_AUTHENTICATE, "Bearer")
}

/// A `Session`.
async fn session_answer(
    app: &App,
    status: StatusCode,
    holder: &Holder,
    session: Id,
    refresh: &str,
    user: &serde_json::Value,
) -> ApiResult {
    let access = tokens::sign_access(app, holder, Some(session)).await?;
    let body = serde_json::json!({
        "accessToken": access, "refreshToken": refresh, "tokenType": "Bearer",
        "expiresIn": tokens::access_lives(app), "user": user,
    });
    Ok(unstored(answer::json(status, &body)))
}

/// No cache keeps tokens (RFC 6749, 5.1).
fn unstored(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What the device calls itself, as it is kept.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(header::USER_AGENT);
    crate::model::short_user_agent(given.and_then(|value| std::str::from_utf8(value.as_bytes()).ok()))
}

/// How an address is named in limits, which are no place for addresses.
fn limit_key(email: &str) -> String {
    format!("email:{}", tokens::hash_token(email))
}
