//! What administrators remove.

use serde_json::json;

use crate::{Posts, start};

impl Posts {
    /// Hears that something of alice's is removed.
    async fn hear_removed(&self, kind: &str, id: &str) {
        let body = json!({ "reportId": self.world.id(), "authorId": self.ids[0], "targetType": kind, "targetId": id });
        self.world.hear("posts", "social", &[("content.removed", id, body)]).await;
    }
}

#[tokio::test]
async fn a_post_that_is_removed_is_gone_as_if_its_author_deleted_it() {
    let posts = start().await;
    posts.tie("follow.created", 1, 0).await;
    let id = posts.write(&posts.alice, "#rude @bob").await;
    posts.write(&posts.alice, "#rude as well").await;
    posts.comment(&posts.bob, &id, "Hm.", None).await;
    posts.post(&format!("/reactions/{id}"), &posts.bob, json!({ "type": "sad" })).await;
    posts.hear_removed("post", &id).await;
    for (path, token) in [
        ("/feed", &posts.bob),
        ("/feed", &posts.alice),
        ("/tags/rude", &posts.carla),
        ("/u/alice/posts", &posts.carla),
        ("/u/alice/posts", &posts.alice),
    ] {
        assert_eq!(posts.texts(path, token).await, ["#rude as well"], "{path}");
    }
    for path in ["posts", "comments", "reactions"] {
        assert_eq!(posts.get(&format!("/{path}/{id}"), &posts.alice).await.status, 404, "{path}");
    }
    let told = json!({ "postId": id, "authorId": posts.ids[0], "wasPublished": true });
    assert_eq!(posts.told("post.deleted").await, [told]);
    assert_eq!(posts.one("select count(*) from removals").await, "0");
    posts.hear_removed("post", &id).await;
    assert_eq!(posts.told("post.deleted").await.len(), 1, "again: nothing");
}

#[tokio::test]
async fn what_waits_for_its_media_goes_as_well() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "Hello.").await;
    posts.world.app("posts").db.rows("update posts set status = 'pending_media'", vec![]).await.unwrap();
    posts.hear_removed("post", &id).await;
    assert_eq!(posts.one("select count(*) from posts").await, "0");
}

#[tokio::test]
async fn a_comment_that_is_removed_takes_its_replies_and_nothing_else() {
    let posts = start().await;
    let id = posts.write(&posts.bob, "Hello.").await;
    let rude = posts.comment(&posts.alice, &id, "Rude.", None).await;
    posts.comment(&posts.bob, &id, "So are you.", Some(&rude)).await;
    posts.comment(&posts.carla, &id, "Nice.", None).await;
    posts.hear_removed("comment", &rude).await;
    assert_eq!(posts.texts(&format!("/comments/{id}"), &posts.bob).await, ["Nice."]);
    assert_eq!(posts.get(&format!("/posts/{id}"), &posts.bob).await.body["counts"]["comments"], 1);
    assert_eq!(posts.told("comment.deleted").await.len(), 2);
    assert!(posts.told("post.deleted").await.is_empty());
}

#[tokio::test]
async fn what_is_of_another_kind_or_unknown_is_left_alone() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "Hello.").await;
    let comment = posts.comment(&posts.alice, &id, "Hello?", None).await;
    for (kind, target) in [("comment", &id), ("post", &comment), ("scoop", &id), ("user", &id)] {
        posts.hear_removed(kind, target).await;
    }
    posts.hear_removed("post", &posts.world.id().to_string()).await;
    assert_eq!(posts.get(&format!("/posts/{id}"), &posts.bob).await.body["counts"]["comments"], 1);
}
