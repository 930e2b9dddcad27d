//! The scoops of the caller, and of one other person.

use axum::extract::State;
use serde::Deserialize;
use shared::app::Ctx;
use shared::auth::Bearer;
use shared::db::{Db, PageOut};
use shared::error::{ApiError, ApiResult};
use shared::extract::{Path, Query};
use shared::ids::Id;
use shared::page::Page;
use shared::trace::Trace;
use shared::{people, wire};
use utoipa::IntoParams;

use super::settled;
use crate::docs::Scoop;
use crate::links::fill_page;
use crate::model::archive_time;
use crate::store;

/// Which of the caller's scoops.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MineQuery {
    /// Those that have ended, in place of those that live.
    #[param(value_type = Option<bool>)]
    archived: Option<String>,
}

/// The caller's scoops that live, newest first; or those that have ended, as long as they are kept.
#[utoipa::path(get, path = "/scoops/me", params(MineQuery, Page),
    responses((status = 200, description = "A page of scoops.", body = wire::Page<Scoop>)))]
pub async fn list_my_scoops(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Query(query): Query<MineQuery>,
    page: Page,
) -> ApiResult<PageOut> {
    let after = page.after_integer()?;
    let now = app.now();
    let found = match query.archived.as_deref() {
        None | Some("false") => {
            let list = || store::list_my_scoops(&db, caller.id, after.clone(), page.limit, now);
            settled(&app, &caller, list).await?
        }
        Some("true") => {
            let since = now.minus(archive_time(&app.config));
            let list = || store::list_archive(&db, caller.id, after.clone(), page.limit, now, since);
            settled(&app, &caller, list).await?
        }
        Some(_) => return Err(ApiError::invalid("archived", "must be true or false")),
    };
    Ok(fill_page(&app, found.ok_or_else(ApiError::invalid_token)?))
}

/// The live scoops of a person that the caller may see, newest first.
///
/// Of a person the caller does not follow there are none to see, unless they named the caller a close friend.
#[utoipa::path(get, path = "/scoops/user/{user_id}", params(Page), responses(
    (status = 200, description = "A page of scoops.", body = wire::Page<Scoop>),
    (status = 503, description = "`unavailable`: who that is cannot be asked now"),
))]
pub async fn list_scoops_of(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    trace: Trace,
    Path(person): Path<Id>,
    page: Page,
) -> ApiResult<PageOut> {
    let after = page.after_integer()?;
    let list = || store::list_scoops_of(&db, person, caller.id, after.clone(), page.limit, app.now());
    let mut found = settled(&app, &caller, list).await?;
    // Who registered a moment ago may not have been heard of here.
    if found.is_none() && people::ensure(&app, &trace, person).await? {
        found = list().await?;
    }
    Ok(fill_page(&app, found.ok_or_else(ApiError::not_found)?))
}
