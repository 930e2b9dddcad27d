//! Answers that SQLite builds, as the document shows them.

use serde::Deserialize;
use utoipa::ToSchema;

/// A day in UTC.
#[derive(Deserialize, ToSchema)]
#[schema(value_type = String, format = Date, examples("2026-11-21"))]
pub struct Date(pub String);

/// How what the caller publishes is received.
#[derive(Deserialize, ToSchema)]
pub struct MyAnalytics {
    /// The first day.
    pub from: Date,
    /// The last day: today.
    pub to: Date,
    /// Every day, oldest first.
    pub days: Vec<MyDay>,
    /// All of them together.
    pub totals: MyTotals,
}

/// A day of what the caller publishes.
#[derive(Deserialize, ToSchema)]
pub struct MyDay {
    /// The day.
    pub date: Date,
    /// Views of posts of the caller's, whenever those came out.
    #[schema(minimum = 0)]
    pub views: u64,
    /// Reactions to them that still stand.
    #[schema(minimum = 0)]
    pub reactions: u64,
    /// Comments on them that still stand.
    #[schema(minimum = 0)]
    pub comments: u64,
    /// People who began to follow the caller, and still do.
    #[schema(minimum = 0)]
    pub followers: u64,
    /// Posts of theirs that came out and are still there.
    #[schema(minimum = 0)]
    pub posts: u64,
}

/// Some days of what the caller publishes, together.
#[derive(Deserialize, ToSchema)]
pub struct MyTotals {
    /// Views of posts of the caller's.
    #[schema(minimum = 0)]
    pub views: u64,
    /// Reactions to them.
    #[schema(minimum = 0)]
    pub reactions: u64,
    /// Comments on them.
    #[schema(minimum = 0)]
    pub comments: u64,
    /// People who began to follow the caller.
    #[schema(minimum = 0)]
    pub followers: u64,
    /// Posts of theirs that came out.
    #[schema(minimum = 0)]
    pub posts: u64,
}

/// How a post is received.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostAnalytics {
    /// Views: somebody counts once in 24 h.
    #[schema(minimum = 0)]
    pub views: u64,
    /// By how many different people: an estimate, within some 2 % of many and right for few.
    #[schema(minimum = 0)]
    pub unique_viewers: u64,
    /// Reactions that still stand.
    #[schema(minimum = 0)]
    pub reactions: u64,
    /// Comments that still stand.
    #[schema(minimum = 0)]
    pub comments: u64,
    /// Every day since it came out, oldest first, today last.
    pub days: Vec<PostDay>,
}

/// A day of a post.
#[derive(Deserialize, ToSchema)]
pub struct PostDay {
    /// The day.
    pub date: Date,
    /// Views of that day.
    #[schema(minimum = 0)]
    pub views: u64,
    /// Reactions of that day that still stand.
    #[schema(minimum = 0)]
    pub reactions: u64,
    /// Comments of that day that still stand.
    #[schema(minimum = 0)]
    pub comments: u64,
}

/// How the whole is used.
#[derive(Deserialize, ToSchema)]
pub struct Overview {
    /// People there are.
    #[schema(minimum = 0)]
    pub users: u64,
    /// Posts there are that came out.
    #[schema(minimum = 0)]
    pub posts: u64,
    /// People active today.
    #[schema(minimum = 0)]
    pub dau: u64,
    /// People active within the last 7 days, today included.
    #[schema(minimum = 0)]
    pub wau: u64,
    /// People active within the last 30 days, today included.
    #[schema(minimum = 0)]
    pub mau: u64,
    /// Every day, oldest first, today last.
    pub days: Vec<OverviewDay>,
    /// Those who came in each of the last 12 weeks, oldest first.
    pub retention: Vec<Cohort>,
}

/// A day of the whole.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverviewDay {
    /// The day.
    pub date: Date,
    /// People who did or looked at anything.
    #[schema(minimum = 0)]
    pub active_users: u64,
    /// People who came on that day and are still there.
    #[schema(minimum = 0)]
    pub new_users: u64,
    /// Posts that came out and are still there.
    #[schema(minimum = 0)]
    pub posts: u64,
    /// Comments that still stand.
    #[schema(minimum = 0)]
    pub comments: u64,
    /// Reactions that still stand.
    #[schema(minimum = 0)]
    pub reactions: u64,
}

/// Those who came in one week.
#[derive(Deserialize, ToSchema)]
pub struct Cohort {
    /// The Monday of that week.
    pub week: Date,
    /// How many they are.
    #[schema(minimum = 0)]
    pub size: u64,
    /// How many of them were active in that week, in the one after it, and so on, up to this week.
    pub weeks: Vec<u64>,
}
