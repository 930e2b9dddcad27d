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
