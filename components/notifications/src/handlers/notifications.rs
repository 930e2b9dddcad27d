//! What the caller is told, and what of it they have read.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::answer::json_text;
use shared::app::Ctx;
use shared::auth::{Bearer, Caller};
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::{Json, Query};
use shared::ids::Id;
use shared::page::Page;
use utoipa::{IntoParams, ToSchema};

use crate::docs::{Notifications, Unread};
use crate::model::{MAX_IDS, Place};
use crate::store::{self, Which};

/// Which of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NotificationsQuery {
    /// Only what is not read yet.
    #[serde(default)]
    #[param(required = false)]
    unread: bool,
}

/// What the caller is told, newest first.
///
/// Several people who do the same to the same thing are one notification while it is unread and younger than 12 h.
#[utoipa::path(get, path = "/notifications", params(NotificationsQuery, Page),
    responses((status = 200, description = "A page of notifications.", body = Notifications)))]
pub async fn list_notifications(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Query(query): Query<NotificationsQuery>,
    page: Page,
) -> ApiResult {
    let after = Place::of(&page)?;
    let list = || store::list_notifications(&db, caller.id, query.unread, after, page.limit);
    let mut found = list().await?;
    if found.is_none() {
        caller.settle(&app).await?;
        found = list().await?;
    }
    let (page, unread) = found.ok_or_else(ApiError::invalid_token)?;
    Ok(json_text(StatusCode::OK, page.json(&format!(",\"unreadCount\":{unread}"))))
}

/// What was read: some, all up to one, or all.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadIn {
    /// These.
    #[schema(max_items = 1000)]
    ids: Option<Vec<Id>>,
    /// This one and what stands below it.
    up_to: Option<Id>,
}

impl ReadIn {
    fn which(self) -> ApiResult<Which> {
        match (self.ids, self.up_to) {
            (None, None) => Ok(Which::All),
            (None, Some(id)) => Ok(Which::UpTo(id)),
            (Some(ids), None) if ids.len() <= MAX_IDS => Ok(Which::These(ids)),
            (Some(_), None) => Err(ApiError::invalid("ids", "at most 1000")),
            (Some(_), Some(_)) => {
                let message = "give either ids or upTo";
                Err(ApiError::invalid("ids", message).field("upTo", message))
            }
        }
    }
}

/// Marks what the caller has read: some, all up to one, or all.
///
/// Ids that name nothing of theirs, or what was withdrawn meanwhile, are passed over.
#[utoipa::path(post, path = "/notifications/read",
    responses((status = 200, description = "What is left to read.", body = Unread)))]
pub async fn read_notifications(
    State(app): State<Ctx>,
    caller: Caller,
    db: Db,
    Json(body): Json<ReadIn>,
) -> ApiResult {
    store::read_notifications(&db, caller.id, &body.which()?, app.now()).await?;
    let unread = store::count_unread(&db, caller.id).await?.ok_or_else(ApiError::invalid_token)?;
    Ok(json_text(StatusCode::OK, format!("{{\"unreadCount\":{unread}}}")))
}
