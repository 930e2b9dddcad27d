//! What answers look like, where more than one service gives them: the schemas of the document. SQLite
//! builds the answers themselves (`privacy`), and native tests hold every answer against its schema.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::Id;

/// A time: RFC 3339, UTC, milliseconds.
#[derive(Deserialize, ToSchema)]
#[schema(value_type = String, format = DateTime, examples("2026-11-21T19:21:00.123Z"))]
pub struct Time(pub String);

/// A page. The next one is had with `?cursor=` and `nextCursor`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// As many as `limit` allows.
    pub items: Vec<T>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

/// A person as everybody who may find them sees them.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Their id, for good.
    pub id: Id,
    /// Null until chosen.
    #[schema(examples("alice"))]
    pub handle: Option<String>,
    /// Their name.
    #[schema(examples("Alice"))]
    pub display_name: Option<String>,
    /// What they say of themselves.
    pub bio: Option<String>,
    /// Where their picture is.
    #[schema(format = "uri")]
    pub avatar_url: Option<String>,
    /// Whether only followers see what they publish.
    pub private: bool,
    /// When they came.
    pub created_at: Time,
}

/// What is counted of a person.
#[derive(Deserialize, ToSchema)]
pub struct Counts {
    /// Posts that are published.
    #[schema(minimum = 0)]
    pub posts: u64,
    /// People who follow them.
    #[schema(minimum = 0)]
    pub followers: u64,
    /// People they follow.
    #[schema(minimum = 0)]
    pub following: u64,
}

/// How the caller stands to somebody.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Relationship {
    /// The caller follows them.
    pub following: bool,
    /// They follow the caller.
    pub followed_by: bool,
    /// The caller asked to follow them and waits.
    pub requested: bool,
    /// The caller blocks them.
    pub blocking: bool,
    /// The caller mutes them.
    pub muting: bool,
}

/// A person with their counts.
#[derive(Deserialize, ToSchema)]
pub struct Profile {
    /// Who it is.
    #[serde(flatten)]
    pub user: User,
    /// What is counted of them.
    pub counts: Counts,
    /// Null where the caller is the person, or nobody.
    pub relationship: Option<Relationship>,
}

/// The caller.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// Who it is.
    #[serde(flatten)]
    pub user: User,
    /// Null where the issuer tells none.
    #[schema(format = Email)]
    pub email: Option<String>,
    /// Whether they showed that it is theirs.
    pub email_verified: bool,
    /// What else they may do.
    pub roles: Vec<Role>,
    /// What is counted of them.
    pub counts: Counts,
    /// What they accepted.
    pub terms: Terms,
    /// What they want to be told.
    pub notification_preferences: NotificationPreferences,
}

/// A role.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May do what the admin routes do.
    Admin,
}

/// The terms, as accepted and as they are.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// Null until they accept.
    pub accepted_version: Option<String>,
    /// When they did.
    pub accepted_at: Option<Time>,
    /// The version that holds.
    pub current_version: String,
}

/// Which pushes a person gets, and when none.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotificationPreferences {
    /// Whether each kind is pushed.
    pub push: PushPreferences,
    /// No push in these hours; null where there are none.
    pub quiet_hours: Option<QuietHours>,
}

/// Whether each kind of notification is pushed.
#[derive(Deserialize, ToSchema)]
pub struct PushPreferences {
    /// New followers, and requests to follow.
    pub follow: bool,
    /// Reactions to one's posts.
    pub reaction: bool,
    /// Comments on one's posts, and answers.
    pub comment: bool,
    /// Mentions.
    pub mention: bool,
    /// Views of one's scoops.
    pub scoop: bool,
}

/// Hours of every day, in the person's own zone. They may run over midnight.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuietHours {
    /// From this time of day.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("22:00"))]
    pub start: String,
    /// To this one.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("07:00"))]
    pub end: String,
    /// An IANA time zone.
    #[schema(examples("Europe/Berlin"))]
    pub time_zone: String,
}

/// So many of each.
pub type Tally = BTreeMap<String, u64>;

/// An image or a video of a post.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Media {
    /// Names it.
    pub key: String,
    /// What it is.
    pub kind: MediaKind,
    /// How far it is.
    pub status: MediaStatus,
    /// In percent.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: u8,
    /// What went wrong, where it failed.
    pub error: Option<MediaError>,
    /// The image, 1600 pixels at the most, or the video as MP4; null until ready.
    #[schema(format = "uri")]
    pub url: Option<String>,
    /// The video as HLS; null until ready.
    #[schema(format = "uri")]
    pub hls_url: Option<String>,
    /// A still of the video, or the image in a small size; null until ready.
    #[schema(format = "uri")]
    pub poster_url: Option<String>,
    /// In pixels.
    pub width: Option<u32>,
    /// In pixels.
    pub height: Option<u32>,
    /// In milliseconds.
    pub duration_ms: Option<u64>,
    /// A blurred preview (blurha.sh).
    pub blurhash: Option<String>,
    /// What it shows, for who does not see it.
    pub alt: Option<String>,
}

/// A kind of media.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A film.
    Video,
}

/// How far a medium is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MediaStatus {
    /// Not uploaded yet.
    Pending,
    /// Uploaded.
    Uploaded,
    /// Waiting for a worker.
    Queued,
    /// In work.
    Processing,
    /// To be shown.
    Ready,
    /// It cannot be shown.
    Failed,
}

/// Why a medium failed.
#[derive(Deserialize, ToSchema)]
pub struct MediaError {
    /// A stable word.
    pub code: String,
    /// A sentence for people.
    pub detail: String,
}
