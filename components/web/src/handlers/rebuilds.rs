//! Rebuilds: a service made of events alone is made again of all that was ever told.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::answer;
use shared::app::Ctx;
use shared::auth::Worker;
use shared::clients::Client;
use shared::error::{ApiError, ApiResult};
use shared::extract::Json;
use shared::trace::Trace;

use crate::SERVICES;

/// Which service.
#[derive(Deserialize)]
pub struct RebuildIn {
    service: String,
}

/// `POST /worker/rebuild`: the service forgets what it derived, and its sources tell everything again. With the worker token.
///
/// Answers who tells; it is done when nothing waits any more, which `/worker/tick` says.
pub async fn create_rebuild(
    _: Worker,
    State(app): State<Ctx>,
    trace: Trace,
    Json(body): Json<RebuildIn>,
) -> ApiResult {
    let service = SERVICES.iter().find(|service| **service == body.service);
    let service = service.ok_or_else(|| ApiError::invalid("service", "is no service"))?;
    let told = Client::new(&app, &trace, service).post::<Value>("/internal/rebuild", &json!({})).await?;
    Ok(answer::json(StatusCode::ACCEPTED, &told))
}
