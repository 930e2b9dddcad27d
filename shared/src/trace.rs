//! Request ids, W3C trace context, and structured logs: one JSON object a line on stdout.
//!
//! Nothing personal or secret is logged: no bodies, no tokens, no query strings.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use crate::clock::Instant;
use crate::ids::Id;

/// Where a request belongs: kept in its extensions, passed on to every service it calls.
#[derive(Clone, Debug)]
pub struct Trace {
    /// `X-Request-Id`, echoed or made.
    pub request_id: String,
    given: Option<String>,
}

impl Trace {
    /// Reads the headers of a request, or makes what they lack.
    pub fn from_headers(headers: &HeaderMap, now: Instant) -> Self {
        let given = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let request_id = given("x-request-id")
            .filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()))
            .map_or_else(|| Id::new(now).to_string(), ToOwned::to_owned);
        let given = given("traceparent").filter(|text| is_traceparent(text)).map(ToOwned::to_owned);
        Self { request_id, given }
    }

    /// A trace of our own, for work no request asked for.
    pub fn fresh(now: Instant) -> Self {
        Self { request_id: Id::new(now).to_string(), given: None }
    }

    /// `traceparent` (W3C Trace Context): the one given, or one that follows from the request id, made
    /// only where something is sent on or logged.
    pub fn traceparent(&self) -> String {
        self.given.clone().unwrap_or_else(|| {
            let digest = hmac_sha256::Hash::hash(self.request_id.as_bytes());
            let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
            format!("00-{}-{}-01", hex(&digest[..16]), hex(&digest[16..24]))
        })
    }

    /// Puts both headers on an outgoing request.
    pub fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in [("x-request-id", self.request_id.clone()), ("traceparent", self.traceparent())]
        {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

/// `version-traceid-parentid-flags`, lower-case hex, neither id all zero.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, len: usize| {
        part.len() == len && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let set = |part: &str| part.bytes().any(|byte| byte != b'0');
    parts.len() == 4
        && hex(parts[0], 2)
        && parts[0] != "ff"
        && hex(parts[1], 32)
        && set(parts[1])
        && hex(parts[2], 16)
        && set(parts[2])
        && hex(parts[3], 2)
}

impl<S: Sync> FromRequestParts<S> for Trace {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let known = parts.extensions.get::<Self>().cloned();
        Ok(known.unwrap_or_else(|| Self::from_headers(&parts.headers, crate::clock::Clock::default().now())))
    }
}

/// Writes one line to the log: `log("warn", "posts", "relay failed", json!({...}))`. `fields` is an
/// object; its members are added to the line.
pub fn log(level: &str, service: &str, message: &str, fields: serde_json::Value) {
    let mut line = serde_json::json!({ "level": level, "service": service, "message": message });
    if let (Some(line), serde_json::Value::Object(fields)) = (line.as_object_mut(), fields) {
        line.extend(fields);
    }
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_passed_on_only_when_it_is_one() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let now = Instant::from_millis(1_795_288_860_000);
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_static(text));
            Trace::from_headers(&headers, now).traceparent()
        };
        assert_eq!(read(good), good);
        assert_ne!(
            read("00-00000000000000000000000000000000-00f067aa0ba902b7-01").get(3..35),
            Some("0".repeat(32).as_str())
        );
        assert!(is_traceparent(&read("nonsense")));
    }

    #[test]
    fn a_request_id_with_a_line_break_or_of_any_length_is_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", HeaderValue::from_str(&"x".repeat(129)).unwrap());
        let now = Instant::from_millis(1_795_288_860_000);
        assert_eq!(Trace::from_headers(&headers, now).request_id.len(), 36);
    }
}
