//! The catalogue of badges, and how they are given.

use serde_json::json;
use shared::answer::IfNoneMatch;
use shared::app::Ctx;
use shared::auth::NoBadToken;
use shared::error::{ApiError, ApiResult};

use crate::badges::{Badge, CATALOGUE, Counted, earned};
use crate::docs::Badges;
use crate::model::{CHECKED_AT_ONCE, CHECKS_A_TICK};
use crate::store::{self, Check};
use crate::streaks::Streaks;

/// All badges there are, and what each is given for.
#[utoipa::path(get, path = "/gamification/badges", params(IfNoneMatch), security(()),
    responses((status = 200, description = "The catalogue.", body = Badges)))]
pub async fn list_badges(_: NoBadToken, known: IfNoneMatch) -> ApiResult {
    let badges = Badges { items: &CATALOGUE };
    Ok(known.answer(serde_json::to_string(&badges).map_err(ApiError::internal)?))
}

/// Gives badges to those whose numbers changed; whether to any. Two at once, or one that was cut off, give each once.
pub async fn award_badges(app: &Ctx) -> ApiResult<bool> {
    let mut any = false;
    for _ in 0..CHECKS_A_TICK {
        let checks = store::list_checks(&app.db, CHECKED_AT_ONCE).await?;
        if checks.is_empty() {
            break;
        }
        let given: Vec<_> = checks.iter().flat_map(|check| given_to(check, app)).collect();
        if !given.is_empty() {
            any |= store::award_badges(&app.db, &json!(given)).await?;
        }
        let seen: Vec<_> = checks.iter().map(|check| (check.person, check.version)).collect();
        store::end_checks(&app.db, &json!(seen)).await?;
    }
    Ok(any)
}

/// What somebody has earned and not been given: person, badge, its name, when, whether it is news.
fn given_to(check: &Check, app: &Ctx) -> Vec<(i64, &'static str, &'static str, String, i64)> {
    let streaks = Streaks::of(&check.activity, check.time_zone.as_deref(), app.now());
    let count = |what: Counted| match what.kind() {
        Some(kind) => check.totals.get(kind).copied().unwrap_or(0),
        None => streaks.longest,
    };
    let new = earned(count).filter(|badge| !check.badges.contains(&badge.id));
    let row = |badge: &'static Badge| {
        (check.person, badge.id.as_str(), badge.name.as_str(), check.at.clone(), i64::from(badge.is_news()))
    };
    new.map(row).collect()
}
