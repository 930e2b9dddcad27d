//! Rebuilds: a service made of events alone is made again of all that was ever told.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use shared::answer;
use shared::app::Ctx;
use shared::auth::Worker;
use shared::clients::{Client, ClientError};
use shared::error::{ApiError, ApiResult};
use shared::extract::Json;
use shared::history::sources_of;
use shared::trace::Trace;

use crate::SERVICES;

/// Which service.
#[derive(Deserialize)]
pub struct RebuildIn {
    service: String,
}

/// `POST /worker/rebuild`: the service forgets what it derived, and its sources tell everything again. With the worker token.
///
/// Answers who tells. They begin with the next `/worker/tick`, and it is done when a tick says that nothing waits.
pub async fn create_rebuild(
    _: Worker,
    State(app): State<Ctx>,
    trace: Trace,
    Json(body): Json<RebuildIn>,
) -> ApiResult {
    let service = SERVICES.iter().find(|service| **service == body.service);
    let service = service.ok_or_else(|| ApiError::invalid("service", "is no service"))?;
    match Client::new(&app, &trace, service).post::<()>("/internal/rebuild", &json!({})).await {
        Ok(()) => Ok(answer::json(StatusCode::ACCEPTED, &json!({ "sources": sources_of(service) }))),
        Err(ClientError::Answered(problem)) if problem.status == 404 => {
            Err(ApiError::unprocessable("not_rebuildable", "This service is not made of events alone."))
        }
        Err(error) => Err(error.into()),
    }
}
