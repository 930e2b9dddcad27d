//! Answers that SQLite or a handler builds, as the document shows them.

use serde::Deserialize;
use shared::ids::Id;
use shared::wire::Time;
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
