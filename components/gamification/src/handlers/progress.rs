//! What the caller has earned.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shared::answer::{IfNoneMatch, json};
use shared::app::Ctx;
use shared::auth::{Bearer, Caller};
use shared::clock::Instant;
use shared::db::Db;
use shared::error::{ApiError, ApiResult};
use shared::extract::Json;
use utoipa::ToSchema;

use crate::badges::find_badge;
use crate::docs::{AwardedBadge, GameProgress};
use crate::model::{Period, level_of, points_of_level};
use crate::store::{self, ProgressRow};
use crate::streaks::Streaks;

/// The caller's points, level, streak, badges and ranks.
#[utoipa::path(get, path = "/gamification/me", params(IfNoneMatch),
    responses((status = 200, description = "What they have earned.", body = GameProgress)))]
pub async fn get_progress(State(app): State<Ctx>, db: Db, caller: Bearer, known: IfNoneMatch) -> ApiResult {
    let week = Period::Weekly.board(app.now());
    let find = || store::find_progress(&db, caller.id, &week);
    let mut found = find().await?;
    if found.is_none() {
        caller.settle(&app).await?;
        found = find().await?;
    }
    let progress = shown(found.ok_or_else(ApiError::invalid_token)?, app.now());
    Ok(known.answer(serde_json::to_string(&progress).map_err(ApiError::internal)?))
}

/// What the caller chooses.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressPatch {
    /// Whether to be on no leaderboard, and to have no rank.
    opted_out: bool,
}

/// Opts out of leaderboards, or in again.
///
/// Points, levels and badges go on.
#[utoipa::path(patch, path = "/gamification/me",
    responses((status = 200, description = "What they have earned.", body = GameProgress)))]
pub async fn update_progress(
    State(app): State<Ctx>,
    db: Db,
    caller: Caller,
    Json(patch): Json<ProgressPatch>,
) -> ApiResult {
    store::update_opted_out(&db, caller.id, patch.opted_out).await?;
    let found = store::find_progress(&db, caller.id, &Period::Weekly.board(app.now())).await?;
    Ok(json(StatusCode::OK, &shown(found.ok_or_else(ApiError::invalid_token)?, app.now())))
}

fn shown(row: ProgressRow, now: Instant) -> GameProgress {
    let level = level_of(row.points);
    let streaks = Streaks::of(&row.activity, row.time_zone.as_deref(), now);
    // One that left the catalogue is shown no more.
    let badges = row.awards.into_iter().filter_map(|(id, awarded_at)| {
        let badge = find_badge(&id)?;
        Some(AwardedBadge { id: &badge.id, name: &badge.name, awarded_at })
    });
    GameProgress {
        points: row.points,
        level,
        next_level_at: points_of_level(level + 1),
        streak_days: streaks.current,
        longest_streak_days: streaks.longest,
        badges: badges.collect(),
        rank: row.rank,
        opted_out: row.opted_out,
    }
}
