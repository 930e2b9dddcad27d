//! What this service tells, typed. The triggers of `migrations/` write these bodies. What it hears is applied by the
//! triggers of `migrations/0003_events.sql`.

use serde::Deserialize;
use shared::ids::Id;

pub use shared::events::ErasureCompleted;

/// `notification.created`, and `notification.updated`: more happened, or something of it was withdrawn, maybe all.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotificationTold {
    /// Which; it may be gone by now.
    pub notification_id: Id,
    /// Whose it is.
    pub user_id: Id,
}
