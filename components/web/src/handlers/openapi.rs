//! `/openapi.json`: what clients may rely on.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, State};
use futures_util::future::try_join_all;
use http::{HeaderValue, header};
use serde_json::Value;
use shared::answer::IfNoneMatch;
use shared::app::{App, Ctx};
use shared::clients::Client;
use shared::error::{ApiError, ApiResult};
use shared::trace::Trace;

use crate::SERVICES;
use crate::openapi::{Memory, merge};

/// How long a service may take for its part.
const PART_TIME: Duration = Duration::from_secs(3);

/// This document.
#[utoipa::path(get, path = "/openapi.json", params(IfNoneMatch), security(()), responses(
    (status = 200, description = "OpenAPI 3.1 of every public route.", body = Object),
    (status = 503, description = "`unavailable`: a service does not answer"),
))]
pub async fn read_openapi(
    State(app): State<Ctx>,
    Extension(memory): Extension<Arc<Memory>>,
    trace: Trace,
    known: IfNoneMatch,
) -> ApiResult {
    let json = match memory.get(app.now()) {
        Some(json) => json,
        None => {
            let json = ask(&app, &trace).await?;
            memory.put(app.now(), &json);
            json
        }
    };
    let mut response = known.answer(json);
    let minute = HeaderValue::from_static("public, max-age=60");
    response.headers_mut().insert(header::CACHE_CONTROL, minute);
    Ok(response)
}

/// Asks every service for its part, all at once.
async fn ask(app: &App, trace: &Trace) -> ApiResult<String> {
    let parts = SERVICES.iter().map(async |service| {
        let client = Client::new(app, trace, service);
        client.get_within::<Value>("/internal/openapi", PART_TIME).await
    });
    let mut parts = try_join_all(parts).await.map_err(ApiError::unavailable)?;
    parts.push(shared::openapi::document(app.service));
    Ok(merge(parts).to_string())
}
