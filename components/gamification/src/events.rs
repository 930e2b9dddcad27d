//! What gamification tells, typed. A trigger of `migrations/0003_badges.sql` writes it. What it hears is applied by the triggers of
//! `migrations/0004_events.sql` and the shared projections.

use serde::Deserialize;
use shared::ids::Id;

pub use shared::events::ErasureCompleted;

/// `badge.awarded`: once for a person and badge.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BadgeAwarded {
    /// Whose it is.
    pub user_id: Id,
    /// Which of the catalogue.
    pub badge_id: String,
    /// What it is called.
    pub name: String,
}
