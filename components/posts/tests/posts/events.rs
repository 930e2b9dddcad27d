//! What posts tells, hears, and answers other services.

use posts_service::events;
use serde_json::{Value, json};
use shared::events::CATALOGUE;
use shared::testing::INTERNAL_TOKEN;

use crate::start;

use ::posts as posts_service;

fn decodes(kind: &str, body: Value) {
    let decoded = match kind {
        "post.created" | "post.published" => serde_json::from_value::<events::PostWritten>(body).map(|_| ()),
        "mention.created" => serde_json::from_value::<events::MentionCreated>(body).map(|_| ()),
        "post.updated" => serde_json::from_value::<events::PostUpdated>(body).map(|_| ()),
        "post.deleted" => serde_json::from_value::<events::PostDeleted>(body).map(|_| ()),
        "attachment.created" => serde_json::from_value::<events::AttachmentCreated>(body).map(|_| ()),
        "attachment.published" | "attachment.removed" => {
            serde_json::from_value::<events::Attachment>(body).map(|_| ())
        }
        "post.viewed" => serde_json::from_value::<events::PostViewed>(body).map(|_| ()),
        "comment.created" => serde_json::from_value::<events::CommentCreated>(body).map(|_| ()),
        "comment.deleted" => serde_json::from_value::<events::CommentDeleted>(body).map(|_| ()),
        "reaction.created" | "reaction.removed" => {
            serde_json::from_value::<events::Reacted>(body).map(|_| ())
        }
        "erasure.completed" => serde_json::from_value::<events::ErasureCompleted>(body).map(|_| ()),
        other => panic!("{other} has no type"),
    };
    decoded.unwrap_or_else(|error| panic!("{kind}: {error}"));
}

#[tokio::test]
async fn every_event_told_has_exactly_the_members_of_the_catalogue() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "@bob").await;
    posts.world.patch("posts", &format!("/posts/{id}"), &posts.alice, json!({ "text": "@carla" })).await;
    posts.post(&format!("/posts/{id}/view"), &posts.bob, json!(null)).await;
    for _ in 0..2 {
        posts.post(&format!("/reactions/{id}"), &posts.bob, json!({ "type": "like" })).await;
    }
    let comment = posts.comment(&posts.bob, &id, "@alice", None).await;
    posts.comment(&posts.carla, &id, "r", Some(&comment)).await;
    posts.delete(&format!("/comments/{id}/{comment}"), &posts.bob).await;
    posts.delete(&format!("/posts/{id}"), &posts.alice).await;
    let shown = crate::media::write_and_publish(&posts).await;
    posts.delete(&format!("/posts/{shown}"), &posts.alice).await;
    let deletion = json!({ "status": "deleted", "deletionId": posts.world.id() });
    posts.change("user.deleted", 2, deletion).await;
    for kind in CATALOGUE.iter().filter(|kind| kind.source == "posts") {
        let told = posts.told(kind.name).await;
        assert!(!told.is_empty(), "{} was not told", kind.name);
        for body in told {
            let mut members = kind.body.to_vec();
            members.sort_unstable();
            assert_eq!(crate::keys(&body), members, "{}", kind.name);
            decodes(kind.name, body);
        }
    }
    let made = &posts.told("comment.created").await;
    assert_eq!(made[0]["mentions"], json!([posts.ids[0]]));
    assert_eq!((&made[1]["parentId"], &made[1]["parentAuthorId"]), (&json!(comment), &json!(posts.ids[1])));
    assert_eq!(posts.one("select json_group_array(mentions) from comments").await, "[]");
    assert_eq!(posts.told("post.deleted").await[0]["wasPublished"], true);
    assert_eq!(posts.one("select cast(count(*) as text) from outbox where at < '2026'").await, "0");
}

#[tokio::test]
async fn a_deleted_person_is_erased_and_the_counts_of_others_stay_true() {
    let posts = start().await;
    posts.tie("follow.created", 0, 1).await;
    let kept = posts.write(&posts.alice, "a @bob").await;
    let gone = posts.write(&posts.bob, "b #t @alice").await;
    let comment = posts.comment(&posts.bob, &kept, "1", None).await;
    posts.comment(&posts.alice, &kept, "2", Some(&comment)).await;
    posts.comment(&posts.alice, &kept, "3", None).await;
    posts.comment(&posts.alice, &gone, "4", None).await;
    for kind in ["like", "wow"] {
        posts.post(&format!("/reactions/{kept}"), &posts.bob, json!({ "type": kind })).await;
    }
    posts.post(&format!("/reactions/{kept}"), &posts.carla, json!({ "type": "like" })).await;
    posts.post(&format!("/posts/{kept}/view"), &posts.bob, json!(null)).await;
    let deletion = posts.world.id();
    posts
        .change("user.deleted", 1, json!({ "status": "deleted", "handle": null, "deletionId": deletion }))
        .await;
    let told = posts.told("erasure.completed").await;
    // A post, a comment, two reactions, a view and a mention.
    let receipt = json!({ "userId": posts.ids[1], "deletionId": deletion, "service": "posts", "rows": 6 });
    assert_eq!(told, [receipt]);
    let post = posts.get(&format!("/posts/{kept}"), &posts.alice).await.body;
    assert_eq!(post["counts"], json!({ "comments": 1, "reactions": 1, "views": 1 }));
    assert_eq!((&post["reactions"], &post["mentions"]), (&json!({ "like": 1 }), &json!([])));
    assert_eq!(posts.get(&format!("/posts/{gone}"), &posts.alice).await.status, 404);
    assert_eq!(posts.texts("/feed", &posts.alice).await, ["a @bob"]);
    for table in ["posts", "comments"] {
        let left = format!("select cast(count(*) as text) from {table} where author = 2");
        assert_eq!(posts.one(&left).await, "0", "{table}");
    }
    for table in ["reactions", "views", "post_mentions"] {
        let left = format!("select cast(count(*) as text) from {table} where person = 2");
        assert_eq!(posts.one(&left).await, "0", "{table}");
    }
    for table in ["post_tags", "removals", "follows"] {
        assert_eq!(posts.one(&format!("select cast(count(*) as text) from {table}")).await, "0", "{table}");
    }
    assert_eq!(posts.get("/feed", &posts.bob).await.status, 401);
}

#[tokio::test]
async fn other_services_learn_what_a_person_may_see() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a").await;
    let comment = posts.comment(&posts.bob, &id, "c", None).await;
    let ask = async |viewer: usize, kind: &str, id: &str| {
        let path = format!("/internal/visible?viewer={}&type={kind}&id={id}", posts.ids[viewer]);
        posts.get(&path, INTERNAL_TOKEN).await
    };
    assert_eq!(ask(2, "post", &id).await.body, json!({ "authorId": posts.ids[0], "text": "a" }));
    assert_eq!(ask(2, "comment", &comment).await.body, json!({ "authorId": posts.ids[1], "text": "c" }));
    assert_eq!(ask(2, "post", &comment).await.status, 404);
    assert_eq!(ask(2, "user", &id).await.status, 422);
    posts.tie("block.created", 0, 2).await;
    assert_eq!(ask(2, "post", &id).await.status, 404);
    assert_eq!(ask(2, "comment", &comment).await.status, 404);
    let path = format!("/internal/visible?viewer={}&type=post&id={id}", posts.ids[1]);
    assert_eq!(posts.get(&path, &posts.bob).await.status, 404, "not for clients");
}

#[tokio::test]
async fn an_export_has_everything_held_about_a_person() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a @bob").await;
    posts.write(&posts.bob, "b").await;
    posts.comment(&posts.bob, &id, "c", None).await;
    posts.post(&format!("/reactions/{id}"), &posts.bob, json!({ "type": "sad" })).await;
    posts.post(&format!("/posts/{id}/view"), &posts.bob, json!(null)).await;
    let path = format!("/internal/export/{}", posts.ids[1]);
    let export = posts.get(&path, INTERNAL_TOKEN).await.body;
    assert_eq!(crate::keys(&export), ["comments", "mentions", "posts", "reactions", "views"]);
    for list in ["comments", "mentions", "posts", "reactions", "views"] {
        assert_eq!(export[list].as_array().map(Vec::len), Some(1), "{list}: {export}");
    }
    assert_eq!(posts.get(&path, &posts.bob).await.status, 404, "not for clients");
}
