//! One file per noun; each handler extracts, checks, calls the store once, answers.

pub mod deletion;
pub mod handle;
pub mod internal;
pub mod invite;
pub mod me;
pub mod preferences;
pub mod search;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde_json::Value;
use shared::app::Ctx;
use shared::auth::Caller;
use shared::error::{ApiError, ApiResult};

use crate::store::{Lens, Store};

/// As `shared::auth::Admin`, where it is known whose address was verified: a token may be older than that.
pub struct Admin;

impl FromRequestParts<Ctx> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Ctx) -> ApiResult<Self> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let lens = Lens::new(app, Some(&caller.token));
        let me = Store(app.db.clone()).get_me(caller.id, &lens).await?;
        let me: Value = serde_json::from_str(&me.unwrap_or_default()).unwrap_or_default();
        let is_admin = me["roles"].as_array().is_some_and(|roles| roles.iter().any(|role| role == "admin"));
        if is_admin { Ok(Self) } else { Err(ApiError::admin_required()) }
    }
}
