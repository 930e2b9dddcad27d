//! From an upload to what is shown, with the real object store, the real worker and real ffmpeg.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect should stop")]

use std::sync::OnceLock;
use std::time::Duration;

use journeys::client::{Person, Raw, fetch, upload};
use journeys::objects::Transcoder;
use journeys::stack::eventually_within;
use journeys::{Stack, fixtures};
use serde_json::{Value, json};

use crate::{ids, keys};

/// The members of `Media`, sorted.
const MEDIA: [&str; 13] = [
    "alt",
    "blurhash",
    "durationMs",
    "error",
    "height",
    "hlsUrl",
    "key",
    "kind",
    "posterUrl",
    "progress",
    "status",
    "url",
    "width",
];

/// How long a worker may take on a machine that others keep busy.
pub const WORK: Duration = Duration::from_secs(120);
/// A tick, and what it sets off.
const SWEEP: Duration = Duration::from_secs(10);

/// A stack with a worker, which these journeys share.
fn stack() -> &'static Stack {
    static STACK: OnceLock<(Stack, Transcoder)> = OnceLock::new();
    let started = || {
        let stack = Stack::start(&[]).unwrap_or_else(|error| panic!("{error:#}"));
        let worker = stack.start_transcoder(&[]).unwrap_or_else(|error| panic!("{error:#}"));
        (stack, worker)
    };
    &STACK.get_or_init(started).0
}

/// Uploads a file as `who`; its key.
#[track_caller]
pub fn upload_as(who: &Person, content_type: &str, bytes: &[u8]) -> String {
    let admitted =
        who.post("/upload-url", json!({ "contentType": content_type, "size": bytes.len() })).expect(201);
    upload(&admitted.body, bytes).unwrap().expect(200);
    admitted.body["key"].as_str().unwrap().to_owned()
}

/// Waits until a media of `who` is ready or has failed.
pub fn ended(who: &Person, key: &str) -> Value {
    let mut media = Value::Null;
    eventually_within(WORK, "it is ready or has failed", || {
        media = who.get(&format!("/media/{key}")).expect(200).body;
        matches!(media["status"].as_str(), Some("ready" | "failed"))
    });
    media
}

/// What lies at a link.
#[track_caller]
fn read(link: &Value) -> Raw {
    fetch("GET", link.as_str().unwrap_or_else(|| panic!("no link: {link}")), &[], b"").unwrap().expect(200)
}

/// Objects below the prefix of a media.
fn objects_of(stack: &Stack, who: &Person, key: &str) -> usize {
    let prefix = format!("{}/{key}/", who.id);
    stack.objects.keys().unwrap().iter().filter(|object| object.starts_with(&prefix)).count()
}

#[test]
fn a_video_from_a_phone_becomes_a_stream_and_its_post_comes_out_by_itself() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    bob.follow(&alice);
    let key = upload_as(&alice, "video/quicktime", &fixtures::phone_video(6).unwrap());
    let body = json!({ "text": "moving", "media": [{ "key": key, "alt": "a test" }] });
    let post = alice.post("/posts", body).expect(201).body;
    assert_eq!((&post["status"], &post["media"][0]["alt"]), (&json!("pending_media"), &json!("a test")));
    let id = post["id"].as_str().unwrap();
    bob.get(&format!("/posts/{id}")).expect(404);
    let media = ended(&alice, &key);
    assert_eq!((&media["status"], keys(&media)), (&json!("ready"), MEDIA.to_vec()), "{media}");
    assert_eq!((&media["width"], &media["height"]), (&json!(360), &json!(640)), "upright");
    assert!((5_500..=6_500).contains(&media["durationMs"].as_u64().unwrap()), "{media}");
    assert!(media["blurhash"].as_str().unwrap().len() > 6);
    eventually_within(SWEEP, "the post is out", || bob.get(&format!("/posts/{id}")).status == 200);
    assert!(ids(&bob.get("/feed")).contains(&id));
    let seen = bob.get(&format!("/posts/{id}")).body["media"][0].clone();
    assert_eq!((&seen["status"], &seen["alt"]), (&json!("ready"), &json!("a test")));
    // The MP4, the stream and each rendition of it decode from end to end.
    assert_eq!(fixtures::play(seen["url"].as_str().unwrap()).unwrap(), (360, 640));
    let master = seen["hlsUrl"].as_str().unwrap();
    let playlist = read(&seen["hlsUrl"]);
    assert_eq!(playlist.header("content-type"), "application/vnd.apple.mpegurl");
    let playlist = String::from_utf8(playlist.body).unwrap();
    let renditions: Vec<&str> = playlist.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(!renditions.is_empty(), "{playlist}");
    let folder = master.split("master.m3u8").next().unwrap();
    for rendition in renditions {
        let (width, height) = fixtures::play(&format!("{folder}{rendition}")).unwrap();
        assert!(width <= 360 && height <= 640 && height > width, "{width}x{height}");
    }
    fixtures::play(master).unwrap();
    let poster = read(&seen["posterUrl"]);
    assert_eq!((poster.header("content-type"), &poster.body[..3]), ("image/jpeg", &b"\xff\xd8\xff"[..]));
    // What was uploaded is never shown.
    let original = format!("{}/scooterbooter/{}/{key}/original", stack().objects.url, alice.id);
    fetch("GET", &original, &[], b"").unwrap().expect(403);
    alice.delete(&format!("/posts/{id}")).expect(204);
    eventually_within(SWEEP, "its objects are gone", || objects_of(stack(), &alice, &key) == 0);
    bob.get(&format!("/media/{key}")).expect(404);
    fetch("GET", master, &[], b"").unwrap().expect(404);
}

#[test]
fn a_photo_stands_upright_in_two_sizes_and_tells_no_place() {
    let alice = stack().person("alice");
    let photo = fixtures::photo_with_place().unwrap();
    assert!(photo.windows(6).any(|bytes| bytes == b"Exif\0\0"), "the fixture tells its place");
    let key = upload_as(&alice, "image/jpeg", &photo);
    let made = alice.post("/posts", json!({ "media": [{ "key": key }] })).expect(201).body;
    assert_eq!(made["status"], "published", "a photo is there at once: {made}");
    let media = &made["media"][0];
    assert_eq!((&media["width"], &media["height"]), (&json!(1440), &json!(1920)), "{media}");
    let shown = read(&media["url"]);
    assert_eq!(shown.header("content-type"), "image/jpeg");
    for word in [&b"Exif"[..], b"GPS"] {
        assert!(!shown.body.windows(word.len()).any(|bytes| bytes == word), "it still tells its place");
    }
    assert_eq!(fixtures::play(media["url"].as_str().unwrap()).unwrap(), (1200, 1600));
    assert_eq!(fixtures::play(media["posterUrl"].as_str().unwrap()).unwrap(), (300, 400));
    assert_eq!(objects_of(stack(), &alice, &key), 3, "the original and two sizes");
    let nobody = stack().person("bob");
    nobody.get(&format!("/media/{key}")).expect(200);
    alice.patch("/me", json!({ "private": true })).expect(200);
    nobody.get(&format!("/media/{key}")).expect_problem(404, "not_found");
}

#[test]
fn a_picture_of_oneself_replaces_the_one_before_everywhere() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    alice.post("/me/avatar", json!({ "key": "x" })).expect_problem(422, "media_not_found");
    let photo = fixtures::photo_with_place().unwrap();
    let set = || {
        let admitted = alice
            .post("/avatar-url", json!({ "contentType": "image/jpeg", "size": photo.len() }))
            .expect(201);
        let key = admitted.body["key"].as_str().unwrap().to_owned();
        alice.post("/me/avatar", json!({ "key": key })).expect_problem(422, "not_uploaded");
        upload(&admitted.body, &photo).unwrap().expect(200);
        bob.post("/me/avatar", json!({ "key": key })).expect_problem(422, "media_not_found");
        alice.post("/me/avatar", json!({ "key": key })).expect(200);
        let mut url = Value::Null;
        eventually_within(SWEEP, "it is shown", || {
            url = alice.get("/me").expect(200).body["avatarUrl"].clone();
            url.as_str().is_some_and(|url| url.contains(&key))
        });
        (key, url)
    };
    let (first, url) = set();
    assert_eq!(fixtures::play(url.as_str().unwrap()).unwrap(), (512, 512));
    assert_eq!(fixtures::play(&format!("{}?size=128", url.as_str().unwrap())).unwrap(), (128, 128));
    eventually_within(SWEEP, "everybody sees it", || {
        bob.get(&format!("/u/{}", alice.handle)).body["avatarUrl"] == url
    });
    let (second, _) = set();
    eventually_within(SWEEP, "the one before is gone", || objects_of(stack(), &alice, &first) == 0);
    assert!(objects_of(stack(), &alice, &second) > 0);
    fetch("GET", url.as_str().unwrap(), &[], b"").unwrap().expect(404);
}

#[test]
fn an_upload_that_stopped_goes_on_where_it_was() {
    let alice = stack().person("alice");
    let mut video = fixtures::video(4).unwrap();
    // A box that players pass over makes it as large as two parts.
    let padding = u32::try_from((9 << 20) - video.len()).unwrap();
    video.extend(padding.to_be_bytes());
    video.extend(b"free");
    video.resize(9 << 20, 0);
    let body = json!({ "contentType": "video/mp4", "size": video.len() });
    let begun = alice.post("/upload-url/multipart", body).expect(201).body;
    let (key, part) =
        (begun["key"].as_str().unwrap(), usize::try_from(begun["partSize"].as_u64().unwrap()).unwrap());
    fetch("PUT", begun["parts"][1]["url"].as_str().unwrap(), &[], &video[part..]).unwrap().expect(200);
    let there = alice.get(&format!("/media/{key}/parts")).expect(200).body;
    assert_eq!((&there["received"][0]["number"], &there["missing"][0]["number"]), (&json!(2), &json!(1)));
    let put =
        fetch("PUT", there["missing"][0]["url"].as_str().unwrap(), &[], &video[..part]).unwrap().expect(200);
    let parts = json!([{ "number": 1, "etag": put.header("etag") }, { "number": 2, "etag": there["received"][0]["etag"] }]);
    let media = alice.post(&format!("/media/{key}/complete"), json!({ "parts": parts })).expect(200).body;
    assert_eq!(media["status"], "uploaded");
    alice.post("/process-video", json!({ "key": key })).expect(202);
    let media = ended(&alice, key);
    assert_eq!(
        fixtures::play(media["url"].as_str().unwrap_or_else(|| panic!("{media}"))).unwrap(),
        (320, 240)
    );
}

#[test]
fn what_is_no_video_fails_by_name_and_the_worker_goes_on() {
    let alice = stack().person("alice");
    let good = fixtures::video(4).unwrap();
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "a secret of the worker's machine").unwrap();
    let playlist = format!("#EXTM3U\n#EXTINF:1,\nfile://{}\n#EXT-X-ENDLIST\n", secret.path().display());
    let concat = format!("ffconcat version 1.0\nfile {}\n", secret.path().display());
    // The same behind the first bytes of an MP4, which is as far as the service looks.
    let disguised = [&b"\0\0\0\x10ftypisom\0\0\x02\0"[..], playlist.as_bytes()].concat();
    for (bytes, code) in [
        (playlist.as_bytes(), "type_mismatch"),
        (concat.as_bytes(), "type_mismatch"),
        (&disguised[..], "not_a_video"),
        (&good[..good.len() / 2], "truncated"),
    ] {
        let key = upload_as(&alice, "video/mp4", bytes);
        alice.get(&format!("/media/{key}")).expect(200);
        alice.post("/process-video", json!({ "key": key })).expect(202);
        let media = ended(&alice, &key);
        assert_eq!(media["error"]["code"], code, "{media}");
        let detail = media["error"]["detail"].as_str().unwrap();
        assert!(!detail.is_empty() && !detail.contains('/') && !detail.contains("secret"), "{detail}");
    }
    let key = upload_as(&alice, "video/mp4", &good);
    alice.post("/process-video", json!({ "key": key })).expect(202);
    assert_eq!(ended(&alice, &key)["status"], "ready");
}

#[test]
fn who_leaves_takes_their_photos_along() {
    let alice = stack().person("alice");
    let key = upload_as(&alice, "image/jpeg", &fixtures::photo_with_place().unwrap());
    let post = alice.post("/posts", json!({ "media": [{ "key": key }] })).expect(201).body;
    let link = post["media"][0]["url"].clone();
    read(&link);
    let answer = alice.delete("/me").expect(202);
    let receipt = format!("/me/deletion/{}", answer.body["deletionId"].as_str().unwrap());
    let nobody = stack().anonymous();
    eventually_within(SWEEP, "the receipt is complete", || nobody.get(&receipt).body["status"] == "done");
    assert_eq!(objects_of(stack(), &alice, &key), 0, "done is done");
    fetch("GET", link.as_str().unwrap(), &[], b"").unwrap().expect(404);
}
