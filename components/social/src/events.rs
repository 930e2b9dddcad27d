//! The bodies of what this service emits and hears. Triggers in `migrations/` write and read them;
//! these types say what they are, and the tests hold the two together.

use serde::Deserialize;
use shared::ids::Id;

pub use shared::events::ErasureCompleted;

/// `follow.created`, `follow.removed`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Follow {
    /// Who follows.
    pub follower_id: Id,
    /// Whom.
    pub followee_id: Id,
}

/// `follow.requested`, `follow.request_removed` (taken back, accepted, rejected, cut by a block).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FollowRequest {
    /// Who asks.
    pub requester_id: Id,
    /// Whom.
    pub target_id: Id,
}

/// `block.created`, `block.removed`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Block {
    /// Who blocks.
    pub blocker_id: Id,
    /// Whom.
    pub blocked_id: Id,
}

/// `mute.created`, `mute.removed`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mute {
    /// Who mutes.
    pub muter_id: Id,
    /// Whom.
    pub muted_id: Id,
}

/// `report.created`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportCreated {
    /// The report.
    pub report_id: Id,
    /// Who made it.
    pub reporter_id: Id,
    /// `user`, `post`, `comment` or `scoop`.
    pub target_type: String,
    /// What it is about.
    pub target_id: Id,
    /// Why.
    pub reason: String,
}

/// `report.resolved`: for who made it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportResolved {
    /// The report.
    pub report_id: Id,
    /// Who made it.
    pub reporter_id: Id,
    /// `dismissed`, `content_removed` or `user_suspended`.
    pub status: String,
}

/// `content.removed`: whoever has it deletes it, as if its author did.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContentRemoved {
    /// The report it was decided by.
    pub report_id: Id,
    /// Whose it is.
    pub author_id: Id,
    /// `post`, `comment` or `scoop`.
    pub target_type: String,
    /// Which.
    pub target_id: Id,
}

/// `suspension.begun`: users suspends them, and tells everybody.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SuspensionBegun {
    /// The report it was decided by.
    pub report_id: Id,
    /// Who is suspended.
    pub user_id: Id,
}

/// `suspension.lifted`: users lets them back, and tells everybody.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SuspensionLifted {
    /// Who was suspended.
    pub user_id: Id,
}

/// `appeal.resolved`: for who made it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppealResolved {
    /// The appeal.
    pub appeal_id: Id,
    /// Who made it.
    pub author_id: Id,
    /// `upheld` or `overturned`.
    pub status: String,
}
