//! Extractors that do the dull work of a handler, with rejections in the shape of every error.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::app::Ctx;
use crate::error::{ApiError, Check};
use crate::ids::Id;

/// A JSON body: 415 for another content type, 400 for what is not JSON, 422 with the field for
/// JSON of another shape.
pub struct Json<T>(pub T);

/// Deeper JSON than this is refused by serde_json itself (128); bodies of ours need far less.
impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        require_json(&parts)?;
        // The edge bounded the body and has it in memory.
        let body = axum::body::to_bytes(body, usize::MAX)
            .await
            .map_err(|_| ApiError::bad_request("unreadable_body", "The body ended early."))?;
        parse_json(&body).map(Json)
    }
}

fn require_json(parts: &Parts) -> Result<(), ApiError> {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "The body must be application/json.",
    ))
}

/// Parses a body: 400 for what is not JSON, 422 for JSON of another shape.
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let deserializer = &mut serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize::<_, T>(&mut *deserializer);
    let malformed = || ApiError::bad_request("malformed_json", "The body is not JSON.");
    match parsed {
        // In members that nobody reads serde_json takes any bytes.
        Ok(_) if std::str::from_utf8(body).is_err() => Err(malformed()),
        // serde would take a list for a struct, member by member.
        Ok(_) if body.trim_ascii_start().starts_with(b"[") => Err(ApiError::invalid("", "must be an object")),
        Ok(value) => deserializer.end().map(|()| value).map_err(|_| malformed()),
        // Not by the kind of the error: a fault of shape may come before one of syntax, and serde_json
        // calls `null` for one of several words a fault of syntax.
        Err(error) if is_json(body) => {
            let path = error.path().to_string();
            let field = if path == "." { String::new() } else { path };
            // serde's sentence names the expected type, and the position, which helps nobody.
            let message = error.inner().to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            // The path of a member that is not there ends at what lacks it.
            let missing = message.strip_prefix("missing field `").and_then(|name| name.strip_suffix('`'));
            Err(match missing {
                Some(name) if field.is_empty() => ApiError::invalid(name, "is missing"),
                Some(name) => ApiError::invalid(format!("{field}.{name}"), "is missing"),
                None => ApiError::invalid(field, message),
            })
        }
        Err(_) => Err(malformed()),
    }
}

fn is_json(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok() && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// The query string as `T`; 422 where a value does not fit.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|query| Self(query.0))
            .map_err(|error| ApiError::invalid("query", error.body_text()))
    }
}

/// Path parameters as `T`. What is not of its form names nothing: 404.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Path::<T>::from_request_parts(parts, state).await.map(|path| Self(path.0)).map_err(
            |error| match error {
                PathRejection::FailedToDeserializePathParams(_) => ApiError::not_found(),
                other => ApiError::internal(anyhow::anyhow!("{other}")),
            },
        )
    }
}

/// The address a request came from: the configured proxy header, else the last `spin-client-addr`
/// (Spin appends its own and strips none). IPv6 counts by /64, since a person owns that many.
pub struct ClientAddr(pub String);

impl FromRequestParts<Ctx> for ClientAddr {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Ctx) -> Result<Self, Self::Rejection> {
        let proxy = app.config.get("trusted_proxy_header");
        let name = if proxy.is_empty() { "spin-client-addr" } else { proxy };
        let last = parts.headers.get_all(name).iter().next_back().and_then(|value| value.to_str().ok());
        // A proxy appends the address it saw, so the last of a list is the one it vouches for.
        let address = last.and_then(|list| list.rsplit(',').next()).unwrap_or("").trim();
        Ok(Self(network_of(address)))
    }
}

fn network_of(address: &str) -> String {
    use std::net::{IpAddr, SocketAddr};
    let ip = address.parse::<SocketAddr>().map(|socket| socket.ip()).or_else(|_| address.parse::<IpAddr>());
    match ip {
        Ok(IpAddr::V4(ip)) => ip.to_string(),
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.to_string(),
            None => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        },
        Err(_) => "unknown".to_owned(),
    }
}

/// A person, by exactly one of the two.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Their id.
    #[schema(value_type = Option<Id>)]
    user_id: Option<String>,
    /// Their handle, in any case.
    #[schema(examples("alice"))]
    handle: Option<String>,
}

/// Whom a [`Target`] names.
#[derive(Debug, PartialEq, Eq)]
pub enum Named {
    /// By id.
    Id(Id),
    /// By handle, lower case.
    Handle(String),
}

impl Target {
    /// Whom the body names; 422 unless it is exactly one of the two.
    pub fn named(self) -> Result<Named, ApiError> {
        match (self.user_id, self.handle) {
            (Some(id), None) => {
                Id::parse(&id).map(Named::Id).ok_or_else(|| ApiError::invalid("userId", "is not a UUID"))
            }
            (None, Some(handle)) => Ok(Named::Handle(handle.trim().to_ascii_lowercase())),
            _ => {
                let message = "give either userId or handle";
                Err(Check::default()
                    .field(false, "userId", message)
                    .field(false, "handle", message)
                    .finish()
                    .err()
                    .unwrap_or_else(ApiError::not_found))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct In {
        #[allow(dead_code)]
        display_name: String,
    }

    #[test]
    fn what_is_not_json_is_400_and_what_does_not_fit_is_422_with_its_field() {
        assert_eq!(parse_json::<In>(b"{").unwrap_err().status, 400);
        assert_eq!(parse_json::<In>(b"{\"displayName\":\"a\"} x").unwrap_err().status, 400);
        let error = parse_json::<In>(b"{\"displayName\":5}").unwrap_err();
        assert_eq!((error.status.as_u16(), error.fields[0].field.as_str()), (422, "displayName"));
        assert_eq!(parse_json::<In>(b"{\"displayName\":5} x").unwrap_err().status, 400);
        assert_eq!(parse_json::<In>(b"{\"displayName\":\"\xff\"}").unwrap_err().status, 400);
        let ignored = b"{\"displayName\":\"a\",\"other\":\"\xff\"}";
        assert_eq!(parse_json::<In>(ignored).unwrap_err().status, 400, "JSON is UTF-8 everywhere");
        let error = parse_json::<In>(b"{}").unwrap_err();
        assert_eq!(error.fields[0].field.as_str(), "displayName", "what is missing is named as well");
        assert_eq!(parse_json::<In>(b" [\"a\"]").unwrap_err().status, 422, "a list is no object");
        let deep = "[".repeat(10_000);
        assert_eq!(parse_json::<In>(deep.as_bytes()).unwrap_err().status.as_u16() / 100, 4);
    }

    #[test]
    fn what_is_no_word_where_a_word_is_due_is_422() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Word {
            Yes,
        }
        assert!(matches!(parse_json::<Word>(b"\"yes\""), Ok(Word::Yes)));
        for body in [&b"null"[..], b"7", b"true", b"\"no\"", b"[]"] {
            assert_eq!(parse_json::<Word>(body).unwrap_err().status, 422, "{body:?}");
        }
    }

    #[test]
    fn an_ipv6_person_is_counted_by_their_64() {
        assert_eq!(network_of("[2001:db8:1:2:3:4:5:6]:4242"), "2001:db8:1:2::/64");
        assert_eq!(network_of("127.0.0.1:4242"), "127.0.0.1");
        assert_eq!(network_of("garbage"), "unknown");
    }
}
