//! Media that scoops show.

use serde_json::json;

use crate::{Media, start};

const SCOOP: &str = "01a20052-fe97-7114-a1f4-07248e949f06";
const OTHER: &str = "01a20052-fe97-7114-a1f4-07248e949f07";
const POST: &str = "01a20052-fe97-7114-a1f4-07248e949f08";

/// `who` made a scoop of `key`, and others see it.
async fn made(media: &Media, who: usize, scoop: &str, key: &str) {
    let body = json!({ "scoopId": scoop, "authorId": media.ids[who], "audience": "followers", "mediaKey": key,
        "expiresAt": "2099-01-01T00:00:00.000Z", "published": true });
    media.hear("scoops", "scoop.created", body).await;
}

async fn deleted(media: &Media, scoop: &str, key: &str) {
    let body = json!({ "scoopId": scoop, "authorId": media.ids[0], "mediaKey": key });
    media.hear("scoops", "scoop.deleted", body).await;
    media.tick().await;
}

#[tokio::test]
async fn the_objects_of_a_scoop_go_with_it_but_not_while_another_shows_them() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    made(&media, 0, SCOOP, &key).await;
    made(&media, 0, SCOOP, &key).await;
    made(&media, 0, OTHER, &key).await;
    media.post_with(POST, &key, "public").await;
    deleted(&media, SCOOP, &key).await;
    deleted(&media, OTHER, &key).await;
    assert_eq!(media.stored("").await.len(), 3, "the post shows it");
    media.hear("posts", "attachment.removed", json!({ "postId": POST })).await;
    media.tick().await;
    assert!(media.stored("").await.is_empty());
    assert_eq!(media.get(&format!("/media/{key}"), &media.alice).await.status, 404);
    deleted(&media, OTHER, &key).await;
}

#[tokio::test]
async fn a_post_that_goes_leaves_what_a_scoop_shows() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    media.post_with(POST, &key, "public").await;
    made(&media, 0, SCOOP, &key).await;
    media.hear("posts", "attachment.removed", json!({ "postId": POST })).await;
    media.tick().await;
    assert_eq!(media.stored("").await.len(), 3);
    deleted(&media, SCOOP, &key).await;
    assert!(media.stored("").await.is_empty());
}

#[tokio::test]
async fn others_do_not_see_it_by_its_key() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    made(&media, 0, SCOOP, &key).await;
    let follow = json!({ "followerId": media.ids[1], "followeeId": media.ids[0] });
    media.hear("social", "follow.created", follow).await;
    let path = format!("/media/{key}");
    assert_eq!(
        media.get(&path, &media.bob).await.status,
        404,
        "they have it through the scoop, as long as that lives"
    );
    assert_eq!(media.get(&path, &media.alice).await.status, 200);
    media.post_with(POST, &key, "public").await;
    assert_eq!(media.get(&path, &media.bob).await.status, 200, "what a post shows as well is another matter");
}

#[tokio::test]
async fn what_a_scoop_shows_is_not_swept() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    made(&media, 0, SCOOP, &key).await;
    media.sql("update media set created_at = 0").await;
    media.tick().await;
    assert_eq!(media.stored("").await.len(), 3);
    let export = format!("/internal/export/{}", media.ids[0]);
    let export = media.get(&export, shared::testing::INTERNAL_TOKEN).await.body;
    assert_eq!(export["uploads"][0]["usedBy"], json!([{ "type": "scoop", "id": SCOOP }]));
}

#[tokio::test]
async fn nobody_keeps_what_is_not_theirs() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    made(&media, 1, SCOOP, &key).await;
    media.sql("update media set created_at = 0").await;
    for _ in 0..2 {
        media.tick().await;
    }
    assert!(media.stored("").await.is_empty());
}
