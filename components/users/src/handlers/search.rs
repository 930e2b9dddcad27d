//! `/search`.

use serde::Deserialize;
use shared::auth::Caller;
use shared::db::{Db, PageOut};
use shared::error::ApiResult;
use shared::extract::Query;
use shared::page::{Page, invalid_cursor};

use crate::search;
use crate::store::Store;

/// What is searched for.
#[derive(Deserialize)]
pub struct SearchQuery {
    q: Option<String>,
}

/// `GET /search?q=`: a page of people, best first.
pub async fn search_people(
    caller: Caller,
    db: Db,
    page: Page,
    Query(query): Query<SearchQuery>,
) -> ApiResult<PageOut> {
    let query = search::Query::parse(query.q.as_deref())?;
    if page.after.as_deref().is_some_and(|key| !search::is_sort_key(key)) {
        return Err(invalid_cursor());
    }
    Ok(Store(db).search_people(caller.id, &query, &page).await?)
}
