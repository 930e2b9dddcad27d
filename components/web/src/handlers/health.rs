//! Whether the application is well.

use std::time::Duration;

use axum::extract::State;
use futures_util::future::join_all;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared::answer;
use shared::app::Ctx;
use shared::clients::Client;
use shared::error::{ApiError, ApiResult};
use shared::trace::{Trace, log};

use crate::{SERVICES, docs};

/// How long a service may take to say that it is well: shorter than a probe's own patience.
const HEALTH_TIME: Duration = Duration::from_secs(3);

/// What a service says of itself.
#[derive(Deserialize)]
struct Health {
    ok: bool,
}

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", security(()),
    responses((status = 200, description = "It does.", body = docs::Health)))]
pub async fn read_health() -> ApiResult {
    Ok(answer::json(StatusCode::OK, &json!({ "status": "ok" })))
}

/// Whether every service and its database answer.
#[utoipa::path(get, path = "/readyz", security(()), responses(
    (status = 200, description = "All of them do.", body = docs::Readiness),
    (status = 503, description = "`not_ready`: some do not", body = docs::NotReady,
        content_type = "application/problem+json"),
))]
pub async fn read_readiness(State(app): State<Ctx>, trace: Trace) -> ApiResult {
    let asked = SERVICES.iter().map(async |service| {
        let client = Client::new(&app, &trace, service);
        let failed = match client.get_within::<Health>("/internal/health", HEALTH_TIME).await {
            Ok(health) if health.ok => return (*service, true),
            Ok(_) => "it is not well".to_owned(),
            Err(error) => error.to_string(),
        };
        // The reason may name hosts and files: it is for the log, not for whoever asks.
        log("warn", app.service.name, "not ready", json!({ "failing": service, "error": failed }));
        (*service, false)
    });
    let asked = join_all(asked).await;
    let services: Map<String, Value> = asked
        .iter()
        .map(|(service, ok)| {
            let word = if *ok { "ok" } else { "failing" };
            ((*service).to_owned(), json!({ "status": word, "database": word }))
        })
        .collect();
    let failing: Vec<&str> = asked.iter().filter(|(_, ok)| !ok).map(|(service, _)| *service).collect();
    if failing.is_empty() {
        return Ok(answer::json(StatusCode::OK, &json!({ "status": "ok", "services": services })));
    }
    not_ready(&failing, services, &trace)
}

/// The problem document of every error, with the services added to it (RFC 9457, 3.2).
fn not_ready(failing: &[&str], services: Map<String, Value>, trace: &Trace) -> ApiResult {
    let detail = format!("Not ready: {}.", failing.join(", "));
    let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail);
    let mut problem = serde_json::to_value(error.problem(&trace.request_id)).map_err(ApiError::internal)?;
    if let Some(members) = problem.as_object_mut() {
        members.insert("services".to_owned(), services.into());
    }
    let mut response = answer::json(StatusCode::SERVICE_UNAVAILABLE, &problem);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    Ok(response)
}
