//! Who has the most points.

use axum::extract::State;
use serde::Deserialize;
use shared::app::Ctx;
use shared::auth::Bearer;
use shared::db::{Db, PageOut};
use shared::error::{ApiError, ApiResult};
use shared::extract::Query;
use shared::page::Page;
use shared::wire;
use utoipa::IntoParams;

use crate::docs::Leader;
use crate::model::{Period, Place};
use crate::store;

/// Which leaderboard.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LeaderboardQuery {
    /// This week from Monday, this month, or all time, in UTC: `weekly` unless told.
    #[param(required = false, pattern = "^(weekly|monthly|all)$")]
    period: Option<String>,
}

/// People by their points, best first.
///
/// Of equals, who had them first stands first. Who opted out is not here, nor is who blocks the caller or is blocked by them;
/// the latter keep their rank.
#[utoipa::path(get, path = "/gamification/leaderboard", params(LeaderboardQuery, Page),
    responses((status = 200, description = "A page of people.", body = wire::Page<Leader>)))]
pub async fn list_leaders(
    State(app): State<Ctx>,
    db: Db,
    caller: Bearer,
    Query(query): Query<LeaderboardQuery>,
    page: Page,
) -> ApiResult<PageOut> {
    let board = Period::parse(query.period.as_deref())?.board(app.now());
    let after = Place::of(&page)?;
    let list = || store::list_leaders(&db, caller.id, &board, after.clone(), page.limit);
    let mut found = list().await?;
    if found.is_none() {
        caller.settle(&app).await?;
        found = list().await?;
    }
    found.ok_or_else(ApiError::invalid_token)
}
