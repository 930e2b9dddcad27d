//! `/search`.

use serde::Deserialize;
use shared::auth::Caller;
use shared::db::{Db, PageOut};
use shared::error::ApiResult;
use shared::extract::Query;
use shared::page::{Page, invalid_cursor};
use shared::wire::{self, Profile};
use utoipa::IntoParams;

use crate::search;
use crate::store::Store;

/// What is searched for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// 1 to 50 characters of a handle or a name; a letter may be wrong.
    #[param(value_type = String, required = true, min_length = 1)]
    q: Option<String>,
}

/// Finds people by handle and name, best first.
///
/// Never people blocked either way.
#[utoipa::path(get, path = "/search", params(SearchQuery, Page),
    responses((status = 200, description = "A page of people.", body = wire::Page<Profile>)))]
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
