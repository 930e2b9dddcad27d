//! `/reactions`.

use serde_json::json;

use crate::{keys, start};

#[tokio::test]
async fn a_reaction_toggles_and_the_counts_follow() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a").await;
    let path = format!("/reactions/{id}");
    let react = async |token: &str, kind: &str| {
        let answer = posts.post(&path, token, json!({ "type": kind })).await;
        assert_eq!((answer.status, keys(&answer.body)), (200, vec!["counts", "reacted"]));
        (answer.body["reacted"].clone(), answer.body["counts"].clone())
    };
    assert_eq!(react(&posts.bob, "like").await, (json!(true), json!({ "like": 1 })));
    assert_eq!(react(&posts.bob, "fire").await, (json!(true), json!({ "like": 1, "fire": 1 })));
    assert_eq!(react(&posts.carla, "like").await, (json!(true), json!({ "like": 2, "fire": 1 })));
    assert_eq!(react(&posts.bob, "like").await, (json!(false), json!({ "like": 1, "fire": 1 })));
    assert_eq!(react(&posts.bob, "fire").await, (json!(false), json!({ "like": 1 })));
    assert_eq!(react(&posts.bob, "fire").await, (json!(true), json!({ "like": 1, "fire": 1 })));
    let list = posts.get(&path, &posts.bob).await;
    assert_eq!(keys(&list.body), ["counts", "items", "mine", "nextCursor"]);
    assert_eq!(
        (&list.body["counts"], &list.body["mine"]),
        (&json!({ "like": 1, "fire": 1 }), &json!(["fire"]))
    );
    assert_eq!(keys(&list.body["items"][0]), ["createdAt", "type", "user"]);
    assert_eq!(list.body["items"][0]["user"]["handle"], "bob");
    let post = posts.get(&format!("/posts/{id}"), &posts.bob).await.body;
    assert_eq!((&post["counts"]["reactions"], &post["myReactions"]), (&json!(2), &json!(["fire"])));
    assert_eq!(posts.all(&path, &posts.alice, 1).await.len(), 2);
    assert_eq!(posts.told("reaction.created").await.len(), 4);
    assert_eq!(posts.told("reaction.removed").await.len(), 2);
}

#[tokio::test]
async fn toggles_at_once_end_where_their_number_says() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a").await;
    let path = format!("/reactions/{id}");
    let toggles = (0..21).map(|_| posts.post(&path, &posts.bob, json!({ "type": "like" })));
    let answers = futures_util::future::join_all(toggles).await;
    let on = answers.iter().filter(|answer| answer.body["reacted"] == true).count();
    assert_eq!(on, 11);
    assert_eq!(posts.get(&path, &posts.bob).await.body["counts"], json!({ "like": 1 }));
    assert_eq!(posts.one("select cast(reaction_count as text) from posts").await, "1");
}

#[tokio::test]
async fn reacting_needs_one_of_the_six_and_a_post_one_sees() {
    let posts = start().await;
    let id = posts.write(&posts.alice, "a").await;
    for body in [json!({ "type": "meh" }), json!({}), json!({ "type": null })] {
        assert_eq!(posts.post(&format!("/reactions/{id}"), &posts.bob, body).await.status, 422);
    }
    let like = || json!({ "type": "like" });
    assert_eq!(posts.post(&format!("/reactions/{}", posts.world.id()), &posts.bob, like()).await.status, 404);
    posts.tie("block.created", 1, 0).await;
    assert_eq!(posts.post(&format!("/reactions/{id}"), &posts.bob, like()).await.status, 404);
    assert_eq!(posts.get(&format!("/reactions/{id}"), &posts.bob).await.status, 404);
}
