//! Answers that SQLite builds, as the document shows them.

use serde::Deserialize;
use shared::ids::Id;
use shared::wire::{Time, User};
use utoipa::ToSchema;

/// Something the caller is told.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Its id.
    pub id: Id,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: NotificationType,
    /// By whom: the newest three. Empty where it was nobody.
    pub actors: Vec<User>,
    /// By how many.
    #[schema(minimum = 0)]
    pub actor_count: u64,
    /// What it is about; null where that is the caller.
    pub target: Option<NotificationTarget>,
    /// When it happened first.
    pub created_at: Time,
    /// When it happened last.
    pub updated_at: Time,
    /// Whether the caller has read it.
    pub read: bool,
}

/// What happened.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationType {
    /// Somebody follows the caller.
    Follow,
    /// Somebody asks to.
    FollowRequest,
    /// Somebody reacted to a post of the caller's.
    Reaction,
    /// Somebody commented on a post of the caller's, or answered a comment of theirs.
    Comment,
    /// Somebody named the caller in a post or a comment.
    Mention,
    /// Somebody looked at a scoop of the caller's.
    ScoopView,
    /// The caller earned a badge.
    Badge,
    /// A video of the caller's is ready.
    MediaReady,
    /// A video of the caller's cannot be processed.
    MediaFailed,
    /// A report that concerns the caller was decided on: one of theirs (see `/me/reports`), or one about something of theirs
    /// (see `/me/decisions`); or an appeal of theirs was.
    ReportResolved,
}

/// What a notification is about.
#[derive(Deserialize, ToSchema)]
pub struct NotificationTarget {
    /// What it is: `post`, `comment`, `scoop`, `media`, `badge`, `report` or `appeal`.
    #[serde(rename = "type")]
    #[schema(examples("post"))]
    pub kind: String,
    /// Its id, or the key of a media.
    pub id: String,
}

/// A page of notifications.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notifications {
    /// By their last update, newest first. Further pages go on in the order of the first one.
    pub items: Vec<Notification>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
    /// How many the caller has not read, on whatever page.
    #[schema(minimum = 0)]
    pub unread_count: u64,
}

/// What is left to read.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// How many the caller has not read.
    #[schema(minimum = 0)]
    pub unread_count: u64,
}

/// A place pushes go to.
#[derive(Deserialize, ToSchema)]
pub struct Registered {
    /// Names it from now on.
    pub id: Id,
}

/// The key a browser subscribes with.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VapidKey {
    /// `applicationServerKey`: an uncompressed point of P-256, base64url.
    pub public_key: String,
}
