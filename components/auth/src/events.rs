//! What the service tells and what it hears. The rows are written and read by triggers
//! (`migrations/`); these types say what is in them.

use serde::{Deserialize, Serialize};
use shared::ids::Id;

pub use shared::events::ErasureCompleted;

/// `email.verified`: a mail to this address arrived.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmailVerified {
    /// Whose it is.
    pub user_id: Id,
    /// The address.
    pub email: String,
}

/// `session.ended`: signed out, by whatever way; its tokens hold for their minutes still.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionEnded {
    /// Whose it was.
    pub user_id: Id,
    /// Which; `sid` of its tokens.
    pub session_id: Id,
}
