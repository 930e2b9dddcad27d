//! What happens to every request before and after its handler.
//!
//! In: request id and trace, CORS preflight, the body read within its bounds, points of the write
//! limits, a retry answered from what was kept. Out: problem documents in one shape whoever refused,
//! headers, the log of what went wrong, the relay of what changed.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, Limited};

use crate::app::{App, Ctx, Relay};
use crate::auth::{Credentials, Verified};
use crate::error::{ApiError, ApiResult, Raised};
use crate::events;
use crate::idempotency::{self, Guarded};
use crate::limits::{Spending, WRITES_DAY, WRITES_HOUR};
use crate::platform;
use crate::trace::{Trace, log};

/// Largest body of a client.
const BODY: usize = 64 << 10;
/// Largest body of another service: a batch of events.
const INTERNAL_BODY: usize = 8 << 20;
/// Largest body of a worker: the segments of a long video.
const WORKER_BODY: usize = 2 << 20;
/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(15);
/// Turns that a body may take before its time is measured.
const BODY_TURNS: usize = 2;
/// How long an answer waits for its events to be delivered; they go out in any case.
const RELAY_TIME: Duration = Duration::from_secs(2);

const EXPOSED: &str = "ETag, Location, RateLimit, RateLimit-Policy, Retry-After, Idempotency-Replayed, X-Request-Id, Appeal-Token";

/// The middleware around a service's router.
pub(crate) async fn edge(State(app): State<Ctx>, mut request: Request, next: Next) -> Response {
    let trace = Trace::from_headers(request.headers(), app.now());
    let origin = allowed_origin(&app, request.headers());
    if let Some(answer) = preflight(&request, origin.as_ref()) {
        return finish(answer, &trace, origin);
    }
    if request.extensions().get::<Credentials>().is_none() {
        let credentials = Credentials::of(request.headers());
        request.extensions_mut().insert(credentials);
    }
    let spending = Spending::default();
    request.extensions_mut().insert(trace.clone());
    request.extensions_mut().insert(spending.clone());
    // For layers of a service's routes, which are made before there is a state.
    request.extensions_mut().insert(app.clone());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let is_internal = path.starts_with("/internal/") && !app.service.migrations.is_empty();
    let handled = handle(&app, request, next, is_internal, &spending, &trace).await;
    let mut response =
        handled.unwrap_or_else(|error| render(&app, error.into_response(), &trace, &method, &path));
    if response.status().is_server_error() {
        // A refund that fails is a fault already being answered.
        let _ = spending.refund(&app).await;
    } else if changes(&method) && !response.status().is_client_error() {
        relay(&app, is_internal).await;
    }
    spending.headers(response.headers_mut());
    finish(response, &trace, origin)
}

fn changes(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE)
}

async fn handle(
    app: &Ctx,
    request: Request,
    next: Next,
    is_internal: bool,
    spending: &Spending,
    trace: &Trace,
) -> ApiResult<Response> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    if !changes(&method) {
        return Ok(render(app, next.run(request).await, trace, &method, &path));
    }
    let (parts, body) = request.into_parts();
    let limit = match is_internal {
        true => INTERNAL_BODY,
        false if path.starts_with("/worker/") => WORKER_BODY,
        false => BODY,
    };
    let body = read_body(body, &parts.headers, limit).await?;
    let mut request = Request::from_parts(parts, Body::from(body.clone()));
    if is_internal || app.service.migrations.is_empty() {
        return Ok(render(app, next.run(request).await, trace, &method, &path));
    }
    let token = crate::auth::bearer_token(request.extensions()).ok().flatten().map(ToOwned::to_owned);
    // A bad token is the handler's to refuse; a good one is verified here for all that follows.
    if let Some(token) = token
        && let Ok(verified) = app.auth.verify(app, trace, &token).await
    {
        spend_write(app, &method, &verified, spending).await?;
        request.extensions_mut().insert(verified);
    }
    let (request, claim) = match method {
        Method::POST => match idempotency::guard(app, request, &body).await? {
            Guarded::Run(request, claim) => (request, claim),
            Guarded::Replayed(response) => return Ok(response),
        },
        _ => (request, None),
    };
    let response = render(app, next.run(request).await, trace, &method, &path);
    Ok(match claim {
        Some(claim) => claim.keep(app, response).await,
        None => response,
    })
}

async fn read_body(body: Body, headers: &HeaderMap, limit: usize) -> ApiResult<Bytes> {
    let too_large =
        || ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is larger than 64 KiB.");
    // RFC 9112, 6.3: a transfer coding overrides the length.
    let declared = match headers.contains_key(header::TRANSFER_ENCODING) {
        true => None,
        false => {
            headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok())
        }
    };
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let read = std::pin::pin!(collect(Limited::new(body, limit), declared));
    match select(read, std::pin::pin!(body_time())).await {
        Either::Left((Ok(body), _)) => Ok(body),
        Either::Left((Err(error), _)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Either::Left((Err(_), _)) => Err(ApiError::bad_request("unreadable_body", "The body ended early.")),
        Either::Right(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            "The body did not arrive in time.",
        )),
    }
}

/// Up to its declared length: to hear as well that it ends there takes another turn.
async fn collect(mut body: Limited<Body>, declared: Option<usize>) -> Result<Bytes, axum::BoxError> {
    let mut all = BytesMut::new();
    while declared != Some(all.len()) {
        let Some(frame) = body.frame().await else { break };
        if let Ok(data) = frame?.into_data() {
            all.extend_from_slice(&data);
        }
    }
    Ok(all.freeze())
}

/// Passes when a body is late. A short one is there after a turn or two, and a timer costs as much as reading it.
async fn body_time() {
    for _ in 0..BODY_TURNS {
        platform::turn().await;
    }
    platform::sleep(BODY_TIME).await;
}

/// Points for a change by somebody signed in; open routes have limits of their own.
async fn spend_write(app: &Ctx, method: &Method, verified: &Verified, spending: &Spending) -> ApiResult<()> {
    let cost = match *method {
        Method::POST => 3,
        Method::DELETE => 1,
        _ => 2,
    };
    let who = verified.user.to_string();
    spending.spend(app, &[(&WRITES_HOUR, &who), (&WRITES_DAY, &who)], cost).await
}

async fn relay(app: &Ctx, is_internal: bool) {
    // Between services only promptness counts; waiting here would make their calls wait in a ring.
    if app.service.relay == Relay::AfterAnswer || is_internal {
        events::relay_soon(app);
        return;
    }
    let delivery = std::pin::pin!(events::relay_now(app));
    if let Either::Left((Err(error), _)) = select(delivery, std::pin::pin!(platform::sleep(RELAY_TIME))).await
    {
        log("warn", app.service.name, "relay failed", serde_json::json!({ "error": error.to_string() }));
    }
}

/// Writes the problem document of an error, whoever raised it, and logs the ones that are ours.
fn render(app: &App, response: Response, trace: &Trace, method: &Method, path: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let raised = response.extensions().get::<Raised>().map(|raised| raised.0.clone());
    let error = match raised {
        Some(error) => error,
        // A complete answer of the handler's own.
        None if response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind == "application/problem+json") =>
        {
            return response;
        }
        None => std::sync::Arc::new(framework_error(status)),
    };
    if let Some(source) = &error.source {
        let fields = serde_json::json!({
            "requestId": trace.request_id, "traceparent": trace.traceparent(), "method": method.as_str(),
            "path": path, "status": status.as_u16(), "code": error.code, "error": format!("{source:#}"),
        });
        log("error", app.service.name, "request failed", fields);
    }
    let problem = serde_json::to_string(&error.problem(&trace.request_id)).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(problem))
}

/// axum's own refusals: no route, wrong method (it sets `Allow`), and whatever else it may refuse.
fn framework_error(status: StatusCode) -> ApiError {
    match status {
        StatusCode::NOT_FOUND => ApiError::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => {
            ApiError::new(status, "method_not_allowed", "This route does not take this method.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(status, "body_too_large", "The body is too large."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ApiError::new(status, "unsupported_media_type", "The body must be application/json.")
        }
        _ if status.is_client_error() => ApiError::new(status, "bad_request", "The request cannot be read."),
        _ => ApiError::internal(anyhow::anyhow!("a bare {status}")),
    }
}

/// The origin to answer to, where `cors_allow_origins` admits it.
fn allowed_origin(app: &App, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let text = origin.to_str().ok()?;
    app.config
        .list("cors_allow_origins")
        .any(|allowed| allowed == "*" || allowed == text)
        .then(|| origin.clone())
}

fn preflight(request: &Request, origin: Option<&HeaderValue>) -> Option<Response> {
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD).is_some();
    if request.method() != Method::OPTIONS || !asked {
        return None;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if origin.is_some() {
        let headers = response.headers_mut();
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-Id, traceparent",
            ),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    Some(response)
}

fn finish(mut response: Response, trace: &Trace, origin: Option<HeaderValue>) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&trace.request_id) {
        headers.insert("x-request-id", id);
    }
    headers.entry(header::CACHE_CONTROL).or_insert_with(|| HeaderValue::from_static("private, no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream::{self, StreamExt as _};

    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn pieces(
        pieces: &[&'static str],
    ) -> stream::Iter<impl Iterator<Item = Result<Bytes, Infallible>> + use<>> {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
        stream::iter(pieces)
    }

    /// Says these pieces, then nothing more, nor that it ends.
    fn silent_after(said: &[&'static str]) -> Body {
        Body::from_stream(pieces(said).chain(stream::pending()))
    }

    #[tokio::test]
    async fn a_body_is_there_once_its_length_is() {
        let declared = headers(&[(header::CONTENT_LENGTH, "6")]);
        let read = read_body(silent_after(&["ab", "cdef"]), &declared, 10).await;
        assert_eq!(read.unwrap(), "abcdef");
        let none = headers(&[(header::CONTENT_LENGTH, "0")]);
        assert_eq!(read_body(silent_after(&[]), &none, 10).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_transfer_coding_overrides_the_length() {
        let both = headers(&[(header::CONTENT_LENGTH, "2"), (header::TRANSFER_ENCODING, "chunked")]);
        let body = || Body::from_stream(pieces(&["ab", "cdef"]));
        assert_eq!(read_body(body(), &both, 10).await.unwrap(), "abcdef");
        assert_eq!(read_body(body(), &both, 5).await.unwrap_err().code, "body_too_large");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_waited_for_so_long() {
        let declared = headers(&[(header::CONTENT_LENGTH, "6")]);
        let start = tokio::time::Instant::now();
        let late = read_body(silent_after(&["ab"]), &declared, 10).await.unwrap_err();
        assert_eq!((late.status, late.code), (StatusCode::REQUEST_TIMEOUT, "body_timeout".into()));
        assert!(start.elapsed() >= BODY_TIME);
    }
}
