//! Leaving: `DELETE /me`, its receipt, and the export one takes along.

use std::collections::BTreeMap;

use axum::extract::State;
use futures_util::future::try_join_all;
use http::StatusCode;
use serde_json::value::RawValue;
use shared::answer::{IfNoneMatch, json, json_text};
use shared::app::Ctx;
use shared::auth::{Caller, NoBadToken};
use shared::clients::{Client, ClientError};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Path;
use shared::ids::Id;
use shared::trace::Trace;

use crate::docs::{Deletion, Receipt};
use crate::events::erasing_services;
use crate::model::Export;
use crate::store::Store;

/// Deletes the caller.
///
/// They are signed out everywhere and hidden at once; then every service erases what it holds about them.
#[utoipa::path(delete, path = "/me", responses((status = 202, description = "Where the receipt is.", body = Deletion)))]
pub async fn delete_me(caller: Caller, State(app): State<Ctx>, db: Db) -> ApiResult {
    let deletion = Store(db).delete_me(caller.id, &erasing_services(), app.now()).await?;
    Ok(json_text(StatusCode::ACCEPTED, deletion.ok_or_else(ApiError::invalid_token)?))
}

/// The receipt of a deletion.
///
/// Open, since who was deleted has no token any more: the id is the secret.
#[utoipa::path(get, path = "/me/deletion/{deletion_id}", params(IfNoneMatch), security(()),
    responses((status = 200, description = "How far each service is.", body = Receipt)))]
pub async fn get_deletion(_: NoBadToken, db: Db, known: IfNoneMatch, Path(deletion): Path<Id>) -> ApiResult {
    let receipt = Store(db).get_deletion(deletion).await?;
    Ok(known.answer(receipt.ok_or_else(ApiError::not_found)?))
}

/// Everything the services hold about the caller.
#[utoipa::path(get, path = "/me/export", responses(
    (status = 200, description = "One document.", body = Export),
    (status = 503, description = "`unavailable`: a service does not answer"),
))]
pub async fn export_me(caller: Caller, State(app): State<Ctx>, db: Db, trace: Trace) -> ApiResult {
    let own = Store(db).export_me(caller.id).await?.ok_or_else(ApiError::invalid_token)?;
    let own = RawValue::from_string(own).map_err(ApiError::internal)?;
    let path = format!("/internal/export/{}", caller.id);
    let ask = async |service: &'static str| {
        match Client::new(&app, &trace, service).get::<Box<RawValue>>(&path).await {
            // It never heard of them, so it holds nothing.
            Err(ClientError::Answered(problem)) if problem.status == 404 => Ok((service, None)),
            answer => answer.map(|part| (service, Some(part))),
        }
    };
    let parts = try_join_all(erasing_services().into_iter().map(ask)).await.map_err(ApiError::unavailable)?;
    let mut document: BTreeMap<&str, Option<Box<RawValue>>> = parts.into_iter().collect();
    document.insert("users", Some(own));
    Ok(json(StatusCode::OK, &Export { exported_at: app.now().rfc3339(), services: document }))
}
