//! The heads of feeds, and the JSON that is kept of posts and people.

use posts::store;
use serde_json::json;
use shared::clock::Clock;
use shared::db::Value;

use crate::{Posts, start};

/// The texts of a page, as the head has them and as the merge has them.
async fn both(posts: &Posts, who: usize) -> (Option<String>, String) {
    let db = &posts.world.app("posts").db;
    let head = store::get_feed_head(db, posts.ids[who], 20).await.unwrap();
    let Some(merged) = store::get_feed(db, posts.ids[who], Value::Null, 20).await.unwrap() else {
        assert_eq!(head, None, "nobody has no feed");
        return (None, String::new());
    };
    if let Some(head) = &head {
        assert_eq!(head.next, merged.next);
    }
    (head.map(|page| page.items), merged.items)
}

async fn keep(posts: &Posts, who: usize, seconds: u64) {
    let now = Clock::default().now().plus(std::time::Duration::from_secs(seconds));
    store::keep_feed_head(&posts.world.app("posts").db, posts.ids[who], now).await.unwrap();
}

#[tokio::test]
async fn a_head_shows_what_the_merge_would_whatever_happens_between() {
    let posts = start().await;
    let tokens = [&posts.alice, &posts.bob, &posts.carla];
    let mut written: Vec<(usize, String)> = Vec::new();
    let mut served = 0;
    // A small linear congruential generator: the same walk at every run.
    let mut state = 7_u32;
    let mut roll = |sides: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % sides
    };
    for step in 0..400 {
        let one = roll(3) as usize;
        let other = (one + 1 + roll(2) as usize) % 3;
        match roll(14) {
            0 => posts.tie("follow.created", one, other).await,
            1 => posts.tie("follow.removed", one, other).await,
            2 => posts.tie("mute.created", one, other).await,
            3 => posts.tie("mute.removed", one, other).await,
            4 => posts.tie("block.created", one, other).await,
            5 => posts.tie("block.removed", one, other).await,
            6 => posts.change("user.updated", one, json!({ "private": roll(2) })).await,
            7 => posts.change("user.suspended", one, json!({ "status": "suspended" })).await,
            8 if !written.is_empty() => {
                let (author, id) = written.swap_remove(roll(written.len() as u32) as usize);
                let gone = "insert into removals (post, at) select pk, '' from posts where id = ?1";
                let db = &posts.world.app("posts").db;
                db.rows(gone, shared::params![id]).await.unwrap();
                assert!(author < 3);
            }
            9 => {
                let waiting =
                    "update posts set status = iif(status = 'published', 'pending_media', 'published')
                    where pk = (select max(pk) from posts where pk % 5 = ?1)";
                posts.world.app("posts").db.rows(waiting, shared::params![i64::from(roll(5))]).await.unwrap();
            }
            _ => {
                posts.change("user.unsuspended", one, json!({ "status": "active" })).await;
                written.push((one, posts.write(tokens[one], &format!("post {step}")).await));
            }
        }
        for who in 0..3 {
            let (head, merged) = both(&posts, who).await;
            served += usize::from(head.is_some());
            if let Some(head) = head {
                assert_eq!(head, merged, "step {step}, reader {who}");
            }
            if step % 3 == who as u64 {
                keep(&posts, who, 60 * step).await;
            }
        }
    }
    assert!(served > 400, "the heads served {served} times of 1200");
}

#[tokio::test]
async fn a_head_is_made_after_the_first_read_and_again_only_after_a_while() {
    let posts = start().await;
    posts.write(&posts.bob, "one").await;
    assert_eq!(both(&posts, 1).await.0, None);
    keep(&posts, 1, 0).await;
    let made = posts.one("select cast(made_at as text) from feed_heads").await;
    keep(&posts, 1, 5).await;
    assert_eq!(posts.one("select cast(made_at as text) from feed_heads").await, made, "younger than 10 s");
    keep(&posts, 1, 60).await;
    assert_ne!(posts.one("select cast(made_at as text) from feed_heads").await, made);
    posts.write(&posts.bob, "two").await;
    let (head, merged) = both(&posts, 1).await;
    assert_eq!(head.as_deref(), Some(merged.as_str()), "with what came since");
    // A head from the future, as after a clock was set back, is made anew.
    keep(&posts, 1, 0).await;
    assert_ne!(posts.one("select cast(made_at as text) from feed_heads").await, made);
}

#[tokio::test]
async fn a_head_too_old_or_too_short_leaves_the_page_to_the_merge() {
    let posts = start().await;
    let many = "insert into posts (id, author, text, visibility, status, created_at)
        select printf('0199b7a1-0000-7000-800%d-%012x', ?1, value), ?1, value, 'public', 'published', '2026-01-01T00:00:00.000Z'
        from (with recursive n (value) as (select 1 union all select value + 1 from n where value < 201) select value from n)";
    let db = &posts.world.app("posts").db;
    db.rows(many, shared::params![2]).await.unwrap();
    keep(&posts, 1, 0).await;
    assert!(both(&posts, 1).await.0.is_some());
    let all = store::get_feed_head(db, posts.ids[1], 100).await.unwrap();
    assert!(all.is_none(), "60 posts do not fill a page of 100");
    db.rows(many, shared::params![3]).await.unwrap();
    assert_eq!(both(&posts, 1).await.0, None, "201 posts since");
    let first = posts.get("/feed", &posts.bob).await;
    assert_eq!(first.body["items"][0]["text"], "201");
}

#[tokio::test]
async fn what_is_kept_of_posts_and_people_is_what_they_are() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "first #one \"quoted\" }").await;
    let edit = json!({ "text": "second #two {}" });
    assert_eq!(posts.world.patch("posts", &format!("/posts/{id}"), &posts.alice, edit).await.status, 200);
    posts.write(&posts.bob, "plain").await;
    posts.change("user.updated", 0, json!({ "displayName": "A \"q\"", "private": 1 })).await;
    let plain = "insert into posts (id, author, text, visibility, status, created_at) values ('x', 1, 'brought', 'public', 'published', '')";
    posts.world.app("posts").db.rows(plain, shared::params![]).await.unwrap();
    let stale = "select cast(count(*) as text) from posts where opening is not rtrim(json_object(
        'id', id, 'text', text, 'media', json(media), 'visibility', visibility, 'createdAt', created_at,
        'editedAt', edited_at, 'status', status, 'hashtags', json(hashtags)), '}')";
    assert_eq!(posts.one(stale).await, "0");
    let stale = "select cast(count(*) as text) from people where card is not json_object(
        'id', id, 'handle', handle, 'displayName', display_name, 'bio', bio, 'avatarUrl', avatar_url,
        'private', json(iif(private, 'true', 'false')), 'createdAt', created_at)";
    assert_eq!(posts.one(stale).await, "0");
    assert_eq!(posts.one("select cast(count(*) as text) from posts").await, "3");
}
