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

use crate::handlers::me::answer_me;
use crate::model::{handle_taken, require_handle};
use crate::store::{Change, Lens, Store};

/// A handle asked about.
#[derive(Deserialize)]
pub struct HandleQuery {
    handle: Option<String>,
}

/// `GET /username?handle=`, open: whether it can be taken, and if not, the code that says why.
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
#[derive(Deserialize)]
pub struct HandleIn {
    handle: String,
}

/// `POST /username`: gives the caller a handle; their old one is held for 30 days.
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
