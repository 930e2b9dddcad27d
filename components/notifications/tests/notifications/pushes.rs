//! Pushes that arrive.

use std::time::Duration;

use serde_json::{Value, json};
use shared::wire::User;

use crate::receivers::{Browser, Host, check_signature, status};
use crate::{ALICE, BOB, CARLA, COMMENT, DORA, OTHER, POST, keys, start, start_with};

const HOST: &str = "push.example.com";

#[tokio::test]
async fn a_web_push_arrives_sealed_for_its_browser_and_signed_by_us() {
    let house =
        start_with(&[("public_url", "https://scooter.example/"), ("admin_emails", "ops@scooter.example")])
            .await;
    let host = Host::at(&house, HOST);
    let browser = Browser::new("a");
    // The tokens of tests name another issuer.
    browser.put(&house, ALICE).await;
    house.comment(BOB, COMMENT, None, &[]).await;
    house.tick_later(5).await;
    let came = host.take_all();
    assert_eq!(came.len(), 1);
    let push = browser.open(&came[0]);
    assert_eq!(keys(&push), ["body", "notification", "title", "url"]);
    assert_eq!(
        (&push["title"], &push["body"]),
        (&json!("New comment"), &json!("bob commented on your post."))
    );
    assert_eq!(push["url"], format!("https://scooter.example/posts/{POST}"));
    let told = &push["notification"];
    let names = ["actorCount", "actors", "createdAt", "id", "read", "target", "type", "updatedAt"];
    assert_eq!((keys(told), &told["read"]), (names.to_vec(), &json!(false)));
    let actor: User = serde_json::from_value(told["actors"][0].clone()).unwrap();
    assert_eq!(actor.handle.as_deref(), Some("bob"));
    assert_eq!(came[0].path, "/a");
    assert_eq!(came[0].header("content-encoding"), "aes128gcm");
    assert_eq!((came[0].header("ttl"), came[0].header("urgency")), ("172800", "high"));
    let topic = came[0].header("topic");
    assert_eq!(topic, told["id"].as_str().unwrap().replace('-', ""));
    assert!(topic.len() <= 32 && topic.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{topic}");
    let (key, contact) = check_signature(&came[0], "https://push.example.com");
    assert_eq!(contact, "mailto:ops@scooter.example");
    let public = house.world.get("notifications", "/push/vapid-public-key", "").await;
    assert_eq!(public.body["publicKey"], key);
    // Nobody else's browser opens it.
    assert_eq!(Browser::new("a").try_open(&came[0].body), None);
    assert_eq!(house.one("select count(*) from pushes").await, "0");
}

#[tokio::test]
async fn it_goes_out_by_itself_two_seconds_after_its_event() {
    let house = start().await;
    let host = Host::at(&house, HOST);
    let browser = Browser::new("a");
    browser.register(&house, ALICE).await;
    let start = std::time::Instant::now();
    house.react(BOB, POST, "like").await;
    let came = loop {
        let came = host.take_all();
        if !came.is_empty() || start.elapsed() > Duration::from_secs(8) {
            break came;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let elapsed = start.elapsed();
    assert!(
        came.len() == 1 && elapsed >= Duration::from_millis(1_900) && elapsed < Duration::from_secs(5),
        "{elapsed:?}"
    );
    assert_eq!(came[0].header("urgency"), "normal");
}

#[tokio::test]
async fn every_place_of_a_person_gets_it_and_nobody_elses() {
    let house = start().await;
    let host = Host::at(&house, HOST);
    let browsers = [Browser::new("a"), Browser::new("b"), Browser::new("bobs")];
    for (browser, who) in browsers.iter().zip([ALICE, ALICE, BOB]) {
        browser.register(&house, who).await;
    }
    house.react(BOB, POST, "like").await;
    house.tick_later(5).await;
    let mut paths: Vec<String> = host.take_all().iter().map(|came| came.path.clone()).collect();
    paths.sort();
    assert_eq!(paths, ["/a", "/b"]);
}

#[tokio::test]
async fn what_was_read_withdrawn_or_never_wanted_is_not_pushed() {
    let house = start().await;
    let host = Host::at(&house, HOST);
    Browser::new("a").register(&house, ALICE).await;
    let nothing_comes = async |why: &str| {
        house.tick_later(5).await;
        assert!(host.take_all().is_empty(), "{why}");
        assert_eq!(house.one("select count(*) from pushes").await, "0", "{why}");
    };
    house.react(BOB, POST, "like").await;
    house.post("/notifications/read", ALICE, json!({})).await;
    nothing_comes("read").await;
    house.react(BOB, OTHER, "like").await;
    house.unreact(BOB, OTHER, "like").await;
    nothing_comes("taken back").await;
    house.comment(BOB, COMMENT, None, &[]).await;
    house.change("user.suspended", BOB, json!({ "status": "suspended" })).await;
    nothing_comes("by somebody suspended").await;
    let none =
        json!({ "follow": false, "reaction": false, "comment": false, "mention": false, "scoop": false });
    house.want(ALICE, none, Value::Null).await;
    house.tie("follow.created", CARLA, ALICE).await;
    house.tie("follow.requested", DORA, ALICE).await;
    house.react(CARLA, COMMENT, "like").await;
    house.comment(CARLA, OTHER, None, &[]).await;
    house.publish(CARLA, OTHER, "public", &[ALICE]).await;
    let viewed = json!({ "scoopId": POST, "authorId": house.ids[ALICE], "viewerId": house.ids[CARLA] });
    house.hear("scoops", "scoop.viewed", viewed).await;
    nothing_comes("all switched off").await;
    assert!(house.unread(ALICE).await >= 6, "they are in the list all the same");
    let media =
        json!({ "key": OTHER, "ownerId": house.ids[ALICE], "media": { "kind": "video" }, "avatarUrl": null });
    house.hear("media", "media.ready", media).await;
    house.tick_later(5).await;
    assert_eq!(host.take_all().len(), 1, "what has no switch");
}

#[tokio::test]
async fn each_switch_is_of_its_own_types() {
    for (switch, left) in [
        ("follow", vec!["comment", "mention", "reaction", "scoop_view"]),
        ("reaction", vec!["comment", "follow", "follow_request", "mention", "scoop_view"]),
        ("comment", vec!["follow", "follow_request", "mention", "reaction", "scoop_view"]),
        ("mention", vec!["comment", "follow", "follow_request", "reaction", "scoop_view"]),
        ("scoop", vec!["comment", "follow", "follow_request", "mention", "reaction"]),
    ] {
        let house = start().await;
        let host = Host::at(&house, HOST);
        let browser = Browser::new("a");
        browser.register(&house, ALICE).await;
        house.want(ALICE, json!({ switch: false }), Value::Null).await;
        house.tie("follow.created", BOB, ALICE).await;
        house.tie("follow.requested", CARLA, ALICE).await;
        house.react(BOB, POST, "like").await;
        house.comment(BOB, COMMENT, None, &[]).await;
        house.publish(BOB, OTHER, "public", &[ALICE]).await;
        let viewed = json!({ "scoopId": POST, "authorId": house.ids[ALICE], "viewerId": house.ids[BOB] });
        house.hear("scoops", "scoop.viewed", viewed).await;
        house.tick_later(5).await;
        let kind = |came| browser.open(came)["notification"]["type"].as_str().unwrap().to_owned();
        let mut kinds: Vec<String> = host.take_all().iter().map(kind).collect();
        kinds.sort();
        assert_eq!(kinds, left, "{switch}");
    }
}

#[tokio::test]
async fn more_of_the_same_rings_again_after_an_hour_and_not_before() {
    let house = start().await;
    let host = Host::at(&house, HOST);
    let browser = Browser::new("a");
    browser.register(&house, ALICE).await;
    let react = async |who: usize, minutes: i64| {
        house.hear_at(minutes, "posts", "reaction.created", house.reacted(who, POST, "like")).await;
        house.tick_later(minutes * 60 + 5).await;
        host.take_all()
            .iter()
            .map(|came| browser.open(came)["body"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(react(BOB, 0).await, ["bob reacted to your post."]);
    assert!(react(CARLA, 59).await.is_empty());
    let later = react(DORA, 61).await;
    assert_eq!(later, ["dora and 2 others reacted to your post."]);
    house.post("/notifications/read", ALICE, json!({})).await;
    house.hear_at(62, "posts", "reaction.created", house.reacted(BOB, POST, "love")).await;
    house.tick_later(62 * 60 + 5).await;
    assert_eq!(host.take_all().len(), 1, "a new row, since the old one was read");
}

#[tokio::test]
async fn who_likes_and_takes_it_back_again_and_again_rings_once() {
    let house = start().await;
    let host = Host::at(&house, HOST);
    Browser::new("a").register(&house, ALICE).await;
    for _ in 0..5 {
        house.react(BOB, POST, "like").await;
        house.tick_later(5).await;
        house.unreact(BOB, POST, "like").await;
    }
    assert_eq!(host.take_all().len(), 1);
    house.hear_at(65, "posts", "reaction.created", house.reacted(BOB, POST, "like")).await;
    house.tick_later(66 * 60).await;
    assert_eq!(host.take_all().len(), 1, "an hour later it is news");
}

#[tokio::test]
async fn two_ticks_at_once_send_each_push_once() {
    let house = start().await;
    let counts = std::sync::Arc::new(std::sync::Mutex::new(std::collections::HashMap::<String, u32>::new()));
    let counted = counts.clone();
    let slow = async move |request: axum::extract::Request| {
        tokio::time::sleep(Duration::from_millis(50)).await;
        *counted.lock().unwrap().entry(request.uri().path().to_owned()).or_default() += 1;
        http::StatusCode::CREATED
    };
    let routes = axum::Router::new().fallback(slow);
    house.world.platform.mesh.lock().unwrap().insert(HOST.to_owned(), routes);
    for n in 0..20 {
        Browser::new(&n.to_string()).register(&house, ALICE).await;
    }
    house.react(BOB, POST, "like").await;
    tokio::join!(house.tick_later(5), house.tick_later(5), house.tick_later(5));
    let counts = counts.lock().unwrap();
    assert_eq!((counts.len(), counts.values().max()), (20, Some(&1)), "{counts:?}");
}

#[tokio::test]
async fn who_lost_a_claim_ends_nothing() {
    let house = start().await;
    let host = Host::at(&house, HOST);
    Browser::new("a").register(&house, ALICE).await;
    house.react(BOB, POST, "like").await;
    // Another has claimed it, died, and its lease has ended.
    house.sql("update pushes set lease = lease + 1, due_at = 0").await;
    house.tick_later(5).await;
    assert_eq!((host.take_all().len(), house.one("select count(*) from pushes").await), (1, "0".into()));
    house.react(BOB, OTHER, "like").await;
    let db = house.world.app("notifications").db.clone();
    // It is claimed away while it is sent.
    let stolen = std::sync::Arc::new(move |_: &crate::receivers::Came| {
        let db = db.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(db.rows("update pushes set lease = lease + 1", vec![])).unwrap();
        })
        .join()
        .unwrap();
        axum::response::IntoResponse::into_response(http::StatusCode::CREATED)
    });
    host.answer(stolen);
    house.tick_later(5).await;
    assert_eq!(house.one("select count(*) from pushes").await, "1", "it is another's now");
}

#[tokio::test]
async fn what_cannot_be_delivered_is_forgotten_in_the_end() {
    let house = start().await;
    Host::at(&house, HOST).answer(status(503, &[]));
    Browser::new("a").register(&house, ALICE).await;
    house.react(BOB, POST, "like").await;
    house.tick_later(5).await;
    assert_eq!(house.one("select count(*) from pushes").await, "1");
    house.tick_later(15 * 24 * 3600).await;
    for table in ["pushes", "push_endpoints"] {
        assert_eq!(house.one(&format!("select count(*) from {table}")).await, "0", "{table}");
    }
    assert_eq!(house.unread(ALICE).await, 1);
}
