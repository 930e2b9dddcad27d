use serde_json::json;
use shared::testing::INTERNAL_TOKEN;

use crate::start;

const POST: &str = "01a20052-fe97-7114-a1f4-07248e949f06";

#[tokio::test]
async fn what_is_not_shown_anywhere_is_its_owners_alone() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    let path = format!("/media/{key}");
    for (method, path) in [
        (http::Method::GET, path.clone()),
        (http::Method::DELETE, path.clone()),
        (http::Method::GET, format!("{path}/parts")),
    ] {
        let answer = media.world.call("media", method, &path, &media.bob, &[], json!(null)).await;
        assert_eq!((answer.status, &answer.body["code"]), (404, &json!("not_found")), "{path}");
    }
    let process = media.post("/process-video", &media.bob, json!({ "key": key })).await;
    assert_eq!((process.status, &process.body["code"]), (422, &json!("media_not_found")));
    assert_eq!(media.get(&path, "").await.status, 401);
}

#[tokio::test]
async fn what_a_post_shows_is_seen_by_who_sees_the_post() {
    let media = start().await;
    let (alice, bob) = (media.ids[0], media.ids[1]);
    let key = media.queued_image(&media.alice).await;
    media.post_with(POST, &key, "public").await;
    let seen = async |token: &str| media.get(&format!("/media/{key}"), token).await.status;
    assert_eq!(seen(&media.bob).await, 404, "not before it is ready");
    media.work().await;
    assert_eq!(seen(&media.bob).await, 200);
    assert_eq!(media.delete(&format!("/media/{key}"), &media.bob).await, 403, "seen, and not theirs");
    media.hear("social", "block.created", json!({ "blockerId": alice, "blockedId": bob })).await;
    assert_eq!((seen(&media.bob).await, seen(&media.carla).await), (404, 200));
    media.hear("social", "block.removed", json!({ "blockerId": alice, "blockedId": bob })).await;
    media.sql("update people set private = 1 where handle = 'alice'").await;
    assert_eq!(seen(&media.bob).await, 404);
    media.hear("social", "follow.created", json!({ "followerId": bob, "followeeId": alice })).await;
    assert_eq!((seen(&media.bob).await, seen(&media.carla).await), (200, 404));
    media.sql("update people set status = 'suspended' where handle = 'alice'").await;
    assert_eq!(seen(&media.bob).await, 404);
}

#[tokio::test]
async fn a_post_for_followers_shows_its_media_to_followers() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    media.post_with(POST, &key, "followers").await;
    let seen = async |token: &str| media.get(&format!("/media/{key}"), token).await.status;
    assert_eq!(seen(&media.bob).await, 404);
    media
        .hear("social", "follow.created", json!({ "followerId": media.ids[1], "followeeId": media.ids[0] }))
        .await;
    assert_eq!((seen(&media.bob).await, seen(&media.carla).await), (200, 404));
}

#[tokio::test]
async fn nobody_uses_what_is_not_theirs() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    let avatar = media.upload(&media.alice, "image/avatar", crate::JPEG).await;
    let claim = async |owner: usize, purpose: &str, key: &str| {
        let body = json!({ "owner": media.ids[owner], "purpose": purpose, "keys": [key], "fields": ["media[0].key"] });
        let answer = media.post("/internal/claims", INTERNAL_TOKEN, body).await;
        (answer.status, answer.body["code"].as_str().map(ToOwned::to_owned))
    };
    let not_found = (422, Some("media_not_found".to_owned()));
    assert_eq!(claim(0, "post", &key).await.0, 200);
    assert_eq!(claim(1, "post", &key).await, not_found);
    assert_eq!(claim(0, "avatar", &key).await, not_found, "each for its purpose");
    assert_eq!(claim(0, "post", &avatar).await, not_found);
    assert_eq!(claim(0, "post", "nothing").await, not_found);
    assert_eq!(claim(0, "post", POST).await, not_found);
    // An event cannot give it to somebody else's post either.
    let created = json!({ "postId": POST, "authorId": media.ids[1], "visibility": "public", "published": true,
        "media": [key] });
    media.hear("posts", "attachment.created", created).await;
    assert_eq!(media.get(&format!("/media/{key}"), &media.bob).await.status, 404);
}
