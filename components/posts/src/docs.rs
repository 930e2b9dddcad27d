//! Answers that SQLite builds, as the document shows them.

use serde::Deserialize;
use shared::ids::Id;
use shared::wire::{Media, Tally, Time, User};
use utoipa::ToSchema;

use crate::model::{ReactionType, Visibility};

/// A post, as the caller sees it.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Post {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub author: User,
    /// What it says.
    pub text: String,
    /// What it shows.
    pub media: Vec<Media>,
    /// For whom it is.
    pub visibility: Visibility,
    /// When it was published.
    pub created_at: Time,
    /// When its text was changed last; null if never.
    pub edited_at: Option<Time>,
    /// Whether others see it yet.
    pub status: PostStatus,
    /// What is counted of it.
    pub counts: PostCounts,
    /// How many reacted, of the types somebody reacted with.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    pub reactions: Tally,
    /// How the caller did.
    pub my_reactions: Vec<ReactionType>,
    /// Whom the text names, of those the caller may find.
    pub mentions: Vec<Mention>,
    /// The hashtags of the text, without `#`, in lower case.
    pub hashtags: Vec<String>,
}

/// Whether a post is there for others.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PostStatus {
    /// It is.
    Published,
    /// A video is still processed; its author alone sees it.
    PendingMedia,
}

/// What is counted of a post.
#[derive(Deserialize, ToSchema)]
pub struct PostCounts {
    /// Comments and replies, whoever may see them.
    #[schema(minimum = 0)]
    pub comments: u64,
    /// Reactions of all types.
    #[schema(minimum = 0)]
    pub reactions: u64,
    /// Views, each viewer once in 24 h.
    #[schema(minimum = 0)]
    pub views: u64,
}

/// Somebody a text names.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mention {
    /// Their handle now.
    pub handle: String,
    /// Who it is.
    pub user_id: Id,
}

/// A comment.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    /// Its id.
    pub id: Id,
    /// The post it is below.
    pub post_id: Id,
    /// The comment it answers; null for one on the post itself.
    pub parent_id: Option<Id>,
    /// Whose it is.
    pub author: User,
    /// What it says.
    pub text: String,
    /// When it was written.
    pub created_at: Time,
    /// What is counted of it.
    pub counts: CommentCounts,
}

/// What is counted of a comment.
#[derive(Deserialize, ToSchema)]
pub struct CommentCounts {
    /// Replies to it.
    #[schema(minimum = 0)]
    pub replies: u64,
}

/// A page of reactions to a post.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reactions {
    /// How many, of the types somebody reacted with.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    pub counts: Tally,
    /// The caller's own.
    pub mine: Vec<ReactionType>,
    /// Newest first, of people the caller may see.
    pub items: Vec<Reaction>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

/// A reaction.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reaction {
    /// Whose it is.
    pub user: User,
    /// Which.
    #[serde(rename = "type")]
    pub kind: ReactionType,
    /// When it was set.
    pub created_at: Time,
}

/// A reaction set or taken back.
#[derive(Deserialize, ToSchema)]
pub struct Toggled {
    /// Whether it is there now.
    pub reacted: bool,
    /// How many, of the types somebody reacted with.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    pub counts: Tally,
}
