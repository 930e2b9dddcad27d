//! The feed.

use axum::extract::State;
use shared::app::Ctx;
use shared::auth::Bearer;
use shared::db::{Db, PageOut};
use shared::error::{ApiError, ApiResult};
use shared::page::Page;
use shared::{platform, wire};

use super::settled;
use crate::docs::ScoopGroup;
use crate::links::{fill_noting, links_for};
use crate::model::FeedCursor;
use crate::store;

/// The live scoops of people the caller follows, by author.
///
/// Authors with something unseen come first, then by who published last. The further pages keep the order there was when the
/// first was asked for, so what is looked at, published or deleted meanwhile neither repeats nor hides an author; it shows in
/// `scoops` and `hasUnseen`, and in the order when the feed is read anew. The caller's own scoops are at `/scoops/me`.
#[utoipa::path(get, path = "/scoops/feed", params(Page),
    responses((status = 200, description = "A page of authors.", body = wire::Page<ScoopGroup>)))]
pub async fn get_scoop_feed(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    page: Page,
) -> ApiResult<PageOut> {
    let after = page.after.as_deref().map(FeedCursor::parse).transpose()?;
    let links_for = links_for(&app);
    let get = || store::get_scoop_feed(&db, caller.id, after, page.limit, app.now(), &links_for);
    let feed = settled(&app, &caller, get).await?.ok_or_else(ApiError::invalid_token)?;
    let mut made = Vec::new();
    let items = fill_noting(&app, &feed.items, |scoop, media| made.push((scoop, media.to_owned())));
    if !made.is_empty() {
        let made = serde_json::json!(made).to_string();
        // Links that are not kept are made once more, nothing else.
        platform::spawn(async move { drop(store::keep_links(&app.db, &made, &links_for).await) });
    }
    Ok(PageOut { items, ..feed })
}
