//! Answers that SQLite builds, as the document shows them.

use serde::Deserialize;
use shared::ids::Id;
use shared::wire::{Media, Time, User};
use utoipa::ToSchema;

use crate::model::Audience;

/// A scoop, as the caller sees it.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scoop {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub author: User,
    /// What it shows. Others see the scoop when this is ready.
    pub media: Media,
    /// What it says; null where it says nothing.
    pub caption: Option<String>,
    /// For whom it is.
    pub audience: Audience,
    /// When it was made.
    pub created_at: Time,
    /// When it is gone for everybody but its author's archive, and the links to its media with it.
    pub expires_at: Time,
    /// Whether the caller looked at it; of their own never.
    pub viewed: bool,
    /// How many looked at it; null unless it is the caller's own.
    #[schema(minimum = 0)]
    pub view_count: Option<u64>,
}

/// The scoops of somebody the caller follows.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScoopGroup {
    /// Whose they are.
    pub user: User,
    /// Those that live, oldest first.
    pub scoops: Vec<Scoop>,
    /// Whether the caller has not looked at all of them.
    pub has_unseen: bool,
}

/// Who looked at a scoop.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScoopViewer {
    /// Who it was.
    pub user: User,
    /// When they looked first.
    pub viewed_at: Time,
}
