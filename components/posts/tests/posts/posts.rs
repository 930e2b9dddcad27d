//! `/posts`.

use http::Method;
use serde_json::{Value, json};

use crate::{keys, start};

const POST: [&str; 13] = [
    "author",
    "counts",
    "createdAt",
    "editedAt",
    "hashtags",
    "id",
    "media",
    "mentions",
    "myReactions",
    "reactions",
    "status",
    "text",
    "visibility",
];

#[tokio::test]
async fn a_post_has_exactly_the_members_of_the_contract() {
    let posts = start().await;
    let body = json!({ "text": " Hi @Bob, @nobody and @bob #Rust #été ", "media": [], "id": "x", "author": "x", "counts": { "views": 9 }, "status": "x" });
    let made = posts.post("/posts", &posts.alice, body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(made.headers["location"], format!("/posts/{id}"));
    assert_eq!(keys(&made.body), POST);
    assert_eq!(
        keys(&made.body["author"]),
        ["avatarUrl", "bio", "createdAt", "displayName", "handle", "id", "private"]
    );
    let expected = json!({
        "id": id, "author": made.body["author"], "text": "Hi @Bob, @nobody and @bob #Rust #été", "media": [],
        "visibility": "public", "createdAt": made.body["createdAt"], "editedAt": null, "status": "published",
        "counts": { "comments": 0, "reactions": 0, "views": 0 }, "reactions": {}, "myReactions": [],
        "mentions": [{ "handle": "bob", "userId": posts.ids[1] }], "hashtags": ["rust", "été"],
    });
    assert_eq!(made.body, expected);
    let found = posts.get(&format!("/posts/{id}"), &posts.carla).await;
    assert_eq!((found.status, &found.body), (200, &made.body));
    let tag = found.headers["etag"].to_str().unwrap();
    let path = format!("/posts/{id}");
    let known = [("if-none-match", tag)];
    let again = posts.world.call("posts", Method::GET, &path, &posts.carla, &known, Value::Null).await;
    assert_eq!(again.status, 304);
}
