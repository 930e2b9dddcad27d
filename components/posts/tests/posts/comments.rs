//! `/comments`.

use serde_json::json;

use crate::{keys, start};

#[tokio::test]
async fn a_comment_has_exactly_the_members_of_the_contract() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a").await;
    let path = format!("/comments/{id}");
    let made =
        posts.post(&path, &posts.bob, json!({ "text": " hi @carla ", "id": "x", "author": "x" })).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(keys(&made.body), ["author", "counts", "createdAt", "id", "parentId", "postId", "text"]);
    assert_eq!((&made.body["text"], &made.body["postId"]), (&json!("hi @carla"), &json!(id)));
    assert_eq!((&made.body["parentId"], &made.body["counts"]), (&json!(null), &json!({ "replies": 0 })));
    assert_eq!(made.body["author"]["handle"], "bob");
    let first = made.body["id"].as_str().unwrap();
    let reply = posts.post(&path, &posts.carla, json!({ "text": "r", "parentId": first })).await;
    assert_eq!((reply.status, &reply.body["parentId"]), (201, &json!(first)));
    posts.comment(&posts.carla, &id, "second", None).await;
    assert_eq!(posts.texts(&path, &posts.alice).await, ["hi @carla", "second"]);
    let replies = posts.get(&format!("{path}?parent={first}"), &posts.alice).await;
    assert_eq!(replies.body["items"], json!([reply.body]));
    let listed = posts.get(&path, &posts.alice).await;
    assert_eq!(listed.body["items"][0]["counts"]["replies"], 1);
    let post = posts.get(&format!("/posts/{id}"), &posts.bob).await;
    assert_eq!(post.body["counts"]["comments"], 3);
}

#[tokio::test]
async fn a_comment_needs_a_text_a_post_one_sees_and_a_parent_on_it() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a").await;
    let other = posts.write(&posts.alice, "b").await;
    let elsewhere = posts.comment(&posts.bob, &other, "c", None).await;
    let path = format!("/comments/{id}");
    let nobody = posts.world.id();
    for (body, field) in [
        (json!({}), "text"),
        (json!({ "text": " " }), "text"),
        (json!({ "text": "x".repeat(501) }), "text"),
        (json!({ "text": "a", "parentId": "x" }), "parentId"),
        (json!({ "text": "a", "parentId": nobody }), "parentId"),
        (json!({ "text": "a", "parentId": elsewhere }), "parentId"),
    ] {
        let answer = posts.post(&path, &posts.bob, body.clone()).await;
        assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (422, &json!(field)), "{body}");
    }
    assert_eq!(posts.get(&format!("{path}?parent=x"), &posts.bob).await.status, 422);
    assert_eq!(posts.get(&format!("{path}?parent={elsewhere}"), &posts.bob).await.status, 404);
    assert_eq!(posts.get(&format!("/comments/{nobody}"), &posts.bob).await.status, 404);
    assert_eq!(
        posts.post(&format!("/comments/{nobody}"), &posts.bob, json!({ "text": "a" })).await.status,
        404
    );
    posts.tie("block.created", 0, 1).await;
    assert_eq!(posts.get(&path, &posts.bob).await.status, 404);
    assert_eq!(posts.post(&path, &posts.bob, json!({ "text": "a" })).await.status, 404);
}

#[tokio::test]
async fn replies_go_50_deep_and_removing_the_first_removes_them_all() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a").await;
    let first = posts.comment(&posts.bob, &id, "1", None).await;
    let mut parent = first.clone();
    for depth in 2..=50 {
        parent = posts.comment(&posts.carla, &id, &depth.to_string(), Some(&parent)).await;
    }
    let body = json!({ "text": "51", "parentId": parent });
    let deeper = posts.post(&format!("/comments/{id}"), &posts.bob, body).await;
    assert_eq!((deeper.status, &deeper.body["code"]), (422, &json!("too_deep")));
    assert_eq!(posts.delete(&format!("/comments/{id}/{first}"), &posts.bob).await, 204);
    assert_eq!(posts.one("select cast(count(*) as text) from comments").await, "0");
    assert_eq!(posts.one("select cast(comments as text) from posts").await, "0");
    assert_eq!(posts.told("comment.deleted").await.len(), 50);
    assert_eq!(posts.one("select cast(count(*) as text) from removals").await, "0");
}

#[tokio::test]
async fn a_comment_is_removed_by_its_author_or_the_posts_and_nobody_else() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a").await;
    let one = posts.comment(&posts.bob, &id, "1", None).await;
    let two = posts.comment(&posts.bob, &id, "2", None).await;
    let path = |comment: &str| format!("/comments/{id}/{comment}");
    assert_eq!(posts.delete(&path(&one), &posts.carla).await, 403);
    assert_eq!(posts.delete(&path(&one), &posts.alice).await, 204);
    assert_eq!(posts.delete(&path(&one), &posts.alice).await, 404);
    assert_eq!(posts.delete(&path("x"), &posts.alice).await, 404);
    let other = posts.write(&posts.carla, "b").await;
    assert_eq!(posts.delete(&format!("/comments/{other}/{two}"), &posts.bob).await, 404, "of another post");
    posts.tie("block.created", 0, 2).await;
    assert_eq!(posts.delete(&path(&two), &posts.carla).await, 404);
    assert_eq!(posts.delete(&path(&two), &posts.bob).await, 204);
}

#[tokio::test]
async fn threads_leave_out_whom_one_may_not_see() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a").await;
    let path = format!("/comments/{id}");
    let bobs = posts.comment(&posts.bob, &id, "b", None).await;
    posts.comment(&posts.carla, &id, "c", None).await;
    posts.post(&format!("/reactions/{id}"), &posts.bob, json!({ "type": "wow" })).await;
    posts.tie("mute.created", 2, 1).await;
    assert_eq!(posts.texts(&path, &posts.carla).await, ["c"]);
    assert_eq!(posts.texts(&path, &posts.bob).await, ["b", "c"], "they never learn of it");
    posts.tie("mute.removed", 2, 1).await;
    posts.tie("block.created", 1, 2).await;
    assert_eq!(posts.texts(&path, &posts.carla).await, ["c"]);
    assert_eq!(posts.texts(&path, &posts.bob).await, ["b"]);
    assert!(posts.all(&format!("/reactions/{id}"), &posts.carla, 5).await.is_empty());
    let replies = format!("{path}?parent={bobs}");
    assert_eq!(posts.get(&replies, &posts.carla).await.status, 404, "as of a comment that is not");
    assert_eq!(posts.get(&replies, &posts.alice).await.status, 200);
    posts.tie("block.removed", 1, 2).await;
    posts.change("user.updated", 1, json!({ "private": 1 })).await;
    assert_eq!(posts.texts(&path, &posts.carla).await, ["c"]);
    assert_eq!(posts.texts(&path, &posts.alice).await, ["b", "c"], "the post's author sees what is below it");
    posts.change("user.suspended", 1, json!({ "status": "suspended" })).await;
    assert_eq!(posts.texts(&path, &posts.alice).await, ["c"]);
}
