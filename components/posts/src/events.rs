//! What posts tells, typed. The triggers of `migrations/0004_events.sql`, `0007_media.sql` and `0009_mentions.sql` write these bodies. What it
//! hears (`user.*`, the ties of social) is applied by the shared projections and the triggers there.

use serde::Deserialize;
use shared::ids::Id;

pub use shared::events::ErasureCompleted;

/// `post.created`: it waits for its media, its author's alone. `post.published`: there for others, which most posts are at once.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostWritten {
    /// The post.
    pub post_id: Id,
    /// Whose it is.
    pub author_id: Id,
    /// `public` or `followers`.
    pub visibility: String,
}

/// `mention.created`: a post that is there for others names people.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MentionCreated {
    /// The post.
    pub post_id: Id,
    /// Whose it is.
    pub author_id: Id,
    /// `public` or `followers`.
    pub visibility: String,
    /// Ids of the people it names.
    pub mentions: Vec<Id>,
}

/// `post.updated`: another text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostUpdated {
    /// The post.
    pub post_id: Id,
    /// Whose it is.
    pub author_id: Id,
    /// Ids of the people it names now.
    pub mentions: Vec<Id>,
}

/// `post.deleted`: gone with everything below it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostDeleted {
    /// The post.
    pub post_id: Id,
    /// Whose it was.
    pub author_id: Id,
    /// Whether others could see it.
    pub was_published: bool,
}

/// `attachment.created`: a post shows media.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttachmentCreated {
    /// The post.
    pub post_id: Id,
    /// Whose it is.
    pub author_id: Id,
    /// `public` or `followers`.
    pub visibility: String,
    /// Whether others see it yet.
    pub published: bool,
    /// Keys of what it shows.
    pub media: Vec<Id>,
}

/// `attachment.published`: others see the post now. `attachment.removed`: it is gone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attachment {
    /// The post.
    pub post_id: Id,
}

/// `post.viewed`: by somebody who did not in the last 24 h.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostViewed {
    /// The post.
    pub post_id: Id,
    /// Whose it is.
    pub author_id: Id,
    /// Who looked.
    pub viewer_id: Id,
}

/// `comment.created`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommentCreated {
    /// The comment.
    pub comment_id: Id,
    /// What it is on.
    pub post_id: Id,
    /// Whose that is.
    pub post_author_id: Id,
    /// Who may see that: `public` or `followers`.
    pub visibility: String,
    /// The comment it replies to.
    pub parent_id: Option<Id>,
    /// Whose that is.
    pub parent_author_id: Option<Id>,
    /// Who wrote it.
    pub author_id: Id,
    /// Ids of the people it names.
    pub mentions: Vec<Id>,
}

/// `comment.deleted`: itself, or with one above it, but not with its post.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommentDeleted {
    /// The comment.
    pub comment_id: Id,
    /// What it was on.
    pub post_id: Id,
    /// Whose that is.
    pub post_author_id: Id,
    /// Who wrote it.
    pub author_id: Id,
}

/// `reaction.created` and `reaction.removed`; none of the latter when the post itself goes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reacted {
    /// The post.
    pub post_id: Id,
    /// Whose it is.
    pub post_author_id: Id,
    /// Who reacted.
    pub user_id: Id,
    /// One of the six.
    #[serde(rename = "type")]
    pub kind: String,
}
