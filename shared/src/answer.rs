//! Answers: JSON that SQLite built passed on as it is, with a strong `ETag` where it is a single
//! resource.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::{IntoParams, PartialSchema};

/// JSON text with a status.
pub fn json_text(status: StatusCode, json: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json).into_response()
}

/// A value as JSON with a status.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_string(value) {
        Ok(json) => json_text(status, json),
        Err(error) => crate::error::ApiError::internal(error).into_response(),
    }
}

/// 201 with the `Location` of what was made: a path below `collection` (`/posts`), by the id that `json` begins with. A request
/// that is sent again has that of its first run.
pub fn created(collection: &str, json: String) -> Response {
    let location = format!("{collection}/{}", json.split('"').nth(3).unwrap_or_default());
    let mut response = json_text(StatusCode::CREATED, json);
    if let Ok(value) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// Half of a tag. A tag tells the bytes of one resource apart over time, which is no secret: SipHash does, at a tenth of the
/// cost of a cryptographic hash.
fn digest(half: u8, json: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (half, json).hash(&mut hasher);
    hasher.finish()
}

/// What the client already has (`If-None-Match`).
pub struct IfNoneMatch(HeaderMap);

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let mut known = HeaderMap::new();
        for value in parts.headers.get_all(header::IF_NONE_MATCH) {
            known.append(header::IF_NONE_MATCH, value.clone());
        }
        Ok(Self(known))
    }
}

/// An operation that takes this answers 200 with `ETag`, or 304.
impl IntoParams for IfNoneMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = ParameterBuilder::new()
            .name("If-None-Match")
            .parameter_in(ParameterIn::Header)
            .description(Some("The `ETag` of the answer you have; 304 where it is still the same."))
            .schema(Some(String::schema()));
        vec![parameter.build()]
    }
}

impl IfNoneMatch {
    /// 200 with a strong `ETag` over the bytes of the answer, or 304 where the client has them.
    pub fn answer(&self, json: String) -> Response {
        let tag = format!("\"{:016x}{:016x}\"", digest(0, &json), digest(1, &json));
        self.answer_tagged(&tag, || json_text(StatusCode::OK, json))
    }

    /// What `full` answers with its `ETag`, quotes included; or 304 where the client has it.
    pub fn answer_tagged(&self, tag: &str, full: impl FnOnce() -> Response) -> Response {
        let known = self.0.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let matches = known
            .flat_map(|list| list.split(','))
            // RFC 9110, 13.1.2: If-None-Match compares weakly.
            .any(|one| matches!(one.trim(), "*") || one.trim().trim_start_matches("W/") == tag);
        let mut response = if matches { StatusCode::NOT_MODIFIED.into_response() } else { full() };
        if let Ok(tag) = HeaderValue::from_str(tag) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}
