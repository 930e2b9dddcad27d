//! The catalogue: every event there is, who tells it and who hears it.

use serde::{Deserialize, Serialize};

use crate::ids::Id;

/// One kind of event.
pub struct EventKind {
    /// `<noun>.<past>`.
    pub name: &'static str,
    /// Version of the body's form.
    pub version: u32,
    /// The service that emits it.
    pub source: &'static str,
    /// The services that hear it.
    pub subscribers: &'static [&'static str],
    /// The members of the body.
    pub body: &'static [&'static str],
}

const PERSON: &[&str] =
    &["id", "handle", "displayName", "bio", "avatarUrl", "private", "createdAt", "status", "rev"];

/// `media` is a template (see [`crate::media`]) of the contract's `Media` without `alt`; `avatarUrl` is where a picture of a person is
/// shown, null for anything else.
const MEDIA: &[&str] = &["key", "ownerId", "media", "avatarUrl"];

/// Those who keep who follows, blocks and mutes whom.
const TIES: &[&str] = &["users", "posts", "media", "scoops", "notifications", "gamification", "realtime"];

/// They, and who counts follows.
const FOLLOWS: &[&str] =
    &["users", "posts", "media", "scoops", "notifications", "analytics", "gamification", "realtime"];

/// Those who keep people.
const EVERYBODY: &[&str] =
    &["auth", "posts", "social", "media", "scoops", "notifications", "analytics", "gamification", "realtime"];

const fn kind(
    name: &'static str,
    source: &'static str,
    subscribers: &'static [&'static str],
    body: &'static [&'static str],
) -> EventKind {
    EventKind { name, version: 1, source, subscribers, body }
}

/// Every event there is, with who hears it.
pub const CATALOGUE: &[EventKind] = &[
    kind("user.registered", "users", EVERYBODY, PERSON),
    kind("user.updated", "users", EVERYBODY, PERSON),
    kind("user.suspended", "users", EVERYBODY, PERSON),
    kind("user.unsuspended", "users", EVERYBODY, PERSON),
    kind(
        "user.deleted",
        "users",
        EVERYBODY,
        &[
            "id",
            "handle",
            "displayName",
            "bio",
            "avatarUrl",
            "private",
            "createdAt",
            "status",
            "rev",
            "deletionId",
        ],
    ),
    kind("email.verified", "auth", &["users"], &["userId", "email"]),
    kind("session.ended", "auth", &["realtime"], &["userId", "sessionId"]),
    kind("erasure.completed", "auth", &["users"], &["userId", "deletionId", "service", "rows"]),
    kind("erasure.completed", "posts", &["users"], &["userId", "deletionId", "service", "rows"]),
    kind("erasure.completed", "social", &["users"], &["userId", "deletionId", "service", "rows"]),
    kind("erasure.completed", "media", &["users"], &["userId", "deletionId", "service", "rows"]),
    kind("erasure.completed", "scoops", &["users"], &["userId", "deletionId", "service", "rows"]),
    kind("erasure.completed", "notifications", &["users"], &["userId", "deletionId", "service", "rows"]),
    kind("erasure.completed", "analytics", &["users"], &["userId", "deletionId", "service", "rows"]),
    kind("erasure.completed", "gamification", &["users"], &["userId", "deletionId", "service", "rows"]),
    kind("erasure.completed", "realtime", &["users"], &["userId", "deletionId", "service", "rows"]),
    kind("preferences.updated", "users", &["notifications", "gamification"], &["userId", "preferences"]),
    kind(
        "attachment.created",
        "posts",
        &["media"],
        &["postId", "authorId", "visibility", "published", "media"],
    ),
    kind("attachment.published", "posts", &["media"], &["postId"]),
    kind("attachment.removed", "posts", &["media"], &["postId"]),
    kind("avatar.changed", "users", &["media"], &["userId", "key"]),
    kind("media.ready", "media", &["users", "posts", "scoops", "notifications", "realtime"], MEDIA),
    kind("media.failed", "media", &["users", "posts", "scoops", "notifications", "realtime"], MEDIA),
    kind("media.deleted", "media", &["users", "posts", "scoops", "notifications"], &["key", "ownerId"]),
    kind("follow.created", "social", FOLLOWS, &["followerId", "followeeId"]),
    kind("follow.removed", "social", FOLLOWS, &["followerId", "followeeId"]),
    kind("follow.requested", "social", &["users", "media", "notifications"], &["requesterId", "targetId"]),
    kind(
        "follow.request_removed",
        "social",
        &["users", "media", "notifications"],
        &["requesterId", "targetId"],
    ),
    kind("block.created", "social", TIES, &["blockerId", "blockedId"]),
    kind("block.removed", "social", TIES, &["blockerId", "blockedId"]),
    kind("mute.created", "social", TIES, &["muterId", "mutedId"]),
    kind("mute.removed", "social", TIES, &["muterId", "mutedId"]),
    kind("report.created", "social", &[], &["reportId", "reporterId", "targetType", "targetId", "reason"]),
    kind("report.resolved", "social", &["notifications"], &["reportId", "reporterId", "status"]),
    kind(
        "content.removed",
        "social",
        &["posts", "scoops", "notifications"],
        &["reportId", "authorId", "targetType", "targetId"],
    ),
    kind("suspension.begun", "social", &["users", "notifications"], &["reportId", "userId"]),
    kind("suspension.lifted", "social", &["users"], &["userId"]),
    kind("appeal.resolved", "social", &["notifications"], &["appealId", "authorId", "status"]),
    kind("post.created", "posts", &[], &["postId", "authorId", "visibility"]),
    kind(
        "post.published",
        "posts",
        &["users", "social", "analytics", "gamification", "realtime"],
        &["postId", "authorId", "visibility"],
    ),
    kind("mention.created", "posts", &["notifications"], &["postId", "authorId", "visibility", "mentions"]),
    kind("post.updated", "posts", &["notifications"], &["postId", "authorId", "mentions"]),
    kind(
        "post.deleted",
        "posts",
        &["users", "social", "notifications", "analytics", "gamification"],
        &["postId", "authorId", "wasPublished"],
    ),
    kind("post.viewed", "posts", &["analytics"], &["postId", "authorId", "viewerId"]),
    kind(
        "comment.created",
        "posts",
        &["notifications", "analytics", "gamification"],
        &[
            "commentId",
            "postId",
            "postAuthorId",
            "visibility",
            "parentId",
            "parentAuthorId",
            "authorId",
            "mentions",
        ],
    ),
    kind(
        "comment.deleted",
        "posts",
        &["notifications", "analytics", "gamification"],
        &["commentId", "postId", "postAuthorId", "authorId"],
    ),
    kind(
        "reaction.created",
        "posts",
        &["notifications", "analytics", "gamification"],
        &["postId", "postAuthorId", "userId", "type"],
    ),
    kind(
        "reaction.removed",
        "posts",
        &["notifications", "analytics", "gamification"],
        &["postId", "postAuthorId", "userId", "type"],
    ),
    kind(
        "scoop.created",
        "scoops",
        &["media"],
        &["scoopId", "authorId", "audience", "mediaKey", "expiresAt", "published"],
    ),
    kind(
        "scoop.published",
        "scoops",
        &["analytics", "gamification", "realtime"],
        &["scoopId", "authorId", "audience", "expiresAt"],
    ),
    kind("scoop.viewed", "scoops", &["notifications", "analytics"], &["scoopId", "authorId", "viewerId"]),
    kind("scoop.expired", "scoops", &["notifications", "gamification"], &["scoopId", "authorId"]),
    kind(
        "scoop.deleted",
        "scoops",
        &["media", "notifications", "gamification"],
        &["scoopId", "authorId", "mediaKey"],
    ),
    kind("close_friend.added", "scoops", &["realtime"], &["ownerId", "friendId"]),
    kind("close_friend.removed", "scoops", &["realtime"], &["ownerId", "friendId"]),
    kind("badge.awarded", "gamification", &["notifications"], &["userId", "badgeId", "name"]),
    kind("notification.created", "notifications", &["realtime"], &["notificationId", "userId"]),
    kind("notification.updated", "notifications", &["realtime"], &["notificationId", "userId"]),
    kind("notification.read", "notifications", &["realtime"], &["userId"]),
];

/// The body of `erasure.completed`, which every service that holds anything of people emits: nothing
/// of a person who was deleted is left there.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErasureCompleted {
    /// Who was deleted.
    pub user_id: Id,
    /// The deletion, as `users` numbers it.
    pub deletion_id: Id,
    /// The service that erased.
    pub service: String,
    /// How many rows were theirs.
    pub rows: i64,
}

/// Who hears anything of `source`, each once.
pub fn subscribers_of(source: &str) -> Vec<&'static str> {
    let mut all: Vec<&'static str> = CATALOGUE
        .iter()
        .filter(|kind| kind.source == source)
        .flat_map(|kind| kind.subscribers)
        .copied()
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

pub(super) fn types_for(source: &str, subscriber: &str) -> String {
    let names: Vec<&str> = CATALOGUE
        .iter()
        .filter(|kind| kind.source == source && kind.subscribers.contains(&subscriber))
        .map(|kind| kind.name)
        .collect();
    serde_json::json!(names).to_string()
}
