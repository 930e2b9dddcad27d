//! What this service tells, typed. The triggers of `migrations/` write these bodies. What it hears is applied by the
//! triggers of `migrations/0003_events.sql`.

use serde::Deserialize;
use shared::ids::Id;

pub use shared::events::ErasureCompleted;

/// `notification.read`: something was left to read, and was read. Once for all that was read at a time.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotificationRead {
    /// By whom.
    pub user_id: Id,
}

/// `notification.created`, and `notification.updated`: more happened, or something of it was withdrawn, maybe all.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotificationTold {
    /// Which; it may be gone by now.
    pub notification_id: Id,
    /// Whose it is.
    pub user_id: Id,
}
