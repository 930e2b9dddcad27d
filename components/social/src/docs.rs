//! Answers that SQLite or a handler builds, as the document shows them.

use serde::Deserialize;
use shared::ids::Id;
use shared::wire::{Time, User};
use utoipa::ToSchema;

use crate::model::{Reason, TargetType};

/// A report that was taken.
#[derive(Deserialize, ToSchema)]
pub struct ReportMade {
    /// Its id.
    pub id: Id,
    /// How it stands.
    pub status: ReportStatus,
}

/// How a report stands.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportStatus {
    /// Nobody decided yet.
    Open,
    /// Nothing was done.
    Dismissed,
    /// What was reported is gone.
    ContentRemoved,
    /// Whose it is was suspended.
    UserSuspended,
}

/// A report as its reporter sees it.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Its id.
    pub id: Id,
    /// What kind of thing was reported.
    pub target_type: TargetType,
    /// Which.
    pub target_id: Id,
    /// Why.
    pub reason: Reason,
    /// In the reporter's words.
    pub details: Option<String>,
    /// How it stands.
    pub status: ReportStatus,
    /// When it was made.
    pub created_at: Time,
    /// When it was decided.
    pub resolved_at: Option<Time>,
}

/// What administrators see of all reports about one thing. `id`, `reason`, `details`, `excerpt`, `createdAt` and `reporter` are those of
/// the report it was decided by; while it is open, of the oldest.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatheredReport {
    /// Names it, as the id of each of `reports` does.
    pub id: Id,
    /// What kind of thing was reported.
    pub target_type: TargetType,
    /// Which.
    pub target_id: Id,
    /// Why.
    pub reason: Reason,
    /// In the reporter's words.
    pub details: Option<String>,
    /// What the thing said when it was reported, at most 1,000 characters; null of a person, and where it said nothing.
    pub excerpt: Option<String>,
    /// How it stands.
    pub status: ReportStatus,
    /// When it was made.
    pub created_at: Time,
    /// When it was decided.
    pub resolved_at: Option<Time>,
    /// What the administrator said to it.
    pub note: Option<String>,
    /// Whose the thing is.
    pub author: User,
    /// Who made it; null where they are gone.
    pub reporter: Option<User>,
    /// How many people reported it.
    #[schema(minimum = 0)]
    pub report_count: u64,
    /// The oldest 20 of them.
    pub reports: Vec<OneReport>,
}

/// One of several reports about a thing.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneReport {
    /// Its id.
    pub id: Id,
    /// Who made it.
    pub reporter: User,
    /// Why.
    pub reason: Reason,
    /// In their words.
    pub details: Option<String>,
    /// When.
    pub created_at: Time,
}

/// What was decided against the caller.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Names it.
    pub report_id: Id,
    /// What kind of thing it is about.
    pub target_type: TargetType,
    /// Which.
    pub target_id: Id,
    /// What was done.
    pub status: ReportStatus,
    /// Why it was reported.
    pub reason: Reason,
    /// What the administrator said to it.
    pub note: Option<String>,
    /// When.
    pub decided_at: Time,
    /// When the suspension ended.
    pub lifted_at: Option<Time>,
    /// What the caller said to it.
    pub appeal: Option<Appeal>,
}

/// An appeal against a decision.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Appeal {
    /// Its id.
    pub id: Id,
    /// Which decision.
    pub report_id: Id,
    /// Why it is wrong.
    pub text: String,
    /// How it stands.
    pub status: AppealStatus,
    /// What the administrator said to it.
    pub note: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it was decided.
    pub resolved_at: Option<Time>,
}

/// How an appeal stands.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AppealStatus {
    /// Nobody decided yet.
    Open,
    /// The decision stands.
    Upheld,
    /// It was wrong.
    Overturned,
}

/// An appeal as administrators see it.
#[derive(Deserialize, ToSchema)]
pub struct AppealedReport {
    /// The appeal.
    #[serde(flatten)]
    pub appeal: Appeal,
    /// Whose it is.
    pub author: User,
    /// What it is against.
    pub report: GatheredReport,
}

/// What an administrator did.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdminAct {
    /// Its id.
    pub id: Id,
    /// Who.
    pub admin: User,
    /// What.
    pub action: AdminAction,
    /// What kind of thing it is about.
    pub target_type: TargetType,
    /// Which.
    pub target_id: Id,
    /// By which report the decision is known; null where there was none.
    pub report_id: Option<Id>,
    /// What they said to it.
    pub note: Option<String>,
    /// When.
    pub created_at: Time,
}

/// What administrators do.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdminAction {
    /// A report was dismissed.
    Dismiss,
    /// What was reported was removed.
    RemoveContent,
    /// Somebody was suspended.
    SuspendUser,
    /// A suspension was ended.
    UnsuspendUser,
    /// A decision stood.
    UpholdAppeal,
    /// A decision was wrong.
    OverturnAppeal,
}
