//! Answers that SQLite or a handler builds, as the document shows them.

use serde::Deserialize;
use shared::ids::Id;
use shared::wire::{Me, Time};
use utoipa::ToSchema;

/// What signing in brings.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// For `Authorization: Bearer`.
    pub access_token: String,
    /// For `POST /auth/refresh`. It lives 30 days.
    pub refresh_token: String,
    /// How the access token is sent.
    pub token_type: TokenType,
    /// So many seconds the access token lives.
    #[schema(minimum = 1)]
    pub expires_in: u64,
    /// Who signed in.
    pub user: Me,
}

/// How a token is sent.
#[derive(Deserialize, ToSchema)]
pub enum TokenType {
    /// RFC 6750.
    Bearer,
}

/// The devices of a person.
#[derive(Deserialize, ToSchema)]
pub struct Sessions {
    /// Newest first.
    pub items: Vec<Device>,
}

/// A device signed in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Names the session.
    pub id: Id,
    /// When it was signed in.
    pub created_at: Time,
    /// When it last got tokens.
    pub last_used_at: Time,
    /// What it calls itself.
    pub user_agent: Option<String>,
    /// Whether the caller's token is of it.
    pub current: bool,
}

/// OIDC discovery.
#[derive(Deserialize, ToSchema)]
pub struct Discovery {
    /// `iss` of the tokens.
    #[schema(format = "uri")]
    pub issuer: String,
    /// Where the keys are.
    #[schema(format = "uri")]
    pub jwks_uri: String,
    /// Needed by the standard.
    pub response_types_supported: Vec<String>,
    /// Needed by the standard.
    pub subject_types_supported: Vec<String>,
    /// How tokens are signed.
    pub id_token_signing_alg_values_supported: Vec<String>,
    /// What tokens say.
    pub claims_supported: Vec<String>,
}

/// Public keys.
#[derive(Deserialize, ToSchema)]
pub struct KeySet {
    /// Newest first.
    pub keys: Vec<Key>,
}

/// An Ed25519 key (RFC 8037).
#[derive(Deserialize, ToSchema)]
pub struct Key {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// `EdDSA`.
    pub alg: String,
    /// `sig`.
    pub r#use: String,
    /// `kid` of the tokens it verifies.
    pub kid: String,
    /// The key.
    pub x: String,
}
