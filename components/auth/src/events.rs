//! What the service tells and what it hears. The rows are written and read by triggers
//! (`migrations/0001_auth.sql`); these types say what is in them.

use serde::{Deserialize, Serialize};
use shared::ids::Id;

/// `email.verified`: a mail to this address arrived.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmailVerified {
    /// Whose it is.
    pub user_id: Id,
    /// The address.
    pub email: String,
}

/// `erasure.completed`: nothing is left here of a person who was deleted.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErasureCompleted {
    /// Who was deleted.
    pub user_id: Id,
    /// The deletion, as `users` counts it.
    pub deletion_id: String,
    /// `auth`.
    pub service: String,
    /// How many rows went.
    pub rows: i64,
}
