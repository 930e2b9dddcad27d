//! Answers as the document shows them.

use serde::Serialize;
use utoipa::ToSchema;

/// Opens one stream for who cannot send headers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// For `?ticket=`, once.
    pub ticket: String,
    /// How long it is good, in seconds.
    pub expires_in: u64,
}
