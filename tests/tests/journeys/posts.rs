//! Posts, the feed, comments, reactions, tags.

use journeys::eventually;
use serde_json::{Value, json};

use crate::{ids, keys, stack};

#[test]
fn a_post_has_exactly_the_documented_members() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    let text = format!("Hello @{} #Scooter #größe 🛴", bob.handle);
    let answer =
        alice.post("/posts", json!({ "text": text, "author": "x", "counts": { "views": 9 } })).expect(201);
    let post = &answer.body;
    assert_eq!(
        keys(post),
        [
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
            "visibility"
        ]
    );
    assert_eq!(answer.header("location"), format!("/posts/{}", post["id"].as_str().unwrap()));
    assert_eq!(
        keys(&post["author"]),
        ["avatarUrl", "bio", "createdAt", "displayName", "handle", "id", "private"]
    );
    assert_eq!(post["author"]["id"], alice.id.as_str());
    assert_eq!(post["counts"], json!({ "comments": 0, "reactions": 0, "views": 0 }));
    assert_eq!(post["mentions"], json!([{ "handle": bob.handle, "userId": bob.id }]));
    assert_eq!(post["hashtags"], json!(["scooter", "größe"]));
    assert_eq!(
        (&post["status"], &post["visibility"], &post["media"]),
        (&json!("published"), &json!("public"), &json!([]))
    );
    assert_eq!(&alice.get(answer.header("location")).expect(200).body, post);
    assert_eq!(ids(&bob.get("/tags/scooter")).first().copied(), post["id"].as_str());
}

#[test]
fn what_no_post_can_be_is_refused_and_nothing_is_made() {
    let alice = stack().person("alice");
    for text in ["", "   ", "\n", "a\u{0}b"] {
        alice.post("/posts", json!({ "text": text })).expect(422);
    }
    alice.post("/posts", json!({ "text": "🛴".repeat(501) })).expect(422);
    alice.post("/posts", json!({ "text": "hi", "visibility": "secret" })).expect(422);
    alice
        .post("/posts", json!({ "text": "hi", "media": [{ "key": "k" }] }))
        .expect_problem(422, "media_not_found");
    alice.post("/posts", json!({})).expect(422);
    assert!(alice.get("/feed").expect(200).items().is_empty());
    alice.post("/posts", json!({ "text": "🛴".repeat(500) })).expect(201);
    alice.post("/posts", json!({ "text": "👨‍👩‍👧‍👦".repeat(100), "media": [] })).expect(201);
}

#[test]
fn the_feed_holds_mine_and_those_i_follow_newest_first() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    let early = bob.publish("before the follow");
    alice.follow(&bob);
    let (hers, his, _unrelated) = (alice.publish("hers"), bob.publish("his"), carla.publish("unrelated"));
    assert_eq!(alice.all("/feed", 2), [his.clone(), hers.clone(), early]);
    alice.post("/unfollow", json!({ "userId": bob.id })).expect(200);
    assert_eq!(alice.all("/feed", 20), [hers]);
    alice.follow(&bob);
    assert!(alice.all("/feed", 20).contains(&his));
}

#[test]
fn the_feed_pages_without_repeats_or_gaps_while_posts_come_and_go() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    alice.follow(&bob);
    let posts: Vec<String> = (0..9).map(|n| bob.publish(&format!("post {n}"))).collect();
    let first = alice.get("/feed?limit=4").expect(200);
    assert_eq!(ids(&first), posts.iter().rev().take(4).map(String::as_str).collect::<Vec<_>>());
    bob.publish("newer");
    bob.delete(&format!("/posts/{}", posts[4])).expect(204);
    let next = first.body["nextCursor"].as_str().unwrap();
    let second = alice.get(&format!("/feed?limit=100&cursor={next}")).expect(200);
    assert_eq!(ids(&second), [&posts[3], &posts[2], &posts[1], &posts[0]]);
    assert_eq!(second.body["nextCursor"], Value::Null);
}

#[test]
fn only_the_author_edits_and_deletes() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    let path = format!("/posts/{}", alice.publish("first #one"));
    bob.patch(&path, json!({ "text": "mine now" })).expect(403);
    bob.delete(&path).expect(403);
    let edited = alice.patch(&path, json!({ "text": "second #two", "id": "x" })).expect(200).body;
    assert_eq!((&edited["text"], &edited["hashtags"]), (&json!("second #two"), &json!(["two"])));
    assert!(edited["editedAt"].is_string());
    alice.patch(&path, json!({ "text": "" })).expect(422);
    alice.delete(&path).expect(204);
    for person in [&alice, &bob] {
        person.get(&path).expect_problem(404, "not_found");
        person.delete(&path).expect_problem(404, "not_found");
    }
    eventually("the count falls", || alice.get("/me").body["counts"]["posts"] == 0);
}

#[test]
fn views_count_each_viewer_once_and_never_the_author() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    let path = format!("/posts/{}", alice.publish("look"));
    for person in [&alice, &bob, &bob, &carla] {
        person.post(&format!("{path}/view"), json!({})).expect(204);
    }
    assert_eq!(alice.get(&path).body["counts"]["views"], 2);
}

#[test]
fn reactions_toggle_and_their_counts_are_true() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    let post = alice.publish("react");
    let path = format!("/reactions/{post}");
    let on = bob.post(&path, json!({ "type": "fire" })).expect(200).body;
    assert_eq!(on, json!({ "reacted": true, "counts": { "fire": 1 } }));
    alice.post(&path, json!({ "type": "fire" })).expect(200);
    alice.post(&path, json!({ "type": "like" })).expect(200);
    bob.post(&path, json!({ "type": "meh" })).expect(422);
    let list = alice.get(&path).expect(200);
    assert_eq!(keys(&list.body), ["counts", "items", "mine", "nextCursor"]);
    assert_eq!(list.body["counts"], json!({ "fire": 2, "like": 1 }));
    let mut mine: Vec<_> = list.body["mine"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    mine.sort_unstable();
    assert_eq!(mine, ["fire", "like"]);
    assert_eq!(keys(&list.items()[0]), ["createdAt", "type", "user"]);
    let off = bob.post(&path, json!({ "type": "fire" })).expect(200).body;
    assert_eq!(off, json!({ "reacted": false, "counts": { "fire": 1, "like": 1 } }));
    let seen = bob.get(&format!("/posts/{post}")).body;
    assert_eq!((&seen["counts"]["reactions"], &seen["myReactions"]), (&json!(2), &json!([])));
}

#[test]
fn comments_thread_oldest_first_and_are_deleted_by_their_author_or_the_posts() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    let post = alice.publish("discuss");
    let path = format!("/comments/{post}");
    let first = bob.post(&path, json!({ "text": "first" })).expect(201).body;
    assert_eq!(keys(&first), ["author", "counts", "createdAt", "id", "parentId", "postId", "text"]);
    let second = carla.post(&path, json!({ "text": "second" })).expect(201).body;
    let reply = alice.post(&path, json!({ "text": "reply", "parentId": first["id"] })).expect(201).body;
    assert_eq!(reply["parentId"], first["id"]);
    let (first, second, reply) =
        (first["id"].as_str().unwrap(), second["id"].as_str().unwrap(), reply["id"].as_str().unwrap());
    let page = carla.get(&path).expect(200);
    assert_eq!(ids(&page), [first, second]);
    assert_eq!(page.items()[0]["counts"]["replies"], 1);
    assert_eq!(ids(&carla.get(&format!("{path}?parent={first}"))), [reply]);
    assert_eq!(alice.get(&format!("/posts/{post}")).body["counts"]["comments"], 3);
    alice.post(&path, json!({ "text": "" })).expect(422);
    alice.post(&path, json!({ "text": "x".repeat(501) })).expect(422);
    let elsewhere = alice.publish("elsewhere");
    let wrong = alice.post(&format!("/comments/{elsewhere}"), json!({ "text": "x", "parentId": first }));
    assert!([404, 422].contains(&wrong.status), "{wrong:?}");
    bob.delete(&format!("{path}/{second}")).expect(403);
    carla.delete(&format!("{path}/{second}")).expect(204);
    alice.delete(&format!("{path}/{reply}")).expect(204);
    alice.delete(&format!("{path}/{first}")).expect(204);
    carla.delete(&format!("{path}/{first}")).expect_problem(404, "not_found");
    assert_eq!(alice.get(&format!("/posts/{post}")).body["counts"]["comments"], 0);
    let gone = "0199b7a0-0000-7000-8000-000000000001";
    bob.get(&format!("/comments/{gone}")).expect_problem(404, "not_found");
    bob.post(&format!("/comments/{gone}"), json!({ "text": "x" })).expect_problem(404, "not_found");
    bob.post(&format!("/reactions/{gone}"), json!({ "type": "like" })).expect_problem(404, "not_found");
    bob.post(&format!("/posts/{gone}/view"), json!({})).expect_problem(404, "not_found");
}

#[test]
fn posts_for_followers_are_seen_by_followers_alone() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    bob.follow(&alice);
    let tag = format!("only{}", alice.handle);
    let body = json!({ "text": format!("followers #{tag}"), "visibility": "followers" });
    let post = alice.post("/posts", body).expect(201).body["id"].as_str().unwrap().to_owned();
    bob.get(&format!("/posts/{post}")).expect(200);
    carla.get(&format!("/posts/{post}")).expect_problem(404, "not_found");
    assert!(ids(&carla.get(&format!("/u/{}/posts", alice.handle))).is_empty());
    assert_eq!(ids(&bob.get(&format!("/u/{}/posts", alice.handle))), [post.as_str()]);
    assert!(ids(&carla.get(&format!("/tags/{tag}"))).is_empty());
}
