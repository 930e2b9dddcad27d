//! The feed.

use axum::extract::State;
use shared::app::Ctx;
use shared::auth::Bearer;
use shared::db::{Db, PageOut};
use shared::error::{ApiError, ApiResult};
use shared::page::Page;

use super::settled;
use crate::store;

/// `GET /feed`: the posts of the caller and of those they follow, newest first.
pub async fn get_feed(State(app): State<Ctx>, db: Db, caller: Bearer, page: Page) -> ApiResult<PageOut> {
    let after = page.after_integer()?;
    let feed = settled(&app, &caller, || store::get_feed(&db, caller.id, after.clone(), page.limit)).await?;
    feed.ok_or_else(ApiError::invalid_token)
}
