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

#[tokio::test]
async fn a_body_that_will_not_do_is_refused_with_its_field() {
    let posts = start().await;
    let media = json!({ "key": "k", "alt": null });
    for (body, code, field) in [
        (json!({}), "invalid", "text"),
        (json!({ "text": "  " }), "invalid", "text"),
        (json!({ "text": null, "media": [] }), "invalid", "text"),
        (json!({ "text": "x".repeat(501) }), "invalid", "text"),
        (json!({ "text": "a\u{0}b" }), "invalid", "text"),
        (json!({ "text": 5 }), "invalid", "text"),
        (json!({ "text": "a", "visibility": "friends" }), "invalid", "visibility"),
        (json!({ "text": "a", "media": "x" }), "invalid", "media"),
        (json!({ "text": "a", "media": [media, media] }), "invalid", "media[1].key"),
    ] {
        let answer = posts.post("/posts", &posts.alice, body.clone()).await;
        assert_eq!((answer.status, &answer.body["code"]), (422, &json!(code)), "{body}");
        assert_eq!(answer.body["errors"][0]["field"], field, "{body}");
    }
    assert_eq!(posts.one("select cast(count(*) as text) from posts").await, "0");
}

#[tokio::test]
async fn every_route_but_a_persons_posts_needs_a_token() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a").await;
    for path in
        ["/feed", &format!("/posts/{id}"), &format!("/comments/{id}"), &format!("/reactions/{id}"), "/tags/a"]
    {
        assert_eq!(posts.get(path, "").await.status, 401, "{path}");
        assert_eq!(posts.get(path, "nonsense").await.status, 401, "{path}");
    }
    assert_eq!(posts.post("/posts", "", json!({ "text": "a" })).await.status, 401);
    assert_eq!(posts.get("/u/alice/posts", "").await.status, 401);
    assert_eq!(posts.get("/u/alice/posts", "nonsense").await.status, 401);
}

#[tokio::test]
async fn the_suspended_get_403_and_what_they_wrote_is_gone_for_others() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a #t").await;
    posts.change("user.suspended", 0, json!({ "status": "suspended" })).await;
    for path in ["/feed", &format!("/posts/{id}"), "/tags/t"] {
        let answer = posts.get(path, &posts.alice).await;
        assert_eq!((answer.status, &answer.body["code"]), (403, &json!("account_suspended")), "{path}");
    }
    for (method, path) in [
        (Method::POST, "/posts"),
        (Method::PATCH, &format!("/posts/{id}")),
        (Method::DELETE, &format!("/posts/{id}")),
        (Method::POST, &format!("/posts/{id}/view")),
        (Method::GET, &format!("/comments/{id}")),
        (Method::POST, &format!("/comments/{id}")),
        (Method::DELETE, &format!("/comments/{id}/{id}")),
        (Method::GET, &format!("/reactions/{id}")),
        (Method::POST, &format!("/reactions/{id}")),
        (Method::GET, "/u/bob/posts"),
    ] {
        let body = json!({ "text": "a", "type": "like" });
        let answer = posts.world.call("posts", method, path, &posts.alice, &[], body).await;
        assert_eq!((answer.status, &answer.body["code"]), (403, &json!("account_suspended")), "{path}");
    }
    assert_eq!(posts.get(&format!("/posts/{id}"), &posts.bob).await.status, 404);
    assert_eq!(posts.get("/u/alice/posts", &posts.bob).await.status, 404);
    assert!(posts.texts("/tags/t", &posts.bob).await.is_empty());
}

#[tokio::test]
async fn editing_names_anew_and_says_when() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "@bob #old").await;
    let path = format!("/posts/{id}");
    let body = json!({ "text": "@carla #new", "visibility": "followers", "author": "x" });
    let edited = posts.world.patch("posts", &path, &posts.alice, body).await;
    assert_eq!(edited.status, 200, "{edited:?}");
    assert_eq!(keys(&edited.body), POST);
    assert_eq!(edited.body["mentions"][0]["handle"], "carla");
    assert_eq!((&edited.body["hashtags"], &edited.body["visibility"]), (&json!(["new"]), &json!("public")));
    assert!(edited.body["editedAt"].is_string());
    assert!(posts.texts("/tags/old", &posts.bob).await.is_empty());
    assert_eq!(posts.texts("/tags/NEW", &posts.bob).await, ["@carla #new"]);
    let again = posts.world.patch("posts", &path, &posts.alice, json!({ "text": "@carla #new" })).await;
    assert_eq!(again.body, edited.body, "the same text is no edit");
    assert_eq!(posts.told("post.updated").await.len(), 1);
    let empty = posts.world.patch("posts", &path, &posts.alice, json!({ "text": "" })).await;
    assert_eq!(empty.status, 422);
}

#[tokio::test]
async fn changing_someone_elses_post_answers_403_where_it_is_seen_and_404_where_it_is_not() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a").await;
    let path = format!("/posts/{id}");
    let text = || json!({ "text": "b" });
    let patched = posts.world.patch("posts", &path, &posts.bob, text()).await;
    assert_eq!((patched.status, &patched.body["code"]), (403, &json!("not_author")));
    assert_eq!(posts.world.patch("posts", &path, &posts.bob, json!({ "text": "" })).await.status, 403);
    assert_eq!(posts.delete(&path, &posts.bob).await, 403);
    posts.tie("block.created", 0, 1).await;
    assert_eq!(posts.world.patch("posts", &path, &posts.bob, text()).await.status, 404);
    assert_eq!(posts.world.patch("posts", &path, &posts.bob, json!({ "text": "" })).await.status, 404);
    assert_eq!(posts.delete(&path, &posts.bob).await, 404);
    assert_eq!(posts.delete(&format!("/posts/{}", posts.world.id()), &posts.bob).await, 404);
    assert_eq!(posts.delete("/posts/x", &posts.bob).await, 404);
    assert_eq!(posts.delete(&path, &posts.alice).await, 204);
    assert_eq!(posts.delete(&path, &posts.alice).await, 404);
    assert_eq!(posts.get(&path, &posts.alice).await.status, 404);
}

#[tokio::test]
async fn a_post_for_followers_is_seen_by_followers_alone() {
    let posts = start().await;
    posts.tie("follow.created", 1, 0).await;
    let made = posts.post("/posts", &posts.alice, json!({ "text": "a #t", "visibility": "followers" })).await;
    let path = format!("/posts/{}", made.body["id"].as_str().unwrap());
    assert_eq!(made.body["visibility"], "followers");
    for (token, status, listed) in [(&posts.alice, 200, 1), (&posts.bob, 200, 1), (&posts.carla, 404, 0)] {
        assert_eq!(posts.get(&path, token).await.status, status);
        assert_eq!(posts.texts("/u/alice/posts", token).await.len(), listed);
        assert!(posts.texts("/tags/t", token).await.is_empty(), "tags are of public posts");
    }
    assert_eq!(posts.texts("/feed", &posts.bob).await, ["a #t"]);
}

#[tokio::test]
async fn going_private_covers_what_was_posted_before() {
    let posts = start().await;
    posts.tie("follow.created", 1, 0).await;
    let id = posts.write(&posts.alice, "a #t").await;
    posts.change("user.updated", 0, json!({ "private": 1 })).await;
    for path in [format!("/posts/{id}"), format!("/comments/{id}"), format!("/reactions/{id}")] {
        assert_eq!(posts.get(&path, &posts.bob).await.status, 200, "{path}");
        assert_eq!(posts.get(&path, &posts.carla).await.status, 404, "{path}");
    }
    let refused = posts.get("/u/alice/posts", &posts.carla).await;
    assert_eq!((refused.status, &refused.body["code"]), (403, &json!("private_account")));
    assert_eq!(posts.texts("/u/alice/posts", &posts.bob).await, ["a #t"]);
    assert_eq!(posts.texts("/u/alice/posts", &posts.alice).await, ["a #t"]);
    assert!(posts.texts("/tags/t", &posts.carla).await.is_empty());
    assert_eq!(posts.texts("/tags/t", &posts.bob).await, ["a #t"]);
}

#[tokio::test]
async fn a_block_hides_both_ways_and_a_mute_only_from_lists() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a #t").await;
    posts.tie("mute.created", 1, 0).await;
    assert_eq!(posts.get(&format!("/posts/{id}"), &posts.bob).await.status, 200);
    assert_eq!(posts.texts("/u/alice/posts", &posts.bob).await, ["a #t"]);
    assert!(posts.texts("/tags/t", &posts.bob).await.is_empty());
    posts.tie("block.created", 2, 0).await;
    assert_eq!(posts.get(&format!("/posts/{id}"), &posts.carla).await.status, 404);
    // Who blocked still finds the profile, but no list of it, as who is blocked.
    assert_eq!(posts.get("/u/alice/posts", &posts.carla).await.status, 404);
    posts.tie("block.created", 0, 1).await;
    assert_eq!(posts.get("/u/alice/posts", &posts.bob).await.status, 404);
}

#[tokio::test]
async fn unknown_handles_are_404_and_a_held_one_leads_on() {
    let posts = start().await;
    for handle in ["x", "no-handle", "%F0%9F%98%80"] {
        assert_eq!(posts.get(&format!("/u/{handle}/posts"), &posts.bob).await.status, 404, "{handle}");
    }
    let held = json!({ "id": posts.ids[0], "handle": "alice" }).to_string();
    let users = axum::Router::new()
        .route("/internal/handles/old_alice", axum::routing::get(async move || held))
        .fallback(async || {
            let problem = json!({ "type": "", "title": "", "status": 404, "detail": "", "code": "not_found", "requestId": "" });
            (http::StatusCode::NOT_FOUND, problem.to_string())
        });
    posts.world.platform.mesh.lock().unwrap().insert("users.spin.internal".to_owned(), users);
    assert_eq!(posts.get("/u/nobody/posts", &posts.bob).await.status, 404);
    let moved = posts.get("/u/old_alice/posts?limit=5", &posts.bob).await;
    assert_eq!(moved.status, 308, "{moved:?}");
    assert_eq!(moved.headers["location"], "/u/alice/posts?limit=5");
    assert_eq!(posts.get("/u/ALICE/posts", &posts.bob).await.status, 200);
    posts.tie("block.created", 0, 1).await;
    assert_eq!(posts.get("/u/old_alice/posts", &posts.bob).await.status, 404, "to whom alice blocks");
}

#[tokio::test]
async fn a_view_counts_once_in_24_hours_and_never_the_authors() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a").await;
    let path = format!("/posts/{id}/view");
    for token in [&posts.bob, &posts.bob, &posts.alice, &posts.carla] {
        assert_eq!(posts.post(&path, token, json!(null)).await.status, 204);
    }
    let views = async || posts.get(&format!("/posts/{id}"), &posts.bob).await.body["counts"]["views"].clone();
    assert_eq!(views().await, 2);
    let db = &posts.world.app("posts").db;
    db.rows("update views set at = '2020-01-01T00:00:00.000Z' where person = 2", vec![]).await.unwrap();
    // The move of the clock above counted as a view itself.
    db.rows("update posts set views = 2", vec![]).await.unwrap();
    assert_eq!(posts.post(&path, &posts.bob, json!(null)).await.status, 204);
    assert_eq!(views().await, 3);
    db.rows("update views set at = '2020-01-01T00:00:00.000Z' where person = 2", vec![]).await.unwrap();
    let ticked = posts.post("/internal/tick", shared::testing::INTERNAL_TOKEN, json!({})).await;
    assert_eq!(ticked.status, 200);
    assert_eq!(posts.one("select json_group_array(person) from views").await, "[3]");
    posts.tie("block.created", 0, 1).await;
    assert_eq!(posts.post(&path, &posts.bob, json!(null)).await.status, 404);
}

#[tokio::test]
async fn a_post_that_waits_for_its_media_is_its_authors_alone() {
    let posts = start().await;
    posts.tie("follow.created", 1, 0).await;
    let id = posts.write(&posts.alice, "a").await;
    let db = &posts.world.app("posts").db;
    db.rows("delete from author_latest", vec![]).await.unwrap();
    db.rows("update posts set status = 'pending_media'", vec![]).await.unwrap();
    assert_eq!(posts.get(&format!("/posts/{id}"), &posts.alice).await.body["status"], "pending_media");
    assert_eq!(posts.texts("/feed", &posts.alice).await, ["a"]);
    assert_eq!(posts.get(&format!("/posts/{id}"), &posts.bob).await.status, 404);
    assert!(posts.texts("/feed", &posts.bob).await.is_empty());
    assert!(posts.texts("/u/alice/posts", &posts.bob).await.is_empty());
    let interactions = [
        (format!("/comments/{id}"), json!({ "text": "a" })),
        (format!("/reactions/{id}"), json!({ "type": "like" })),
        (format!("/posts/{id}/view"), json!(null)),
    ];
    for (path, body) in interactions {
        assert_eq!(posts.post(&path, &posts.bob, body).await.status, 404, "{path}");
    }
    db.rows("update posts set status = 'published'", vec![]).await.unwrap();
    assert_eq!(posts.texts("/feed", &posts.bob).await, ["a"]);
    assert_eq!(posts.told("post.published").await.len(), 2);
}

#[tokio::test]
async fn a_post_sent_again_under_its_key_is_one_post() {
    let posts = start().await;
    let key = [("idempotency-key", "k")];
    let send = async || {
        let body = json!({ "text": "a @bob" });
        posts.world.call("posts", Method::POST, "/posts", &posts.alice, &key, body).await
    };
    let (first, again) = (send().await, send().await);
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.headers["location"], first.headers["location"]);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(posts.texts("/feed", &posts.alice).await, ["a @bob"]);
}

#[tokio::test]
async fn people_in_a_block_are_not_named() {
    let posts = start().await;
    posts.tie("block.created", 1, 0).await;
    let made = posts.post("/posts", &posts.alice, json!({ "text": "@bob @carla" })).await;
    assert_eq!(made.body["mentions"], json!([{ "handle": "carla", "userId": posts.ids[2] }]));
}

#[tokio::test]
async fn a_post_names_nobody_to_whom_they_block_or_who_blocks_them() {
    let posts = start().await;
    let made = posts.post("/posts", &posts.alice, json!({ "text": "@bob @carla #t" })).await;
    let path = format!("/posts/{}", made.body["id"].as_str().unwrap());
    posts.tie("follow.created", 2, 0).await;
    posts.tie("block.created", 1, 2).await;
    for (token, mine) in [(&posts.bob, "bob"), (&posts.carla, "carla")] {
        let named = json!([mine]);
        let handles = |post: &serde_json::Value| {
            let mentions = post["mentions"].as_array().unwrap();
            json!(mentions.iter().map(|one| &one["handle"]).collect::<Vec<_>>())
        };
        assert_eq!(handles(&posts.get(&path, token).await.body), named);
        for list in ["/tags/t", "/u/alice/posts"] {
            assert_eq!(handles(&posts.get(list, token).await.body["items"][0]), named, "{list}");
        }
    }
    let feed = posts.get("/feed", &posts.carla).await;
    assert_eq!(feed.body["items"][0]["mentions"].as_array().unwrap().len(), 1);
    assert_eq!(posts.get(&path, &posts.alice).await.body["mentions"], made.body["mentions"]);
}
