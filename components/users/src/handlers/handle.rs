//! `/username`: handles.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::answer::json;
use shared::app::Ctx;
use shared::auth::{Caller, MaybeCaller};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Json, Query};
use shared::wire::Me;
use utoipa::{IntoParams, ToSchema};

use crate::docs::Availability;
use crate::handlers::me::answer_me;
use crate::model::{handle_taken, require_handle};
use crate::store::{Change, Lens, Store};

/// A handle asked about.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HandleQuery {
    /// Any text; what is no handle is not available.
    #[param(value_type = String, required = true)]
    handle: Option<String>,
}

/// Whether a handle can be taken.
///
/// The caller's own old handle can, for as long as it is held for them.
#[utoipa::path(get, path = "/username", params(HandleQuery), security((), ("bearerAuth" = [])),
    responses((status = 200, description = "Whether it can, and if not, why.", body = Availability)))]
pub async fn check_handle(
    caller: MaybeCaller,
    State(app): State<Ctx>,
    db: Db,
    Query(query): Query<HandleQuery>,
) -> ApiResult {
    let given = query.handle.ok_or_else(|| ApiError::invalid("handle", "is missing"))?;
    let reason = match require_handle(&given) {
        Ok(handle) => {
            let free = Store(db).is_handle_free(&handle, caller.id(), app.now()).await?;
            (!free).then(|| handle_taken().code)
        }
        Err(error) => Some(error.code),
    };
    let body = serde_json::json!({ "available": reason.is_none(), "reason": reason });
    Ok(json(StatusCode::OK, &body))
}

/// A handle wanted.
#[derive(Deserialize, ToSchema)]
pub struct HandleIn {
    /// In any case; stored lower.
    #[schema(pattern = "^[A-Za-z][A-Za-z0-9_]{2,19}$")]
    handle: String,
}

/// Gives the caller a handle.
///
/// Their old one is held for 30 days, and leads to the new one. A handle may be changed 10 times a day.
#[utoipa::path(post, path = "/username", responses(
    (status = 200, description = "The caller, with the handle.", body = Me),
    (status = 409, description = "`handle_taken`: it is somebody's, held or reserved"),
    (status = 422, description = "`handle_invalid`: it is none"),
))]
pub async fn change_handle(
    caller: Caller,
    State(app): State<Ctx>,
    db: Db,
    Json(body): Json<HandleIn>,
) -> ApiResult {
    let handle = require_handle(&body.handle)?;
    let lens = Lens::new(&app, Some(&caller.token));
    let limited = app.config.is_on("rate_limits");
    match Store(db).change_handle(caller.id, &handle, app.now(), limited, &lens).await? {
        Change::Done(me) => answer_me(Some(me)),
        Change::Taken => Err(handle_taken().field("handle", "is not available")),
        Change::Limited(seconds) => Err(ApiError::rate_limited(seconds)),
    }
}
