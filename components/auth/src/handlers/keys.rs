//! Keys: what others verify our tokens with.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, header};
use serde::Deserialize;
use shared::answer::{self, IfNoneMatch};
use shared::app::Ctx;
use shared::auth::Internal;
use shared::error::{ApiError, ApiResult};
use shared::extract::Query;

use crate::docs::{Discovery, KeySet};
use crate::keys;

/// Where the issuer of the tokens and its keys are (OIDC discovery).
///
/// There is no browser flow, and so no endpoint of one.
#[utoipa::path(get, path = "/.well-known/openid-configuration", params(IfNoneMatch), security(()),
    responses((status = 200, description = "The configuration.", body = Discovery)))]
pub async fn read_discovery(State(app): State<Ctx>, known: IfNoneMatch) -> Response {
    let (issuer, base) = (app.config.issuer(), app.config.public_url());
    let document = serde_json::json!({
        "issuer": issuer,
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "response_types_supported": ["token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "claims_supported":
            ["iss", "sub", "aud", "exp", "iat", "jti", "email", "email_verified", "sid"],
    });
    cacheable(known.answer(document.to_string()))
}

/// The public keys that verify access tokens (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", params(IfNoneMatch), security(()),
    responses((status = 200, description = "The keys, newest first.", body = KeySet)))]
pub async fn read_jwks(State(app): State<Ctx>, known: IfNoneMatch) -> ApiResult {
    let set = serde_json::to_string(&keys::own_keys(&app).await?).map_err(ApiError::internal)?;
    Ok(cacheable(known.answer(set)))
}

fn cacheable(mut response: Response) -> Response {
    let minutes = HeaderValue::from_static("public, max-age=300");
    response.headers_mut().insert(header::CACHE_CONTROL, minutes);
    response
}

#[derive(Deserialize)]
pub struct KeysQuery {
    kid: Option<String>,
}

/// `GET /internal/keys?kid=`: another service. Ours, or those of the outside issuer.
pub async fn read_keys(_: Internal, State(app): State<Ctx>, Query(query): Query<KeysQuery>) -> ApiResult {
    let set = keys::published(&app, query.kid.as_deref().unwrap_or("")).await?;
    Ok(answer::json(http::StatusCode::OK, &set))
}
