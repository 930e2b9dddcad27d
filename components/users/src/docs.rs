//! Answers that SQLite or a handler builds, as the document shows them.

use std::collections::BTreeMap;

use serde::Deserialize;
use shared::ids::Id;
use shared::wire::{Time, User};
use utoipa::ToSchema;

/// A deletion that has begun.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// Names the receipt; who knows it may read it.
    pub deletion_id: Id,
}

/// How far a deletion is.
#[derive(Deserialize, ToSchema)]
pub struct Receipt {
    /// `done` when every service is.
    pub status: Progress,
    /// Every service that held something, by name.
    pub services: BTreeMap<String, Erased>,
}

/// Whether it is finished.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// Some service is still to erase.
    Running,
    /// Nothing is left.
    Done,
}

/// What a service erased.
#[derive(Deserialize, ToSchema)]
pub struct Erased {
    /// Whether it has.
    pub done: bool,
    /// How many rows.
    #[schema(minimum = 0)]
    pub rows: u64,
}

/// Whether a handle can be taken.
#[derive(Deserialize, ToSchema)]
pub struct Availability {
    /// Whether it can.
    pub available: bool,
    /// The code of the refusal: `handle_invalid` or `handle_taken`.
    pub reason: Option<String>,
}

/// An invite.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    /// 8 letters and digits.
    #[schema(examples("h7Kp2mWx"))]
    pub code: String,
    /// A link that carries it.
    #[schema(format = "uri")]
    pub url: String,
    /// When it was made.
    pub created_at: Time,
    /// Until when it is good.
    pub expires_at: Time,
    /// Who came by it.
    pub used_by: Option<User>,
}

/// The invites of a person.
#[derive(Deserialize, ToSchema)]
pub struct Invites {
    /// Newest first.
    pub items: Vec<Invite>,
    /// How many more they may make.
    #[schema(minimum = 0)]
    pub remaining: u64,
}

/// Whom a person invited, and whom those invited.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InviteTree {
    /// Nearest first, and in the order they came.
    pub items: Vec<Invited>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
    /// The person.
    pub user: User,
    /// Where they stand.
    pub status: PersonStatus,
    /// Who invited them; null where nobody did, or they are gone.
    pub invited_by: Option<User>,
}

/// Somebody in a tree of invites.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invited {
    /// Who; null where they are gone.
    pub user: Option<User>,
    /// Where they stand.
    pub status: PersonStatus,
    /// The invite they came by.
    pub code: String,
    /// When they came.
    pub invited_at: Time,
    /// Who invited them.
    pub invited_by: Id,
    /// 1 for whom the person invited, 2 for whom those invited.
    #[schema(minimum = 1, maximum = 10)]
    pub depth: u32,
    /// How many they invited themselves.
    #[schema(minimum = 0)]
    pub invited: u64,
}

/// Where a person stands.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PersonStatus {
    /// In good standing.
    Active,
    /// Suspended by an administrator.
    Suspended,
    /// Gone.
    Deleted,
}
