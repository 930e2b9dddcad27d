//! `GET /scoops/feed`: whose scoops, which, and in which order.

use http::Method;
use serde_json::{Value, json};
use shared::ids::Id;

use crate::{Scoops, id_of, start};

/// bob follows carla as well.
async fn start_following() -> Scoops {
    let scoops = start().await;
    scoops.tie("follow.created", 1, 2).await;
    scoops
}

#[tokio::test]
async fn the_feed_has_people_followed_each_with_their_scoops_oldest_first() {
    let scoops = start_following().await;
    let first = scoops.make(&scoops.alice).await;
    let second = scoops.make(&scoops.alice).await;
    let carlas = scoops.make(&scoops.carla).await;
    scoops.make(&scoops.bob).await;
    let expected = [("carla*".to_owned(), vec![carlas]), ("alice*".to_owned(), vec![first, second])];
    assert_eq!(scoops.feed(&scoops.bob).await, expected);
    assert!(scoops.feed(&scoops.carla).await.is_empty(), "she follows nobody");
    let page = scoops.get("/scoops/feed", &scoops.bob).await.body;
    assert_eq!(crate::keys(&page), ["items", "nextCursor"]);
    assert_eq!(crate::keys(&page["items"][0]), ["hasUnseen", "scoops", "user"]);
    assert_eq!(page["items"][0]["user"], page["items"][0]["scoops"][0]["author"]);
    assert_eq!(page["nextCursor"], Value::Null);
    let exact = scoops.get("/scoops/feed?limit=2", &scoops.bob).await.body;
    assert_eq!(exact["nextCursor"], Value::Null, "a page that holds the last says so");
}

#[tokio::test]
async fn who_has_something_unseen_comes_first_then_who_published_last() {
    let scoops = start_following().await;
    let first = scoops.make(&scoops.alice).await;
    let second = scoops.make(&scoops.alice).await;
    let carlas = scoops.make(&scoops.carla).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["carla*", "alice*"]);
    scoops.view(&carlas, &scoops.bob).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["alice*", "carla"]);
    scoops.view(&second, &scoops.bob).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["alice*", "carla"], "the older one is unseen");
    let viewed = |one: &Value| one["viewed"].clone();
    let group = scoops.get("/scoops/feed", &scoops.bob).await.body["items"][0].clone();
    let seen: Vec<Value> = group["scoops"].as_array().unwrap().iter().map(viewed).collect();
    assert_eq!(seen, [false, true]);
    scoops.view(&first, &scoops.bob).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["carla", "alice"]);
    scoops.make(&scoops.alice).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["alice*", "carla"]);
}

#[tokio::test]
async fn what_others_looked_at_is_unseen_all_the_same() {
    let scoops = start_following().await;
    scoops.tie("follow.created", 2, 0).await;
    let scoop = scoops.make(&scoops.alice).await;
    scoops.view(&scoop, &scoops.carla).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["alice*"]);
    assert_eq!(scoops.authors(&scoops.carla).await, ["alice"]);
}

#[tokio::test]
async fn close_friends_alone_learn_of_what_is_for_them() {
    let scoops = start_following().await;
    let open = scoops.make(&scoops.alice).await;
    scoops.make(&scoops.carla).await;
    let close = scoops.make_close(&scoops.alice).await;
    let carlas = scoops.make_close(&scoops.carla).await;
    // Neither the scoops nor the order tell others of it.
    assert_eq!(scoops.authors(&scoops.bob).await, ["carla*", "alice*"]);
    assert_eq!(scoops.feed(&scoops.bob).await[1].1, std::slice::from_ref(&open));
    scoops.view(&open, &scoops.bob).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["carla*", "alice"]);
    scoops.befriend(&scoops.alice, 1).await;
    let feed = scoops.feed(&scoops.bob).await;
    assert_eq!(feed[0], ("alice*".to_owned(), vec![open, close]));
    assert!(!feed[1].1.contains(&carlas));
    // Who is followed by nobody but as a close friend is not in the feed.
    scoops.tie("follow.removed", 1, 0).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["carla*"]);
}

#[tokio::test]
async fn the_order_is_that_of_coming_out_and_within_an_author_that_of_being_made() {
    let scoops = start_following().await;
    scoops.claims_are("processing");
    let waits = scoops.make_with(&scoops.alice, json!({})).await;
    scoops.claims_are("ready");
    let second = scoops.make(&scoops.alice).await;
    scoops.make(&scoops.carla).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["carla*", "alice*"]);
    scoops.hear("media.ready", Id::parse(waits["media"]["key"].as_str().unwrap()).unwrap()).await;
    let feed = scoops.feed(&scoops.bob).await;
    assert_eq!(feed[0], ("alice*".to_owned(), vec![id_of(&waits), second]));
}

#[tokio::test]
async fn an_author_of_whom_nothing_lives_is_not_there() {
    let mut scoops = start_following().await;
    let short = scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await;
    let long = scoops.make(&scoops.carla).await;
    scoops.clock(3_601).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["carla*"]);
    scoops.call(Method::DELETE, &format!("/scoops/{long}"), &scoops.carla).await;
    assert!(scoops.authors(&scoops.bob).await.is_empty());
    scoops.make(&scoops.carla).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["carla*"]);
    assert!(!scoops.sees(&id_of(&short), &scoops.bob).await);
}

#[tokio::test]
async fn one_that_ended_unseen_leaves_its_author_seen() {
    let mut scoops = start_following().await;
    let long = scoops.make(&scoops.alice).await;
    scoops.make_with(&scoops.alice, json!({ "expiresInHours": 1 })).await;
    let carlas = scoops.make(&scoops.carla).await;
    scoops.view(&long, &scoops.bob).await;
    scoops.view(&carlas, &scoops.bob).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["alice*", "carla"]);
    scoops.clock(3_601).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["carla", "alice"]);
    scoops.tick_of_a_minute().await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["carla", "alice"]);
}

#[tokio::test]
async fn nobody_here_gets_401() {
    let scoops = start().await;
    let deletion = json!({ "status": "deleted", "deletionId": scoops.world.id() });
    scoops.change("user.deleted", 1, deletion).await;
    for path in ["/scoops/feed", "/scoops/me", "/scoops/me?archived=true"] {
        assert_eq!(scoops.get(path, &scoops.bob).await.status, 401, "{path}");
    }
}
