//! JSON Web Key Sets (RFC 7517) and the check of a token against them (RFC 8725): the algorithm
//! belongs to the key, never to the token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::prelude::*;
use serde::{Deserialize, Serialize};

use crate::clock::Instant;

/// A key set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Jwks {
    /// Its keys; those of kinds we do not verify are kept out when it is used.
    pub keys: Vec<Jwk>,
}

/// A public key.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Jwk {
    /// `OKP`, `EC` or `RSA`.
    pub kty: String,
    /// Names the key in a token's header.
    #[serde(default)]
    pub kid: String,
    /// `EdDSA`, `ES256`, `RS256`; where absent it follows from `kty` and `crv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// `sig`.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub use_for: Option<String>,
    /// `Ed25519` or `P-256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// First coordinate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Second coordinate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// RSA modulus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// RSA exponent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

/// What we read of a token besides the registered claims.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ExtraClaims {
    /// Their address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the issuer verified it; Cognito writes the words `true` and `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<serde_json::Value>,
    /// Cognito: `access` or `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_use: Option<String>,
    /// Cognito: the app client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Groups of any OIDC issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<serde_json::Value>,
    /// Groups of Cognito.
    #[serde(default, rename = "cognito:groups", skip_serializing_if = "Option::is_none")]
    pub cognito_groups: Option<serde_json::Value>,
    /// The session the token belongs to, in tokens of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

impl ExtraClaims {
    /// Whether the issuer says that the address is verified.
    pub fn is_email_verified(&self) -> bool {
        match &self.email_verified {
            Some(serde_json::Value::Bool(verified)) => *verified,
            Some(serde_json::Value::String(word)) => word == "true",
            _ => false,
        }
    }

    /// Whether either list of groups holds `admin`.
    pub fn is_in_admin_group(&self) -> bool {
        [&self.groups, &self.cognito_groups]
            .into_iter()
            .flatten()
            .any(|groups| groups.as_array().is_some_and(|groups| groups.iter().any(|group| group == "admin")))
    }
}

/// Longest token accepted; jwt-simple's own bound is 1 MB.
pub const MAX_TOKEN: usize = 8 << 10;

/// What a token has to say, besides being signed.
pub struct Expected<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`, or `client_id` of a Cognito access token: one of these.
    pub audiences: Vec<&'a str>,
    /// The time to judge `exp` and `nbf` by.
    pub now: Instant,
}

/// The `kid` a token names, without trusting anything in it. `None` where it is no JWT, or asks
/// for what no token of ours needs.
pub fn key_id(token: &str) -> Option<String> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    let metadata = Token::decode_metadata(token).ok()?;
    // `crit` names extensions that must be understood; we understand none (RFC 7515, 4.1.11).
    if metadata.critical().is_some() {
        return None;
    }
    let kind = metadata.signature_type().unwrap_or("JWT").to_ascii_lowercase();
    if !matches!(kind.as_str(), "jwt" | "at+jwt" | "application/at+jwt") {
        return None;
    }
    metadata.key_id().map(ToOwned::to_owned)
}

/// `exp` as the token has it, of one whose signature was verified.
fn end_of(token: &str) -> Option<f64> {
    #[derive(Deserialize)]
    struct Ending {
        exp: f64,
    }
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Ending>(&claims).ok().map(|ending| ending.exp)
}

impl Jwk {
    /// The one algorithm of this key, of those we accept.
    pub fn algorithm(&self) -> Option<&'static str> {
        let follows = match (self.kty.as_str(), self.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => "EdDSA",
            ("EC", Some("P-256")) => "ES256",
            ("RSA", _) => "RS256",
            _ => return None,
        };
        let says_the_same = self.alg.as_deref().is_none_or(|alg| alg == follows);
        let signs = self.use_for.as_deref().is_none_or(|purpose| purpose == "sig");
        (says_the_same && signs).then_some(follows)
    }

    /// Verifies a token with this key. `None` for whatever reason: none is the client's to know.
    pub fn verify(&self, token: &str, expected: &Expected<'_>) -> Option<JWTClaims<ExtraClaims>> {
        let options = || VerificationOptions {
            allowed_issuers: Some([expected.issuer.to_owned()].into()),
            time_tolerance: Some(Duration::from_secs(30)),
            max_token_length: Some(MAX_TOKEN),
            max_header_length: Some(MAX_TOKEN),
            artificial_time: Some(Duration::from_secs(u64::try_from(expected.now.seconds()).unwrap_or(0))),
            ..Default::default()
        };
        let part =
            |value: &Option<String>| URL_SAFE_NO_PAD.decode(value.as_deref()?.trim_end_matches('=')).ok();
        let claims = match self.algorithm()? {
            "EdDSA" => Ed25519PublicKey::from_bytes(&part(&self.x)?)
                .ok()?
                .verify_token::<ExtraClaims>(token, Some(options())),
            "ES256" => {
                let mut point = vec![4u8];
                point.extend(part(&self.x)?);
                point.extend(part(&self.y)?);
                ES256PublicKey::from_bytes(&point).ok()?.verify_token::<ExtraClaims>(token, Some(options()))
            }
            _ => RS256PublicKey::from_components(&part(&self.n)?, &part(&self.e)?)
                .ok()?
                .verify_token::<ExtraClaims>(token, Some(options())),
        }
        .ok()?;
        // jwt-simple lets a token without `exp` live for ever, and folds a time outside of 32 bits into
        // them: -5 would be in 2106.
        (0.0..f64::from(u32::MAX)).contains(&end_of(token)?).then_some(())?;
        let audience = match claims.custom.token_use.as_deref() {
            Some("access") => {
                claims.custom.client_id.iter().any(|id| expected.audiences.contains(&id.as_str()))
            }
            // An id token of Cognito is not for APIs.
            Some(_) => false,
            None => match &claims.audiences {
                Some(Audiences::AsString(one)) => expected.audiences.contains(&one.as_str()),
                Some(Audiences::AsSet(all)) => {
                    all.iter().any(|one| expected.audiences.contains(&one.as_str()))
                }
                None => false,
            },
        };
        audience.then_some(claims)
    }
}
