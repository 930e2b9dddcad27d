//! Answers, as the document shows them.

use serde::{Deserialize, Serialize};
use shared::wire::User;
use utoipa::ToSchema;

use crate::badges::Badge;

/// What the caller has earned.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GameProgress {
    /// All their points.
    #[schema(minimum = 0)]
    pub points: i64,
    /// From 1 on.
    #[schema(minimum = 1)]
    pub level: i64,
    /// The points from which on they are at the next.
    #[schema(minimum = 0)]
    pub next_level_at: i64,
    /// Days in a row, up to today, on which they did something, in their time zone: that of their quiet hours, else UTC.
    #[schema(minimum = 0)]
    pub streak_days: i64,
    /// The most there ever were.
    #[schema(minimum = 0)]
    pub longest_streak_days: i64,
    /// Their badges, the newest first.
    pub badges: Vec<AwardedBadge>,
    /// Where they stand.
    pub rank: Ranks,
    /// Whether they are on no leaderboard.
    pub opted_out: bool,
}

/// A badge that somebody has.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AwardedBadge {
    /// Which of the catalogue.
    pub id: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// Since when they have it.
    #[schema(value_type = shared::wire::Time)]
    pub awarded_at: String,
}

/// Ranks on leaderboards. Equal points are an equal rank, and the next is as many further on. Null for who opted out or has no points there.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ranks {
    /// This week's.
    #[schema(minimum = 1)]
    pub weekly: Option<i64>,
    /// That of all time.
    #[schema(minimum = 1)]
    pub all_time: Option<i64>,
}

/// Somebody on a leaderboard.
#[derive(Deserialize, ToSchema)]
pub struct Leader {
    /// Equal points are an equal rank, and the next is as many further on; whom the caller does not see have theirs.
    #[schema(minimum = 1)]
    pub rank: u64,
    /// Who it is.
    pub user: User,
    /// Their points in the period.
    #[schema(minimum = 1)]
    pub points: u64,
}

/// The catalogue.
#[derive(Serialize, ToSchema)]
pub struct Badges {
    /// All badges there are.
    #[schema(value_type = Vec<Badge>)]
    pub items: &'static [Badge],
}
