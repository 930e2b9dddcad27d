//! The feed.

use axum::extract::State;
use shared::app::Ctx;
use shared::auth::Bearer;
use shared::db::{Db, PageOut, Value};
use shared::error::{ApiError, ApiResult};
use shared::media::fill_page;
use shared::page::Page;
use shared::{platform, wire};

use super::settled;
use crate::docs::Post;
use crate::store;

/// The posts of the caller and of those they follow, newest first.
#[utoipa::path(get, path = "/feed", params(Page),
    responses((status = 200, description = "A page of posts.", body = wire::Page<Post>)))]
pub async fn get_feed(State(app): State<Ctx>, db: Db, caller: Bearer, page: Page) -> ApiResult<PageOut> {
    let after = page.after_integer()?;
    if page.after.is_some() {
        let feed =
            settled(&app, &caller, || store::get_feed(&db, caller.id, after.clone(), page.limit)).await?;
        return feed.map(|feed| fill_page(&app, feed)).ok_or_else(ApiError::invalid_token);
    }
    if let Some(feed) = store::get_feed_head(&db, caller.id, page.limit).await? {
        return Ok(fill_page(&app, feed));
    }
    let feed = settled(&app, &caller, || store::get_feed(&db, caller.id, Value::Null, page.limit)).await?;
    let feed = feed.map(|feed| fill_page(&app, feed));
    let now = app.now();
    // A head that is not made costs the next read a merge, nothing else.
    platform::spawn(async move { drop(store::keep_feed_head(&app.db, caller.id, now).await) });
    feed.ok_or_else(ApiError::invalid_token)
}
