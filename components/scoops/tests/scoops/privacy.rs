//! Who sees a scoop, on every route that shows or takes one.

use http::Method;
use serde_json::json;

use crate::{Scoops, start};

/// How `token` finds a scoop of alice's: by its id, by the routes below it, in her list. All of them agree.
async fn sees(scoops: &Scoops, scoop: &str, token: &str) -> bool {
    let seen = scoops.sees(scoop, token).await;
    let path = format!("/scoops/{scoop}");
    let (viewers, deleted) = if seen { (403, 403) } else { (404, 404) };
    assert_eq!(scoops.status(Method::GET, &format!("{path}/viewers"), token).await, viewers);
    assert_eq!(scoops.status(Method::DELETE, &path, token).await, deleted);
    assert_eq!(scoops.view(scoop, token).await, if seen { 204 } else { 404 });
    let list = scoops.get(&format!("/scoops/user/{}?limit=100", scoops.ids[0]), token).await;
    let listed =
        list.body["items"].as_array().is_some_and(|items| items.iter().any(|item| item["id"] == scoop));
    assert_eq!(listed, seen, "{list:?}");
    seen
}

#[tokio::test]
async fn followers_see_what_is_for_followers_and_strangers_do_not() {
    let scoops = start().await;
    let scoop = scoops.make(&scoops.alice).await;
    assert!(sees(&scoops, &scoop, &scoops.bob).await);
    assert!(!sees(&scoops, &scoop, &scoops.carla).await);
    scoops.tie("follow.created", 2, 0).await;
    scoops.tie("follow.removed", 1, 0).await;
    assert!(!sees(&scoops, &scoop, &scoops.bob).await);
    assert!(sees(&scoops, &scoop, &scoops.carla).await);
}

#[tokio::test]
async fn close_friends_see_what_is_for_them_and_other_followers_do_not() {
    let scoops = start().await;
    scoops.befriend(&scoops.alice, 2).await;
    let scoop = scoops.make_close(&scoops.alice).await;
    assert!(!sees(&scoops, &scoop, &scoops.bob).await, "follows, and is none");
    assert!(sees(&scoops, &scoop, &scoops.carla).await, "is one, and does not follow");
    // Being a close friend of somebody makes nobody one of one's own.
    let own = scoops.make_close(&scoops.carla).await;
    assert!(!scoops.sees(&own, &scoops.alice).await);
    let path = format!("/close-friends/{}", scoops.ids[2]);
    assert_eq!(scoops.status(Method::DELETE, &path, &scoops.alice).await, 204);
    assert!(!sees(&scoops, &scoop, &scoops.carla).await);
}

#[tokio::test]
async fn a_private_persons_close_friends_have_to_follow() {
    let scoops = start().await;
    scoops.befriend(&scoops.alice, 1).await;
    scoops.befriend(&scoops.alice, 2).await;
    let (open, close) = (scoops.make(&scoops.alice).await, scoops.make_close(&scoops.alice).await);
    scoops.change("user.updated", 0, json!({ "private": 1 })).await;
    for scoop in [&open, &close] {
        assert!(sees(&scoops, scoop, &scoops.bob).await);
        assert!(!sees(&scoops, scoop, &scoops.carla).await);
    }
    let list = scoops.get(&format!("/scoops/user/{}", scoops.ids[0]), &scoops.carla).await;
    assert_eq!((list.status, &list.body["items"]), (200, &json!([])));
}

#[tokio::test]
async fn a_block_hides_whoever_made_it() {
    for (blocker, blocked) in [(0, 1), (1, 0)] {
        let scoops = start().await;
        let scoop = scoops.make(&scoops.alice).await;
        assert!(sees(&scoops, &scoop, &scoops.bob).await);
        scoops.tie("block.created", blocker, blocked).await;
        assert!(!sees(&scoops, &scoop, &scoops.bob).await);
        let path = format!("/scoops/user/{}", scoops.ids[0]);
        assert_eq!(scoops.status(Method::GET, &path, &scoops.bob).await, 404);
        assert!(scoops.authors(&scoops.bob).await.is_empty());
        let viewers = scoops.get(&format!("/scoops/{scoop}/viewers"), &scoops.alice).await;
        assert_eq!(viewers.body["items"], json!([]), "he looked, and is hidden");
    }
}

#[tokio::test]
async fn the_muted_leave_the_feed_and_nothing_else() {
    let scoops = start().await;
    let scoop = scoops.make(&scoops.alice).await;
    scoops.tie("mute.created", 1, 0).await;
    assert!(scoops.authors(&scoops.bob).await.is_empty());
    assert!(sees(&scoops, &scoop, &scoops.bob).await);
    scoops.tie("mute.removed", 1, 0).await;
    assert_eq!(scoops.authors(&scoops.bob).await, ["alice"]);
}

#[tokio::test]
async fn of_the_suspended_nothing_is_seen_and_they_get_403() {
    let scoops = start().await;
    let scoop = scoops.make(&scoops.alice).await;
    scoops.change("user.suspended", 0, json!({ "status": "suspended" })).await;
    assert!(!sees(&scoops, &scoop, &scoops.bob).await);
    assert!(scoops.authors(&scoops.bob).await.is_empty());
    let path = format!("/scoops/user/{}", scoops.ids[0]);
    assert_eq!(scoops.status(Method::GET, &path, &scoops.bob).await, 404);
    let (own, other) = (format!("/scoops/{scoop}"), format!("/close-friends/{}", scoops.ids[1]));
    for (method, path) in [
        (Method::GET, "/scoops/feed"),
        (Method::GET, "/scoops/me"),
        (Method::GET, "/scoops/me?archived=true"),
        (Method::GET, &path),
        (Method::GET, &own),
        (Method::DELETE, &own),
        (Method::GET, &format!("{own}/viewers")),
        (Method::POST, &format!("{own}/view")),
        (Method::GET, "/close-friends"),
        (Method::PUT, &other),
        (Method::DELETE, &other),
    ] {
        let answer = scoops.call(method, path, &scoops.alice).await;
        assert_eq!(crate::problem(&answer), (403, "account_suspended"), "{path}");
    }
    let body = json!({ "mediaKey": scoops.world.id() });
    let answer = scoops.post("/scoops", &scoops.alice, body).await;
    assert_eq!(crate::problem(&answer), (403, "account_suspended"));
    scoops.change("user.unsuspended", 0, json!({ "status": "active" })).await;
    assert!(sees(&scoops, &scoop, &scoops.bob).await);
}

#[tokio::test]
async fn every_route_needs_a_good_token() {
    let scoops = start().await;
    let scoop = scoops.make(&scoops.alice).await;
    let (own, other) = (format!("/scoops/{scoop}"), format!("/close-friends/{}", scoops.ids[1]));
    for (method, path) in [
        (Method::GET, "/scoops/feed"),
        (Method::GET, "/scoops/me"),
        (Method::GET, &format!("/scoops/user/{}", scoops.ids[0])),
        (Method::GET, &own),
        (Method::DELETE, &own),
        (Method::GET, &format!("{own}/viewers")),
        (Method::POST, &format!("{own}/view")),
        (Method::GET, "/close-friends"),
        (Method::PUT, &other),
        (Method::DELETE, &other),
    ] {
        for token in ["", "nonsense"] {
            assert_eq!(scoops.status(method.clone(), path, token).await, 401, "{method} {path}");
        }
    }
    assert!(scoops.sees(&scoop, &scoops.alice).await);
}
