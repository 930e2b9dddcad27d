use http::Method;
use serde_json::{Value, json};

use crate::{Media, start};

/// Path and query of a URL of the application.
fn path_of(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("http://127.0.0.1:3000").unwrap().to_owned()
}

async fn playlist(media: &Media, path: &str) -> String {
    let answer = media.get(path, "").await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    assert_eq!(answer.headers["content-type"], "application/vnd.apple.mpegurl");
    String::from_utf8(answer.bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_link_leads_to_playlists_and_they_to_the_bytes() {
    let media = start().await;
    let key = media.queued_video(&media.alice).await;
    media.work().await;
    let master_path = path_of(&media.media(&key, &media.alice).await["hlsUrl"]);
    let master = playlist(&media, &master_path).await;
    assert!(master.contains("RESOLUTION=640x360"), "{master}");
    let variant = master.lines().last().unwrap();
    let folder = master_path.rsplit_once('/').unwrap().0.split("/master").next().unwrap();
    let segments = playlist(&media, &format!("{folder}/{variant}")).await;
    assert!(segments.contains("#EXT-X-BYTERANGE:4@3\n"), "{segments}");
    let url = segments.lines().find(|line| line.starts_with("http")).unwrap();
    let piece = media.send(Method::GET, url, &[("range", "bytes=3-6")], b"").await;
    assert_eq!((piece.status().as_u16(), piece.body().as_ref()), (206, &b"0.mp"[..]));
}

#[tokio::test]
async fn a_link_that_was_not_given_out_leads_nowhere() {
    let media = start().await;
    let key = media.queued_video(&media.alice).await;
    media.work().await;
    let other = media.queued_video(&media.alice).await;
    media.work().await;
    let good = path_of(&media.media(&key, &media.alice).await["hlsUrl"]);
    for bad in [
        good.replace(&key, &other),
        good.replace("until=1", "until=2"),
        good.replace("&sig=", "&sig=x"),
        good.split('?').next().unwrap().to_owned(),
        good.replace("master", "9"),
        good.replace("master.m3u8", "..%2Foriginal"),
        good.replace("until=", "until=x"),
    ] {
        assert_eq!(media.get(&bad, "").await.status, 404, "{bad}");
    }
    assert_eq!(media.get(&good, "no token").await.status, 401, "a bad token is one here too");
    media.delete(&format!("/media/{key}"), &media.alice).await;
    assert_eq!(media.get(&good, "").await.status, 404, "what is deleted ends with its links");
}

#[tokio::test]
async fn a_picture_of_a_person_is_anybodys_for_good() {
    let media = start().await;
    let key = media.upload(&media.alice, "image/avatar", crate::JPEG).await;
    media.media(&key, &media.alice).await;
    let path = format!("/avatars/{key}");
    assert_eq!(media.get(&path, "").await.status, 404, "not before it is ready");
    let job = media.lease().await;
    assert_eq!(
        job["variants"],
        json!([{ "name": "large", "size": 512, "square": true }, { "name": "small", "size": 128, "square": true }])
    );
    media.complete(&job).await;
    let large = media.get(&path, "").await;
    assert_eq!((large.status, large.bytes.as_ref()), (200, &b"large.jpg"[..]));
    assert_eq!(large.headers["content-type"], "image/jpeg");
    assert!(large.headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(media.get(&format!("{path}?size=128"), "").await.bytes.as_ref(), b"small.jpg");
    assert_eq!(media.get(&format!("{path}?size=64"), "").await.status, 422);
    let tag = large.headers["etag"].to_str().unwrap().to_owned();
    let again =
        media.world.call("media", Method::GET, &path, "", &[("if-none-match", &tag)], Value::Null).await;
    assert_eq!(again.status, 304);
    // What was uploaded for a post is no avatar.
    let image = media.queued_image(&media.alice).await;
    media.work().await;
    assert_eq!(media.get(&format!("/avatars/{image}"), "").await.status, 404);
}
