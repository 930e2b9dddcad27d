//! Posts that show something. What `media` answers to a claim is said by each test; what it tells later is heard as events.

use serde_json::{Value, json};
use shared::ids::Id;

use crate::{Posts, start};

/// The template of an image that is `status`, as `media` tells of it.
fn template(key: Id, status: &str) -> Value {
    let url = (status == "ready").then(|| format!("@o/{key}/1/large.jpg"));
    json!({ "key": key, "kind": "image", "status": status, "progress": 0, "error": null, "url": url, "hlsUrl": null,
        "posterUrl": null, "width": 40, "height": 30, "durationMs": null, "blurhash": "LEHV6nWB2yk8" })
}

/// From now on every upload that is claimed is `status`.
fn claims_are(posts: &Posts, status: &'static str) {
    let answer = async move |body: String| {
        let body: Value = serde_json::from_str(&body).unwrap();
        let item = |key: &Value| {
            let key = Id::parse(key.as_str().unwrap()).unwrap();
            json!({ "key": key, "status": status, "media": template(key, status), "avatarUrl": null })
        };
        json!({ "items": body["keys"].as_array().unwrap().iter().map(item).collect::<Vec<_>>() }).to_string()
    };
    let routes = axum::Router::new().route("/internal/claims", axum::routing::post(answer));
    posts.world.platform.mesh.lock().unwrap().insert("media.spin.internal".to_owned(), routes);
}

async fn hear(posts: &Posts, kind: &str, key: Id) {
    let status = kind.strip_prefix("media.").unwrap();
    let mut body = json!({ "key": key, "ownerId": posts.ids[0] });
    if status != "deleted" {
        body["media"] = template(key, status);
        body["avatarUrl"] = Value::Null;
    }
    posts.world.hear("posts", "media", &[(kind, "k", body)]).await;
}

async fn write(posts: &Posts, text: &str, keys: &[Id]) -> Value {
    let media: Vec<Value> =
        keys.iter().map(|key| json!({ "key": key, "alt": format!("alt of {key}") })).collect();
    let made = posts.post("/posts", &posts.alice, json!({ "text": text, "media": media })).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.body
}

/// Makes a post that waits for its media and comes out; its id.
pub async fn write_and_publish(posts: &Posts) -> String {
    claims_are(posts, "processing");
    let key = posts.world.id();
    let made = write(posts, "a", &[key]).await;
    hear(posts, "media.ready", key).await;
    made["id"].as_str().unwrap().to_owned()
}

async fn read(posts: &Posts, post: &Value, token: &str) -> Option<Value> {
    let answer = posts.get(&format!("/posts/{}", post["id"].as_str().unwrap()), token).await;
    (answer.status == 200).then_some(answer.body)
}

#[tokio::test]
async fn a_post_with_ready_pictures_is_out_at_once_with_links_and_alt_texts() {
    let posts = start().await;
    claims_are(&posts, "ready");
    let keys = [posts.world.id(), posts.world.id()];
    let made = write(&posts, "", &keys).await;
    assert_eq!((&made["status"], &made["text"]), (&json!("published"), &json!("")));
    let shown = read(&posts, &made, &posts.bob).await.unwrap();
    assert_eq!(shown, made);
    for (index, key) in keys.iter().enumerate() {
        assert_eq!(shown["media"][index]["key"], json!(key));
        assert_eq!(shown["media"][index]["alt"], format!("alt of {key}"));
        // No store is configured here, so there is no link, and no template either.
        assert_eq!(shown["media"][index]["url"], Value::Null);
    }
    let attached = &posts.told("attachment.created").await[0];
    assert_eq!((&attached["media"], &attached["published"]), (&json!(keys), &json!(true)));
    assert_eq!(posts.told("post.published").await.len(), 1);
}

#[tokio::test]
async fn a_post_waits_for_its_media_and_comes_out_by_itself() {
    let posts = start().await;
    posts.tie("follow.created", 1, 0).await;
    claims_are(&posts, "processing");
    let keys = [posts.world.id(), posts.world.id()];
    let made = write(&posts, "a", &keys).await;
    assert_eq!(made["status"], "pending_media");
    assert!(read(&posts, &made, &posts.bob).await.is_none());
    hear(&posts, "media.ready", keys[0]).await;
    assert_eq!(read(&posts, &made, &posts.alice).await.unwrap()["media"][0]["status"], "ready");
    assert!(read(&posts, &made, &posts.bob).await.is_none(), "one is missing");
    assert!(posts.told("post.published").await.is_empty());
    hear(&posts, "media.ready", keys[1]).await;
    hear(&posts, "media.ready", keys[1]).await;
    assert_eq!(read(&posts, &made, &posts.bob).await.unwrap()["status"], "published");
    assert_eq!(posts.texts("/feed", &posts.bob).await, ["a"]);
    assert_eq!(posts.told("post.published").await.len(), 1);
}

#[tokio::test]
async fn what_was_ready_before_the_post_was_written_does_not_hold_it_up() {
    let posts = start().await;
    let key = posts.world.id();
    hear(&posts, "media.ready", key).await;
    // The claim was answered a moment before that.
    claims_are(&posts, "processing");
    let made = write(&posts, "a", &[key]).await;
    let shown = read(&posts, &made, &posts.bob).await.unwrap();
    assert_eq!((&shown["status"], &shown["media"][0]["status"]), (&json!("published"), &json!("ready")));
    let order = posts.one("select json_group_array(type) from outbox where type like 'attachment.%'").await;
    assert_eq!(order, r#"["attachment.created","attachment.published"]"#);
    assert_eq!(posts.told("post.published").await.len(), 1);
}

#[tokio::test]
async fn a_media_that_failed_tells_its_author_why() {
    let posts = start().await;
    claims_are(&posts, "queued");
    let key = posts.world.id();
    let made = write(&posts, "a", &[key]).await;
    let mut failed = template(key, "failed");
    failed["error"] = json!({ "code": "truncated", "detail": "It ends in its middle." });
    let body = json!({ "key": key, "ownerId": posts.ids[0], "media": failed, "avatarUrl": null });
    posts.world.hear("posts", "media", &[("media.failed", "k", body)]).await;
    let shown = read(&posts, &made, &posts.alice).await.unwrap();
    assert_eq!(shown["status"], "pending_media");
    assert_eq!(shown["media"][0]["error"]["code"], "truncated");
    assert!(read(&posts, &made, &posts.bob).await.is_none());
    // Without it the post is as it should be.
    hear(&posts, "media.deleted", key).await;
    let shown = read(&posts, &made, &posts.bob).await.unwrap();
    assert_eq!((&shown["status"], &shown["media"]), (&json!("published"), &json!([])));
}

#[tokio::test]
async fn a_post_that_showed_nothing_else_goes_with_its_last_media() {
    let posts = start().await;
    claims_are(&posts, "ready");
    let keys = [posts.world.id(), posts.world.id()];
    let (silent, telling) = (write(&posts, "", &keys).await, write(&posts, "a", &keys[..1]).await);
    hear(&posts, "media.deleted", keys[0]).await;
    assert_eq!(read(&posts, &silent, &posts.bob).await.unwrap()["media"].as_array().unwrap().len(), 1);
    assert_eq!(read(&posts, &telling, &posts.bob).await.unwrap()["media"], json!([]));
    hear(&posts, "media.deleted", keys[1]).await;
    assert!(read(&posts, &silent, &posts.alice).await.is_none());
    assert_eq!(posts.told("post.deleted").await.len(), 1);
    assert!(read(&posts, &telling, &posts.alice).await.is_some());
    // One that is written with what was deleted meanwhile does not show it.
    assert_eq!(write(&posts, "late", &keys[..1]).await["status"], "published");
    assert_eq!(posts.get("/feed", &posts.alice).await.body["items"][0]["media"], json!([]));
}

#[tokio::test]
async fn a_post_that_shows_something_may_lose_its_words() {
    let posts = start().await;
    claims_are(&posts, "ready");
    let made = write(&posts, "a", &[posts.world.id()]).await;
    let plain = posts.write(&posts.alice, "b").await;
    let edit = async |id: &str| {
        posts.world.patch("posts", &format!("/posts/{id}"), &posts.alice, json!({ "text": " " })).await
    };
    let edited = edit(made["id"].as_str().unwrap()).await;
    assert_eq!((edited.status, &edited.body["text"]), (200, &json!("")));
    assert_eq!(edited.body["media"].as_array().unwrap().len(), 1);
    let refused = edit(&plain).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!("text")));
}

#[tokio::test]
async fn what_media_refuses_is_refused_with_its_field() {
    let posts = start().await;
    let refusal = async || {
        let error =
            shared::error::ApiError::unprocessable("media_not_found", "There is no such upload of yours.");
        let problem = error.field("media[0].key", "is not an upload of yours").problem("r");
        let kind = [("content-type", "application/problem+json")];
        (http::StatusCode::UNPROCESSABLE_ENTITY, kind, serde_json::to_string(&problem).unwrap())
    };
    let routes = axum::Router::new().route("/internal/claims", axum::routing::post(refusal));
    posts.world.platform.mesh.lock().unwrap().insert("media.spin.internal".to_owned(), routes);
    let body = json!({ "text": "a", "media": [{ "key": posts.world.id() }] });
    let answer = posts.post("/posts", &posts.alice, body.clone()).await;
    assert_eq!((answer.status, &answer.body["code"]), (422, &json!("media_not_found")));
    assert_eq!(answer.body["errors"][0]["field"], "media[0].key");
    posts.world.stop("media");
    assert_eq!(posts.post("/posts", &posts.alice, body).await.status, 503);
    assert_eq!(posts.one("select cast(count(*) as text) from posts").await, "0");
}

#[tokio::test]
async fn a_text_is_never_taken_for_a_template() {
    let posts = start().await;
    let text = r#""url":"@o/k/original" @bob rl":"@x"#;
    let id = posts.write(&posts.alice, text).await;
    let shown = posts.get(&format!("/posts/{id}"), &posts.bob).await;
    assert_eq!(shown.body["text"], text);
}
