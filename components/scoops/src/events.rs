//! What scoops tells, typed. The triggers of `migrations/` write these bodies. What it hears (`user.*`, the
//! ties of social, `media.*`) is applied by the shared projections and the triggers there.

use serde::Deserialize;
use shared::ids::Id;

pub use shared::events::ErasureCompleted;

/// `scoop.created`: made, maybe its author's alone yet. For who has to keep its media.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScoopCreated {
    /// The scoop.
    pub scoop_id: Id,
    /// Whose it is.
    pub author_id: Id,
    /// `followers` or `close_friends`.
    pub audience: String,
    /// What it shows.
    pub media_key: Id,
    /// When it ends.
    pub expires_at: String,
    /// Whether others see it at once: `scoop.published` follows.
    pub published: bool,
}

/// `scoop.published`: there for others.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScoopPublished {
    /// The scoop.
    pub scoop_id: Id,
    /// Whose it is.
    pub author_id: Id,
    /// `followers` or `close_friends`.
    pub audience: String,
    /// When it ends. An event may be on its way longer than that.
    pub expires_at: String,
}

/// `scoop.viewed`: by somebody who did not before.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScoopViewed {
    /// The scoop.
    pub scoop_id: Id,
    /// Whose it is.
    pub author_id: Id,
    /// Who looked.
    pub viewer_id: Id,
}

/// `scoop.expired`: its time was over, at most a tick ago.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScoopExpired {
    /// The scoop.
    pub scoop_id: Id,
    /// Whose it is.
    pub author_id: Id,
}

/// `scoop.deleted`: by its author, with its media, or from the archive at the end. Not when its author is deleted, which
/// every service hears.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScoopDeleted {
    /// The scoop.
    pub scoop_id: Id,
    /// Whose it was.
    pub author_id: Id,
    /// What it showed.
    pub media_key: Id,
}

/// `close_friend.added`, and `close_friend.removed`: by the owner of the list, or by a block. Not when one of the two is deleted, which
/// every service hears.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloseFriendChanged {
    /// Whose list it is.
    pub owner_id: Id,
    /// Who is in it, or was.
    pub friend_id: Id,
}
