use serde_json::json;

use crate::{JPEG, MP4, start};

#[tokio::test]
async fn an_upload_is_admitted_once_in_exactly_its_size_and_type() {
    let media = start().await;
    let admit = async || {
        media
            .post("/upload-url", &media.alice, json!({ "contentType": "image/jpeg", "size": JPEG.len() }))
            .await
    };
    let admitted = admit().await;
    assert_eq!(admitted.status, 201, "{admitted:?}");
    assert_eq!(admitted.body["method"], "PUT");
    assert_eq!(media.put(&admitted, b"longer than was declared, by far").await, 403);
    assert_eq!(media.put(&admitted, b"short").await, 403);
    let url = admitted.body["url"].as_str().unwrap();
    let other = [("content-type", "text/html"), ("if-none-match", "*")];
    assert_eq!(media.send(http::Method::PUT, url, &other, JPEG).await.status(), 403);
    assert_eq!(media.put(&admitted, JPEG).await, 200);
    assert_eq!(media.put(&admitted, JPEG).await, 412, "once");
    assert!(
        media.send(http::Method::GET, url, &[], b"").await.status().is_client_error(),
        "and not to read it"
    );
}

#[tokio::test]
async fn the_service_learns_of_an_upload_by_looking() {
    let media = start().await;
    let admitted = media
        .post("/upload-url", &media.alice, json!({ "contentType": "video/mp4", "size": MP4.len() }))
        .await;
    let key = admitted.body["key"].as_str().unwrap();
    let before = media.media(key, &media.alice).await;
    assert_eq!(
        (&before["status"], &before["kind"], &before["url"]),
        (&json!("pending"), &json!("video"), &json!(null))
    );
    let early = media.post("/process-video", &media.alice, json!({ "key": key })).await;
    assert_eq!((early.status, &early.body["code"]), (422, &json!("not_uploaded")));
    media.put(&admitted, MP4).await;
    assert_eq!(media.media(key, &media.alice).await["status"], "uploaded");
    let process = async || media.post("/process-video", &media.alice, json!({ "key": key })).await;
    let (first, again) = (process().await, process().await);
    assert_eq!((first.status, &first.body["status"]), (202, &json!("queued")));
    assert_eq!(first.body, again.body);
    assert_eq!(media.lease().await["key"], key);
    assert_eq!(media.lease().await, json!(null), "one job");
}

#[tokio::test]
async fn what_is_not_what_it_was_declared_fails_by_name_and_is_not_kept() {
    let media = start().await;
    let playlist = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd";
    let key = media.upload(&media.alice, "video/mp4", playlist).await;
    let shown = media.media(&key, &media.alice).await;
    assert_eq!((&shown["status"], &shown["error"]["code"]), (&json!("failed"), &json!("type_mismatch")));
    assert!(media.stored("").await.is_empty());
    let process = media.post("/process-video", &media.alice, json!({ "key": key })).await;
    assert_eq!(
        (process.status, &process.body["status"]),
        (202, &json!("failed")),
        "it says why: {process:?}"
    );
    assert_eq!(media.lease().await, json!(null));
}

#[tokio::test]
async fn types_and_sizes_that_are_not_admitted_are_422_with_their_field() {
    let media = start().await;
    for (path, body, field) in [
        ("/upload-url", json!({ "contentType": "text/html", "size": 5 }), "contentType"),
        ("/upload-url", json!({ "contentType": "image/png", "size": 16_777_217 }), "size"),
        ("/upload-url", json!({ "contentType": "video/mp4", "size": 536_870_913 }), "size"),
        ("/upload-url", json!({ "contentType": "image/png", "size": 0 }), "size"),
        ("/upload-url", json!({ "contentType": "image/png", "size": 5, "kind": "video" }), "kind"),
        ("/upload-url", json!({ "contentType": "image/png" }), "size"),
        ("/avatar-url", json!({ "contentType": "video/mp4", "size": 5 }), "contentType"),
        ("/avatar-url", json!({ "contentType": "image/png", "size": 5_242_881 }), "size"),
        ("/upload-url/multipart", json!({ "contentType": "image/bmp", "size": 5 }), "contentType"),
    ] {
        let answer = media.post(path, &media.alice, body.clone()).await;
        assert_eq!(
            (answer.status, &answer.body["errors"][0]["field"]),
            (422, &json!(field)),
            "{body}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn open_uploads_have_a_quota_that_ends_with_them() {
    let media = start().await;
    let ask = async |token: &str| {
        media.post("/upload-url", token, json!({ "contentType": "image/jpeg", "size": JPEG.len() })).await
    };
    let mut last = None;
    for _ in 0..20 {
        let admitted = ask(&media.alice).await;
        assert_eq!(admitted.status, 201);
        last = Some(admitted);
    }
    let refused = ask(&media.alice).await;
    assert_eq!((refused.status, &refused.body["code"]), (403, &json!("upload_quota")));
    assert_eq!(ask(&media.bob).await.status, 201, "each their own");
    let last = last.unwrap();
    media.put(&last, JPEG).await;
    media.media(last.body["key"].as_str().unwrap(), &media.alice).await;
    assert_eq!(ask(&media.alice).await.status, 201, "what arrived is not open any more");
    media.sql("update media set open_until = 0").await;
    assert_eq!(ask(&media.alice).await.status, 201, "nor what came too late");
}

#[tokio::test]
async fn the_same_key_of_a_request_gives_the_same_upload() {
    let media = start().await;
    let ask = async || {
        let key = [("idempotency-key", "k1")];
        let body = json!({ "contentType": "image/jpeg", "size": JPEG.len() });
        media.world.call("media", http::Method::POST, "/upload-url", &media.alice, &key, body).await
    };
    let (first, again) = (ask().await, ask().await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_no_fault_of_the_client() {
    let media = start().await;
    let key = media.upload(&media.alice, "video/mp4", MP4).await;
    media.disconnect_store();
    assert_eq!(media.media(&key, &media.alice).await["status"], "pending", "one may look all the same");
    let process = media.post("/process-video", &media.alice, json!({ "key": key })).await;
    assert_eq!((process.status, &process.body["code"]), (503, &json!("unavailable")));
    let parts = json!({ "contentType": "video/mp4", "size": MP4.len() });
    assert_eq!(media.post("/upload-url/multipart", &media.alice, parts).await.status, 503);
    assert_eq!(
        media.delete(&format!("/media/{key}"), &media.alice).await,
        204,
        "what is deleted is gone at once"
    );
    assert_eq!(media.get(&format!("/media/{key}"), &media.alice).await.status, 404);
    media.connect_store();
    assert_eq!(media.stored("").await.len(), 1);
    media.sql("update removals set due_at = 0").await;
    media.tick().await;
    assert!(media.stored("").await.is_empty(), "and its objects as soon as the store is back");
}

#[tokio::test]
async fn deleting_takes_the_objects_along() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.work().await;
    assert_eq!(media.stored("").await.len(), 3);
    assert_eq!(media.delete(&format!("/media/{key}"), &media.alice).await, 204);
    assert!(media.stored("").await.is_empty());
    assert_eq!(media.delete(&format!("/media/{key}"), &media.alice).await, 404);
}
