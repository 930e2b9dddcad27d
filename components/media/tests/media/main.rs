//! The service over a real SQLite and a real S3 server, called as clients, workers and other services call it.

// Helpers of tests fail loudly, and their names say what they do.
#![allow(missing_docs, clippy::unwrap_used)]

mod events;
mod multipart;
mod privacy;
mod routes;
mod scoops;
mod streams;
mod sweeps;
mod uploads;
mod workers;

use axum::extract::Request;
use bytes::Bytes;
use http::Method;
use objects::Objects;
use serde_json::{Value, json};
use shared::ids::Id;
use shared::params;
use shared::testing::{Answer, INTERNAL_TOKEN, WORKER_TOKEN, World, folder};

const STORE: &str = "127.0.0.1:9000";

/// A picture as far as its first bytes go.
pub const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF and so on";
/// A video, likewise.
pub const MP4: &[u8] = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41 and so on";

/// The service, an object store beside it, and alice, bob and carla, who can all call it.
pub struct Media {
    pub world: World,
    pub objects: Objects,
    pub ids: Vec<Id>,
    pub alice: String,
    pub bob: String,
    pub carla: String,
}

pub async fn start() -> Media {
    let variables = [
        ("s3_endpoint", "http://127.0.0.1:9000"),
        ("s3_bucket", "scooterbooter"),
        ("s3_access_key_id", "test-id"),
        ("s3_secret_access_key", "test-secret"),
    ];
    let world = World::start(&[&::media::SERVICE], &variables).await;
    let objects = Objects::open(&folder("media-objects"), "scooterbooter", "test-id", "test-secret").unwrap();
    let ids = world.people("media", &["alice", "bob", "carla"]).await;
    let (alice, bob, carla) = (world.token(ids[0]), world.token(ids[1]), world.token(ids[2]));
    let media = Media { world, objects, ids, alice, bob, carla };
    media.connect_store();
    media
}

impl Media {
    pub fn connect_store(&self) {
        let objects = self.objects.clone();
        let answer = async move |request: Request| {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            objects.answer(Request::from_parts(parts, body)).await.map(axum::body::Body::from)
        };
        let routes = axum::Router::new().fallback(answer);
        self.world.platform.mesh.lock().unwrap().insert(STORE.to_owned(), routes);
    }

    /// From now on the store does not answer.
    pub fn disconnect_store(&self) {
        self.world.platform.mesh.lock().unwrap().remove(STORE);
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.world.get("media", path, token).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.world.post("media", path, token, body).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> u16 {
        self.world.delete("media", path, token).await.status
    }

    pub async fn worker(&self, path: &str, body: Value) -> Answer {
        self.post(&format!("/worker/{path}"), WORKER_TOKEN, body).await
    }

    /// One request to the store.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> http::Response<Bytes> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.objects.answer(request.body(Bytes::copy_from_slice(body)).unwrap()).await
    }

    /// Puts `body` where the answer of an `/upload-url` says; the store's status.
    pub async fn put(&self, admitted: &Answer, body: &[u8]) -> u16 {
        let headers = admitted.body["headers"].as_object().unwrap();
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        self.send(Method::PUT, admitted.body["url"].as_str().unwrap(), &headers, body).await.status().as_u16()
    }

    /// Uploads a file; its key.
    pub async fn upload(&self, token: &str, content_type: &str, body: &[u8]) -> String {
        let path = if content_type == "image/avatar" { "/avatar-url" } else { "/upload-url" };
        let content_type = if content_type == "image/avatar" { "image/jpeg" } else { content_type };
        let admitted =
            self.post(path, token, json!({ "contentType": content_type, "size": body.len() })).await;
        assert_eq!(admitted.status, 201, "{admitted:?}");
        assert_eq!(self.put(&admitted, body).await, 200);
        admitted.body["key"].as_str().unwrap().to_owned()
    }

    pub async fn media(&self, key: &str, token: &str) -> Value {
        let answer = self.get(&format!("/media/{key}"), token).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Uploads a picture that waits for a worker.
    pub async fn queued_image(&self, token: &str) -> String {
        let key = self.upload(token, "image/jpeg", JPEG).await;
        assert_eq!(self.media(&key, token).await["status"], "queued");
        key
    }

    /// Uploads a video that waits for a worker.
    pub async fn queued_video(&self, token: &str) -> String {
        let key = self.upload(token, "video/mp4", MP4).await;
        let answer = self.post("/process-video", token, json!({ "key": key })).await;
        assert_eq!((answer.status, &answer.body["status"]), (202, &json!("queued")), "{answer:?}");
        key
    }

    /// The next job, or null.
    pub async fn lease(&self) -> Value {
        let answer = self.worker("lease", json!({ "worker": "w" })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["job"].clone()
    }

    /// Puts what a worker makes of an image or a video; the result it tells.
    pub async fn make(&self, job: &Value) -> Value {
        let files: &[&str] = match job["kind"].as_str().unwrap() {
            "image" => &["large.jpg", "small.jpg"],
            _ => &["v360.mp4", "video.mp4", "poster.jpg"],
        };
        for file in files {
            let url = job["upload"]["urls"][file].as_str().unwrap();
            let put = self.send(Method::PUT, url, &[("content-type", "x/y")], file.as_bytes()).await;
            assert_eq!(put.status(), 200);
        }
        if job["kind"] == "image" {
            return json!({ "width": 40, "height": 30, "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj", "variants": [
                { "name": "large", "file": "large.jpg", "width": 40, "height": 30 },
                { "name": "small", "file": "small.jpg", "width": 40, "height": 30 }] });
        }
        json!({ "width": 640, "height": 360, "durationMs": 8500, "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
            "poster": "poster.jpg", "mp4": "video.mp4", "audio": null, "renditions": [{ "file": "v360.mp4", "width": 640,
            "height": 360, "frameRate": 30.0, "codecs": "avc1.64001f", "bandwidth": 1000, "averageBandwidth": 900,
            "init": 3, "segments": [[6.0, 4], [2.5, 1]] }] })
    }

    pub async fn complete(&self, job: &Value) -> Answer {
        let result = self.make(job).await;
        self.tell(job, "complete", json!({ "fence": job["fence"], "result": result })).await
    }

    pub async fn tell(&self, job: &Value, what: &str, body: Value) -> Answer {
        self.worker(&format!("jobs/{}/{what}", job["id"].as_str().unwrap()), body).await
    }

    /// Leases the one job there is and completes it.
    pub async fn work(&self) {
        let job = self.lease().await;
        assert_eq!(self.complete(&job).await.status, 204);
    }

    /// Everything in the store.
    pub fn stored(&self, prefix: &str) -> impl Future<Output = Vec<String>> {
        let objects = shared::objects::Objects::from_config(&self.world.app("media").config).unwrap();
        let prefix = prefix.to_owned();
        let store = self.objects.clone();
        async move {
            let mut action = objects.bucket().list_objects_v2(Some(objects.credentials()));
            action.with_prefix(prefix);
            let url = objects.sign(&action, shared::objects::LINK_TIME);
            let request = Request::builder().uri(url.as_str()).body(Bytes::new()).unwrap();
            let answer = store.answer(request).await;
            let said = std::str::from_utf8(answer.body()).unwrap().to_owned();
            let listed = rusty_s3::actions::ListObjectsV2::parse_response(&said).unwrap();
            listed.contents.into_iter().map(|object| object.key).collect()
        }
    }

    pub async fn tick(&self) {
        let answer = self.post("/internal/tick", INTERNAL_TOKEN, json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    pub async fn hear(&self, source: &str, kind: &str, body: Value) {
        self.world.hear("media", source, &[(kind, "k", body)]).await;
    }

    /// A post of alice's that shows `key`.
    pub async fn post_with(&self, post: &str, key: &str, visibility: &str) {
        let created = json!({ "postId": post, "authorId": self.ids[0], "visibility": visibility, "published": true,
            "media": [key] });
        self.hear("posts", "attachment.created", created).await;
    }

    /// The events told so far, oldest first: type and body.
    pub async fn told(&self) -> Vec<(String, Value)> {
        let app = self.world.app("media");
        let rows = app.db.rows("select type, body from outbox order by seq", params![]).await.unwrap();
        let text = |value: &shared::db::Value| value.as_text().unwrap_or_default().to_owned();
        rows.iter().map(|row| (text(&row[0]), serde_json::from_str(&text(&row[1])).unwrap())).collect()
    }

    pub async fn sql(&self, sql: &str) {
        self.world.app("media").db.rows(sql, params![]).await.unwrap();
    }
}
