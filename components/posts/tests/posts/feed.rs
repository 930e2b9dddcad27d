//! `GET /feed`.

use crate::start;

#[tokio::test]
async fn the_feed_has_mine_and_those_of_people_i_follow() {
    let posts = start().await;
    posts.write(&posts.alice, "a1").await;
    posts.tie("follow.created", 1, 0).await;
    posts.write(&posts.alice, "a2").await;
    posts.write(&posts.bob, "b1").await;
    posts.write(&posts.carla, "c1").await;
    assert_eq!(posts.texts("/feed", &posts.bob).await, ["b1", "a2", "a1"]);
    posts.tie("follow.removed", 1, 0).await;
    assert_eq!(posts.texts("/feed", &posts.bob).await, ["b1"]);
    assert_eq!(posts.texts("/feed", &posts.alice).await, ["a2", "a1"]);
}

#[tokio::test]
async fn paging_neither_repeats_nor_skips_while_posts_come_and_go() {
    let posts = start().await;
    posts.tie("follow.created", 1, 0).await;
    posts.tie("follow.created", 1, 2).await;
    let mut expected = Vec::new();
    let mut ids = Vec::new();
    for n in 0..12 {
        let token = [&posts.alice, &posts.bob, &posts.carla][n % 3];
        ids.push(posts.write(token, &format!("p{n}")).await);
        expected.insert(0, format!("p{n}"));
    }
    for limit in [1, 3, 5, 12, 100] {
        let texts: Vec<_> = posts.all("/feed", &posts.bob, limit).await;
        let texts: Vec<_> = texts.iter().map(|post| post["text"].as_str().unwrap()).collect();
        assert_eq!(texts, expected, "{limit}");
    }
    let exact = posts.get("/feed?limit=12", &posts.bob).await;
    assert!(exact.body["nextCursor"].is_null(), "a page that holds the last post says so");
    let first = posts.get("/feed?limit=4", &posts.bob).await;
    posts.write(&posts.alice, "new").await;
    // The last of the page, and the first of the next.
    assert_eq!(posts.delete(&format!("/posts/{}", ids[8]), &posts.carla).await, 204);
    assert_eq!(posts.delete(&format!("/posts/{}", ids[7]), &posts.bob).await, 204);
    let cursor = first.body["nextCursor"].as_str().unwrap();
    let next = posts.get(&format!("/feed?limit=100&cursor={cursor}"), &posts.bob).await;
    let texts: Vec<_> = next.body["items"].as_array().unwrap().iter().map(|p| p["text"].clone()).collect();
    assert_eq!(texts, ["p6", "p5", "p4", "p3", "p2", "p1", "p0"]);
}

#[tokio::test]
async fn the_feed_leaves_out_the_muted_the_blocked_the_suspended_and_the_unfollowed() {
    let posts = start().await;
    for followed in [0, 2] {
        posts.tie("follow.created", 1, followed).await;
    }
    for n in 0..5 {
        posts.write(&posts.alice, &format!("a{n}")).await;
    }
    posts.write(&posts.carla, "c").await;
    posts.tie("mute.created", 1, 2).await;
    assert_eq!(posts.texts("/feed", &posts.bob).await, ["a4", "a3", "a2", "a1", "a0"]);
    posts.tie("mute.removed", 1, 2).await;
    posts.change("user.updated", 0, serde_json::json!({ "private": 1 })).await;
    assert_eq!(posts.texts("/feed", &posts.bob).await.len(), 6, "followers see a private person");
    posts.tie("block.created", 0, 1).await;
    assert_eq!(posts.texts("/feed", &posts.bob).await, ["c"]);
    posts.tie("block.removed", 0, 1).await;
    posts.change("user.suspended", 0, serde_json::json!({ "status": "suspended" })).await;
    assert_eq!(posts.texts("/feed", &posts.bob).await, ["c"]);
    posts.change("user.unsuspended", 0, serde_json::json!({ "status": "active" })).await;
    posts.tie("follow.removed", 1, 0).await;
    assert_eq!(posts.texts("/feed", &posts.bob).await, ["c"]);
}

#[tokio::test]
async fn bad_limits_and_cursors_are_422() {
    let posts = start().await;
    for list in ["/feed", "/tags/a", "/u/alice/posts"] {
        for query in ["limit=0", "limit=101", "limit=x", "limit=-1"] {
            assert_eq!(posts.get(&format!("{list}?{query}"), &posts.bob).await.status, 422, "{list}?{query}");
        }
        for cursor in ["x", "MTp4", "MTowOw"] {
            let answer = posts.get(&format!("{list}?cursor={cursor}"), &posts.bob).await;
            assert_eq!(
                (answer.status, &answer.body["code"]),
                (422, &serde_json::json!("invalid_cursor")),
                "{list}"
            );
        }
    }
}

#[tokio::test]
async fn hot_reads_go_by_keys_alone() {
    let posts = start().await;
    let db = &posts.world.app("posts").db;
    for (sql, count) in [
        (::posts::store::FEED, 3),
        (::posts::store::FEED_HEAD, 2),
        (::posts::store::KEEP_HEAD, 5),
        (::posts::store::LIST_POSTS_OF, 4),
        (::posts::store::LIST_TAG, 4),
    ] {
        let params = vec![shared::db::Value::Integer(1); count];
        let plan = db.rows(&format!("explain query plan {sql}"), params).await.unwrap();
        for step in plan.iter().filter_map(|row| row[3].as_text()) {
            for table in [
                "posts",
                "people",
                "follows",
                "reactions",
                "author_latest",
                "feed_heads",
                "h",
                "p",
                "q",
                "a",
                "f",
                "l",
                "me",
                "t",
            ] {
                assert!(
                    step != format!("SCAN {table}") && !step.starts_with(&format!("SCAN {table} ")),
                    "{step}"
                );
            }
        }
    }
}

/// Many authors, each with a number of posts of their own, against the plain definition of a feed.
#[tokio::test]
async fn the_merge_is_what_a_plain_select_would_find() {
    let posts = start().await;
    let db = &posts.world.app("posts").db;
    let everybody = "insert into people (id, handle, status, created_at)
        select printf('0199b7a0-0000-7000-8000-%012x', value), 'p' || value, 'active', '2026-01-01T00:00:00.000Z' from (
            with recursive n (value) as (select 1 union all select value + 1 from n where value < 40) select value from n)";
    db.rows(everybody, vec![]).await.unwrap();
    let follows = "insert into follows (follower, followee, created_at)
        select 2, pk, '' from people where handle like 'p%' and pk % 3 <> 0";
    db.rows(follows, vec![]).await.unwrap();
    // Squares leave some authors with many posts in a row and some with none.
    let written = "insert into posts (id, author, text, visibility, status, created_at)
        select printf('0199b7a1-0000-7000-8000-%012x', value), 4 + (value * value / 7) % 37, value, 'public',
            iif(value % 11 = 0, 'pending_media', 'published'), '2026-01-01T00:00:00.000Z'
        from (with recursive n (value) as (select 1 union all select value + 1 from n where value < 300) select value from n)";
    db.rows(written, vec![]).await.unwrap();
    posts.write(&posts.bob, "mine").await;
    db.rows("delete from posts where pk % 13 = 0", vec![]).await.unwrap();
    let plain = "select json_group_array(text) from (select text from posts
        where author = 2 or (status = 'published' and author in (select followee from follows where follower = 2))
        order by pk desc)";
    let expected: Vec<String> = db.read_as(plain, vec![]).await.unwrap().unwrap();
    assert!(expected.len() > 100, "{}", expected.len());
    for limit in [1, 2, 7, 20, 100] {
        let found = posts.all("/feed", &posts.bob, limit).await;
        let found: Vec<&str> = found.iter().map(|post| post["text"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{limit}");
    }
    let latest = "select cast(count(*) as text) from author_latest as l
        where post is not (select max(pk) from posts where author = l.author and status = 'published')";
    assert_eq!(posts.one(latest).await, "0");
}
