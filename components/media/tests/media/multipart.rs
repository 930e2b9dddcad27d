use http::Method;
use serde_json::{Value, json};

use crate::{MP4, Media, start};

const PART: usize = 8 << 20;

/// A video of two parts, the second of 5 bytes.
fn video() -> Vec<u8> {
    let mut video = MP4.to_vec();
    video.resize(PART + 5, 7);
    video
}

async fn begin(media: &Media) -> Value {
    let body = json!({ "contentType": "video/mp4", "size": PART + 5 });
    let begun = media.post("/upload-url/multipart", &media.alice, body).await;
    assert_eq!(begun.status, 201, "{begun:?}");
    assert_eq!(begun.body["partSize"], PART);
    begun.body
}

/// Puts a part; its etag.
async fn put(media: &Media, url: &Value, body: &[u8]) -> String {
    let put = media.send(Method::PUT, url.as_str().unwrap(), &[], body).await;
    assert_eq!(put.status(), 200, "{put:?}");
    put.headers()["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_upload_is_resumed_where_it_stopped() {
    let media = start().await;
    let (video, begun) = (video(), begin(&media).await);
    let key = begun["key"].as_str().unwrap();
    let parts = begun["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 2);
    let first = put(&media, &parts[0]["url"], &video[..PART]).await;
    let there = media.get(&format!("/media/{key}/parts"), &media.alice).await;
    assert_eq!(there.status, 200, "{there:?}");
    assert_eq!(there.body["received"], json!([{ "number": 1, "etag": first, "size": PART }]));
    let missing = there.body["missing"].as_array().unwrap();
    assert_eq!((missing.len(), &missing[0]["number"]), (1, &json!(2)));
    let wrong = media.send(Method::PUT, missing[0]["url"].as_str().unwrap(), &[], b"of another length").await;
    assert_eq!(wrong.status(), 403);
    let second = put(&media, &missing[0]["url"], &video[PART..]).await;
    let complete = async || {
        let parts = json!({ "parts": [{ "number": 1, "etag": first }, { "number": 2, "etag": second }] });
        media.post(&format!("/media/{key}/complete"), &media.alice, parts).await
    };
    let (once, again) = (complete().await, complete().await);
    assert_eq!((once.status, &once.body["status"]), (200, &json!("uploaded")), "{once:?}");
    assert_eq!(once.body, again.body);
    let after = media.get(&format!("/media/{key}/parts"), &media.alice).await;
    assert_eq!(after.body["missing"], json!([]));
}

#[tokio::test]
async fn parts_that_are_not_those_uploaded_are_refused_and_nothing_is_lost() {
    let media = start().await;
    let (video, begun) = (video(), begin(&media).await);
    let key = begun["key"].as_str().unwrap();
    let first = put(&media, &begun["parts"][0]["url"], &video[..PART]).await;
    let complete = async |parts: Value| {
        let answer =
            media.post(&format!("/media/{key}/complete"), &media.alice, json!({ "parts": parts })).await;
        (answer.status, answer.body["code"].clone())
    };
    let refused = (422, json!("invalid_parts"));
    let nothing = "\"00000000000000000000000000000000\"";
    assert_eq!(complete(json!([])).await, refused);
    assert_eq!(complete(json!([{ "number": 1, "etag": first }])).await, refused);
    assert_eq!(
        complete(json!([{ "number": 2, "etag": first }, { "number": 1, "etag": first }])).await,
        refused
    );
    assert_eq!(
        complete(json!([{ "number": 1, "etag": first }, { "number": 2, "etag": nothing }])).await,
        refused
    );
    assert_eq!(
        complete(json!([{ "number": 1, "etag": first }, { "number": 2, "etag": "</ETag>" }])).await,
        refused
    );
    let second = put(&media, &begun["parts"][1]["url"], &video[PART..]).await;
    let whole = json!([{ "number": 1, "etag": first }, { "number": 2, "etag": second }]);
    assert_eq!(complete(whole).await.0, 200);
}

#[tokio::test]
async fn only_an_upload_in_parts_has_parts() {
    let media = start().await;
    let key = media.upload(&media.alice, "video/mp4", MP4).await;
    assert_eq!(media.get(&format!("/media/{key}/parts"), &media.alice).await.status, 404);
    let begun = begin(&media).await;
    let key = begun["key"].as_str().unwrap();
    assert_eq!(media.get(&format!("/media/{key}/parts"), &media.bob).await.status, 404);
    let body = json!({ "parts": [] });
    assert_eq!(media.post(&format!("/media/{key}/complete"), &media.bob, body).await.status, 404);
}

#[tokio::test]
async fn an_upload_given_up_leaves_no_parts() {
    let media = start().await;
    let begun = begin(&media).await;
    let key = begun["key"].as_str().unwrap();
    put(&media, &begun["parts"][1]["url"], b"12345").await;
    assert_eq!(media.delete(&format!("/media/{key}"), &media.alice).await, 204);
    let late = media.send(Method::PUT, begun["parts"][1]["url"].as_str().unwrap(), &[], b"12345").await;
    assert_eq!(late.status(), 404, "the store knows the upload no more");
}
