//! What administrators did.

use axum::response::IntoResponse;
use serde::Deserialize;
use shared::auth::Admin;
use shared::db::Db;
use shared::error::ApiResult;
use shared::extract::Query;
use shared::ids::Id;
use shared::page::Page;
use shared::wire;
use utoipa::IntoParams;

use crate::docs::AdminAct;
use crate::{model, store};

/// Which acts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Those of this administrator.
    #[param(value_type = Id, required = false)]
    admin: Option<String>,
    /// Those about this person, post, comment or scoop.
    #[param(value_type = Id, required = false)]
    target: Option<String>,
}

/// What administrators did, newest first.
///
/// For administrators. Nothing in it is ever changed, but that what was written about a person goes with them.
#[utoipa::path(get, path = "/admin/audit", params(AuditQuery, Page),
    responses((status = 200, description = "A page of acts.", body = wire::Page<AdminAct>)))]
pub async fn list_audit(_: Admin, db: Db, Query(query): Query<AuditQuery>, page: Page) -> ApiResult {
    let admin = model::id("admin", query.admin.as_deref())?;
    let target = model::id("target", query.target.as_deref())?;
    Ok(store::list_audit(&db, admin, target, page.limit, page.after_integer()?).await?.into_response())
}
