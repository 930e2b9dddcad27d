//! Errors as clients see them: RFC 9457 problem documents with a stable `code`.
//!
//! A store answers with its own error; a handler turns it into an [`ApiError`], whose private
//! `source` is logged once at the edge ([`crate::edge`]) and never answered.

use std::borrow::Cow;
use std::fmt;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::DbError;

/// What a handler answers when it cannot do what was asked.
#[derive(Debug)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable `snake_case` word a client may match on.
    pub code: Cow<'static, str>,
    /// A sentence safe to show.
    pub detail: Cow<'static, str>,
    /// The fields at fault, for 422.
    pub fields: Vec<FieldError>,
    /// Headers of the answer (`WWW-Authenticate`, `Retry-After`).
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What happened inside; logged, never answered.
    pub source: Option<anyhow::Error>,
}

/// One field at fault.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, ToSchema)]
pub struct FieldError {
    /// Path of the field in the body or its name in the query.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// The result of a handler.
pub type ApiResult<T = Response> = Result<T, ApiError>;

impl ApiError {
    /// An error of any status.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            fields: Vec::new(),
            headers: Vec::new(),
            source: None,
        }
    }

    /// 400: the request cannot be read.
    pub fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401 with the challenge of RFC 6750.
    pub fn invalid_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_token", "A valid access token is needed.")
            .header(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")
    }

    /// 403: seen, but not the caller's to change.
    pub fn forbidden(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 403 for the token of a suspended person.
    pub fn account_suspended() -> Self {
        let detail =
            "This account is suspended. GET /me/decisions says why, POST /me/appeals asks for another look.";
        Self::forbidden("account_suspended", detail)
    }

    /// 403 for who is no administrator.
    pub fn admin_required() -> Self {
        Self::forbidden("admin_required", "Only administrators may do this.")
    }

    /// 404, the same for what is missing and for what the caller may not see.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here.")
    }

    /// 409.
    pub fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422 about one field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::unprocessable("invalid", "The request is not valid.").field(field, message)
    }

    /// 422 with a code of its own.
    pub fn unprocessable(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 429 with `Retry-After`, in seconds.
    pub fn rate_limited(retry_after: i64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests; try again later.")
            .header(header::RETRY_AFTER, &retry_after.max(1).to_string())
    }

    /// 500 for a fault of ours.
    pub fn internal(source: impl Into<anyhow::Error>) -> Self {
        let mut error =
            Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side.");
        error.source = Some(source.into());
        error
    }

    /// 503 while something this service needs does not answer.
    pub fn unavailable(source: impl Into<anyhow::Error>) -> Self {
        let mut error = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Something this needs does not answer; try again.",
        )
        .header(header::RETRY_AFTER, "1");
        error.source = Some(source.into());
        error
    }

    /// Adds a field at fault.
    pub fn field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.fields.push(FieldError { field: field.into(), message: message.into() });
        self
    }

    /// Adds a header. A value that is not a header value is left out.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

/// Collects every field at fault of one request, so that a person mends them in one go.
#[derive(Default)]
pub struct Check(Vec<FieldError>);

impl Check {
    /// Notes `message` about `field` unless `holds`.
    pub fn field(&mut self, holds: bool, field: &str, message: &str) -> &mut Self {
        if !holds {
            self.0.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        }
        self
    }

    /// 422 with everything noted, or nothing.
    pub fn finish(&mut self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut error = ApiError::unprocessable("invalid", "The request is not valid.");
        error.fields = std::mem::take(&mut self.0);
        Err(error)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.detail)
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Busy => Self::unavailable(error),
            other => Self::internal(other),
        }
    }
}

/// A refusal, in the form of RFC 9457.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A URI reference for the kind of problem; its fragment is the `code`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// A sentence about this occurrence.
    pub detail: String,
    /// Stable `snake_case` word.
    pub code: String,
    /// The `X-Request-Id` of the request.
    pub request_id: String,
    /// The fields at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl ApiError {
    /// The problem document for the request `request_id`.
    pub fn problem(&self, request_id: &str) -> Problem {
        Problem {
            kind: format!("/docs#{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone().into_owned(),
            code: self.code.clone().into_owned(),
            request_id: request_id.to_owned(),
            errors: self.fields.clone(),
        }
    }
}

/// Carries the error to the edge, which knows the request id and writes the body.
#[derive(Clone)]
pub(crate) struct Raised(pub std::sync::Arc<ApiError>);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        for (name, value) in &self.headers {
            response.headers_mut().append(name.clone(), value.clone());
        }
        response.extensions_mut().insert(Raised(std::sync::Arc::new(self)));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_never_carries_its_source() {
        let error = ApiError::internal(anyhow::anyhow!("no such table: posts"));
        let body = serde_json::to_string(&error.problem("r-1")).unwrap();
        assert!(!body.contains("posts"), "{body}");
        assert!(body.contains("\"requestId\":\"r-1\""), "{body}");
    }

    #[test]
    fn every_field_at_fault_is_named_at_once() {
        let error = Check::default()
            .field(false, "email", "is not an address")
            .field(true, "handle", "is taken")
            .field(false, "password", "is too short")
            .finish()
            .unwrap_err();
        let names: Vec<_> = error.fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(names, ["email", "password"]);
    }
}
