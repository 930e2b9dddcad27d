use serde_json::{Value, json};
use shared::events::CATALOGUE;
use shared::testing::INTERNAL_TOKEN;

use crate::{JPEG, MP4, Media, start};

const POST: &str = "01a20052-fe97-7114-a1f4-07248e949f06";
const OTHER: &str = "01a20052-fe97-7114-a1f4-07248e949f07";

async fn claim(media: &Media, purpose: &str, key: &str) -> Value {
    let body =
        json!({ "owner": media.ids[0], "purpose": purpose, "keys": [key], "fields": ["media[0].key"] });
    let answer = media.post("/internal/claims", INTERNAL_TOKEN, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"][0].clone()
}

#[tokio::test]
async fn what_becomes_of_a_media_is_told_as_the_catalogue_says() {
    let media = start().await;
    let good = media.queued_image(&media.alice).await;
    claim(&media, "post", &good).await;
    media.work().await;
    let bad = media.upload(&media.alice, "video/mp4", b"no video").await;
    media.media(&bad, &media.alice).await;
    media.delete(&format!("/media/{good}"), &media.alice).await;
    let told = media.told().await;
    let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["media.ready", "media.failed", "media.deleted"]);
    for (kind, body) in &told {
        let known = CATALOGUE.iter().find(|known| known.name == kind).unwrap();
        let mut members: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = known.body.to_vec();
        members.sort_unstable();
        expected.sort_unstable();
        assert_eq!(members, expected, "{kind}");
    }
    let template = &told[0].1["media"];
    assert_eq!(template["url"], format!("@{}/{good}/1/large.jpg", media.ids[0]));
    assert_eq!(told[1].1["media"]["error"]["code"], "type_mismatch");
}

#[tokio::test]
async fn a_video_that_is_used_is_processed_without_another_word() {
    let media = start().await;
    let key = media.upload(&media.alice, "video/mp4", MP4).await;
    let claimed = claim(&media, "post", &key).await;
    assert_eq!(claimed["status"], "queued", "{claimed}");
    assert_eq!(media.lease().await["key"], key);
}

#[tokio::test]
async fn a_picture_is_waited_for_a_moment_and_a_video_is_not() {
    let media = start().await;
    let key = media.upload(&media.alice, "image/jpeg", JPEG).await;
    let working = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        media.work().await;
    };
    let (claimed, ()) = tokio::join!(claim(&media, "post", &key), working);
    assert_eq!(claimed["status"], "ready");
    let start = std::time::Instant::now();
    let video = media.upload(&media.alice, "video/mp4", MP4).await;
    claim(&media, "post", &video).await;
    assert!(start.elapsed() < std::time::Duration::from_secs(1));
}

#[tokio::test]
async fn what_failed_or_has_not_arrived_cannot_be_used() {
    let media = start().await;
    let failed = media.upload(&media.alice, "video/mp4", b"#EXTM3U\n").await;
    let admitted =
        media.post("/upload-url", &media.alice, json!({ "contentType": "image/png", "size": 9 })).await;
    for (key, code) in [(json!(failed), "type_mismatch"), (admitted.body["key"].clone(), "not_uploaded")] {
        let body =
            json!({ "owner": media.ids[0], "purpose": "post", "keys": [key], "fields": ["media[0].key"] });
        let answer = media.post("/internal/claims", INTERNAL_TOKEN, body).await;
        assert_eq!((answer.status, &answer.body["code"]), (422, &json!(code)), "{answer:?}");
        assert_eq!(answer.body["errors"][0]["field"], "media[0].key");
    }
}

#[tokio::test]
async fn the_objects_of_a_post_go_with_it_but_not_while_another_shows_them() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    media.post_with(POST, &key, "public").await;
    media.post_with(OTHER, &key, "public").await;
    let deleted = |post: &str| json!({ "postId": post });
    media.hear("posts", "attachment.removed", deleted(POST)).await;
    media.tick().await;
    assert_eq!(media.stored("").await.len(), 3);
    media.hear("posts", "attachment.removed", deleted(OTHER)).await;
    media.hear("posts", "attachment.removed", deleted(OTHER)).await;
    media.tick().await;
    assert!(media.stored("").await.is_empty());
    assert_eq!(media.get(&format!("/media/{key}"), &media.alice).await.status, 404);
}

#[tokio::test]
async fn a_post_that_waits_shows_its_media_to_others_when_it_is_out() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    let created = json!({ "postId": POST, "authorId": media.ids[0], "visibility": "public", "published": false,
        "media": [key] });
    media.hear("posts", "attachment.created", created).await;
    assert_eq!(media.get(&format!("/media/{key}"), &media.bob).await.status, 404);
    let published = json!({ "postId": POST });
    media.hear("posts", "attachment.published", published).await;
    assert_eq!(media.get(&format!("/media/{key}"), &media.bob).await.status, 200);
}

#[tokio::test]
async fn a_new_picture_takes_the_old_one_away() {
    let media = start().await;
    let mut keys = Vec::new();
    for _ in 0..2 {
        let key = media.upload(&media.alice, "image/avatar", JPEG).await;
        media.media(&key, &media.alice).await;
        media.work().await;
        let changed = json!({ "userId": media.ids[0], "key": key });
        media.hear("users", "avatar.changed", changed).await;
        media.tick().await;
        keys.push(key);
    }
    assert_eq!(media.get(&format!("/avatars/{}", keys[0]), "").await.status, 404);
    assert_eq!(media.get(&format!("/avatars/{}", keys[1]), "").await.status, 200);
    assert_eq!(media.stored("").await.len(), 3);
    assert_eq!(
        media.get(&format!("/media/{}", keys[1]), &media.bob).await.status,
        200,
        "anybody may look at it"
    );
    media.hear("users", "avatar.changed", json!({ "userId": media.ids[0], "key": null })).await;
    media.tick().await;
    assert!(media.stored("").await.is_empty());
}

#[tokio::test]
async fn a_deleted_person_is_erased_when_their_objects_are() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    media.post_with(POST, &key, "public").await;
    media.queued_video(&media.alice).await;
    let bobs = media.queued_image(&media.bob).await;
    media.disconnect_store();
    let deletion = "01a20052-fe97-7114-a1f4-07248e949f99";
    let person = json!({ "id": media.ids[0], "handle": null, "displayName": null, "bio": null, "avatarUrl": null,
        "private": 0, "createdAt": "", "status": "deleted", "rev": 9, "deletionId": deletion });
    media.hear("users", "user.deleted", person).await;
    media.tick().await;
    let receipts = async || {
        let told = media.told().await;
        told.into_iter()
            .filter(|(kind, _)| kind == "erasure.completed")
            .map(|(_, body)| body)
            .collect::<Vec<_>>()
    };
    assert!(receipts().await.is_empty(), "their photos are still there");
    media.connect_store();
    media.sql("update removals set due_at = 0").await;
    media.tick().await;
    media.tick().await;
    let expected = json!({ "userId": media.ids[0], "deletionId": deletion, "service": "media", "rows": 4 });
    assert_eq!(receipts().await, [expected]);
    assert_eq!(media.stored("").await.len(), 1);
    assert_eq!(media.media(&bobs, &media.bob).await["status"], "queued");
    assert_eq!(media.lease().await["key"], bobs, "nothing of theirs is processed any more");
}

#[tokio::test]
async fn an_export_lists_uploads_with_links() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    media.post_with(POST, &key, "public").await;
    let answer = media.get(&format!("/internal/export/{}", media.ids[0]), INTERNAL_TOKEN).await;
    let upload = &answer.body["uploads"][0];
    assert_eq!((&upload["key"], &upload["usedBy"][0]["id"]), (&json!(key), &json!(POST)), "{answer:?}");
    assert!(upload["media"]["url"].as_str().unwrap().starts_with("http://127.0.0.1:9000/"));
    assert!(upload["createdAt"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        media.get(&format!("/internal/export/{}", media.ids[1]), INTERNAL_TOKEN).await.body["uploads"],
        json!([])
    );
}
