//! Where pushes go.

use http::Method;
use serde_json::{Value, json};

use crate::receivers::{Browser, Host};
use crate::{ALICE, BOB, House, POST, keys, refusal, start, start_with};

async fn endpoints(house: &House) -> String {
    house.one("select count(*) from push_endpoints").await
}

#[tokio::test]
async fn a_place_named_again_keeps_its_id_and_is_theirs_who_named_it_last() {
    let house = start().await;
    let browser = Browser::new("a");
    let first = house.post("/push/register", ALICE, browser.subscription()).await;
    assert_eq!((first.status, keys(&first.body)), (201, vec!["id"]));
    let id = browser.register(&house, ALICE).await;
    assert_eq!((json!(id), endpoints(&house).await), (first.body["id"].clone(), "1".to_owned()));
    assert_eq!(browser.register(&house, BOB).await, id);
    let owner = "select p.handle from push_endpoints as e join people as p on p.pk = e.person";
    assert_eq!(house.one(owner).await, "bob");
    // What alice ends is nobody else's.
    assert_eq!(house.delete("/push/unregister", ALICE, json!({ "id": id })).await.status, 204);
    assert_eq!(endpoints(&house).await, "1");
}

#[tokio::test]
async fn what_was_on_its_way_to_the_one_never_reaches_the_other() {
    let house = start().await;
    let host = Host::at(&house, "push.example.com");
    let browser = Browser::new("a");
    browser.register(&house, ALICE).await;
    house.react(BOB, POST, "like").await;
    browser.register(&house, BOB).await;
    house.tick_later(5).await;
    assert!(host.take_all().is_empty(), "alice's is not bob's to see");
    house.tie("follow.created", ALICE, BOB).await;
    house.tick_later(5).await;
    let came = host.take_all();
    assert_eq!(came.len(), 1);
    assert_eq!(browser.open(&came[0])["notification"]["type"], "follow");
}

#[tokio::test]
async fn a_place_ends_by_id_token_or_endpoint_and_again_changes_nothing() {
    let house = start().await;
    let browser = Browser::new("a");
    let id = browser.register(&house, ALICE).await;
    for (provider, token) in [("expo", "ExponentPushToken[a]"), ("fcm", "f:a")] {
        let answer =
            house.post("/push/register", ALICE, json!({ "provider": provider, "token": token })).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    assert_eq!(endpoints(&house).await, "3");
    for (body, left) in [
        (json!({ "token": "ExponentPushToken[a]" }), "2"),
        (json!({ "token": "ExponentPushToken[a]" }), "2"),
        (json!({ "token": "f:a" }), "1"),
        (json!({ "endpoint": "https://PUSH.example.com:443/a" }), "0"),
        (json!({ "id": id }), "0"),
    ] {
        assert_eq!(house.delete("/push/unregister", ALICE, body.clone()).await.status, 204, "{body}");
        assert_eq!(endpoints(&house).await, left, "{body}");
    }
    let id = browser.register(&house, ALICE).await;
    assert_eq!(house.delete("/push/unregister", ALICE, json!({ "id": id })).await.status, 204);
    assert_eq!(endpoints(&house).await, "0");
    for body in [json!({}), json!({ "id": id, "token": "x" }), json!({ "id": "x" }), json!([])] {
        assert_eq!(house.delete("/push/unregister", ALICE, body).await.status, 422);
    }
    let none = house.world.call(
        "notifications",
        Method::DELETE,
        "/push/unregister",
        &house.tokens[ALICE],
        &[],
        Value::Null,
    );
    assert_eq!(none.await.status, 415);
}

#[tokio::test]
async fn bad_places_are_refused_with_the_field_at_fault() {
    let house = start().await;
    let with = |pointer: &str, value: Value| {
        let mut body = Browser::new("a").subscription();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let endpoint = "/subscription/endpoint";
    for (body, code, field) in [
        (json!({}), "invalid", "provider"),
        (json!({ "provider": "apns", "token": "x" }), "invalid", "provider"),
        (json!({ "provider": "webpush" }), "invalid", "subscription"),
        (json!({ "provider": "webpush", "token": "x" }), "invalid", "subscription"),
        (json!({ "provider": "webpush", "subscription": {} }), "invalid", "subscription.endpoint"),
        (json!({ "provider": "expo" }), "invalid", "token"),
        (json!({ "provider": "expo", "token": "abc" }), "invalid", "token"),
        (json!({ "provider": "fcm", "token": "" }), "invalid", "token"),
        (json!({ "provider": "fcm", "token": 7 }), "invalid", "token"),
        (with("/subscription/keys/p256dh", json!("AAAA")), "invalid", "subscription.keys.p256dh"),
        (with("/subscription/keys/auth", json!("AAAA")), "invalid", "subscription.keys.auth"),
        (with("/subscription/keys", json!({ "auth": "x" })), "invalid", "subscription.keys.p256dh"),
        (with(endpoint, json!("nonsense")), "invalid", "subscription.endpoint"),
        (with(endpoint, json!("http://push.example.com/a")), "invalid", "subscription.endpoint"),
        (with(endpoint, json!("https://127.0.0.1/a")), "endpoint_forbidden", "subscription.endpoint"),
        (with(endpoint, json!("http://localhost:9/a")), "endpoint_forbidden", "subscription.endpoint"),
        (with(endpoint, json!("https://169.254.169.254/")), "endpoint_forbidden", "subscription.endpoint"),
        (with(endpoint, json!("https://[::ffff:10.0.0.1]/")), "endpoint_forbidden", "subscription.endpoint"),
        (
            with(endpoint, json!("https://users.spin.internal/")),
            "endpoint_forbidden",
            "subscription.endpoint",
        ),
    ] {
        let answer = house.post("/push/register", ALICE, body.clone()).await;
        assert_eq!(refusal(&answer), (422, code, field), "{body}");
    }
    assert_eq!(endpoints(&house).await, "0");
    let anybody = house.world.post("notifications", "/push/register", "", Browser::new("a").subscription());
    assert_eq!(anybody.await.status, 401);
}

#[tokio::test]
async fn the_variable_admits_loopback_and_nothing_else_of_ours() {
    let house = start_with(&[("allow_private_endpoints", "on")]).await;
    for (endpoint, status) in [
        ("http://127.0.0.1:9/a", 201),
        ("http://[::1]:9/a", 201),
        ("http://localhost:9/a", 201),
        ("http://10.0.0.1/a", 422),
        ("https://192.168.0.1/a", 422),
        ("http://users.spin.internal/a", 422),
        ("http://push.example.com/a", 422),
    ] {
        let mut body = Browser::new("a").subscription();
        body["subscription"]["endpoint"] = json!(endpoint);
        assert_eq!(house.post("/push/register", ALICE, body).await.status, status, "{endpoint}");
    }
}

#[tokio::test]
async fn of_each_person_the_last_twenty_stay() {
    let house = start().await;
    let first = Browser::new("first").register(&house, ALICE).await;
    Browser::new("bobs").register(&house, BOB).await;
    for n in 0..20 {
        Browser::new(&n.to_string()).register(&house, ALICE).await;
    }
    let left =
        "select count(*) from push_endpoints where person = (select pk from people where handle = 'alice')";
    assert_eq!(house.one(left).await, "20");
    assert_eq!(house.one(&format!("select count(*) from push_endpoints where id = '{first}'")).await, "0");
    // One taken over counts as well.
    Browser::new("bobs").register(&house, ALICE).await;
    assert_eq!((house.one(left).await, endpoints(&house).await), ("20".into(), "20".into()));
}

#[tokio::test]
async fn the_key_is_open_to_all_the_same_for_all_and_the_variables_where_there_is_one() {
    let house = start().await;
    let get = async |house: &House, token: &str| {
        house.world.get("notifications", "/push/vapid-public-key", token).await
    };
    let first = get(&house, "").await;
    assert_eq!((first.status, keys(&first.body)), (200, vec!["publicKey"]));
    let key = first.body["publicKey"].as_str().unwrap();
    assert!(key.len() == 87 && key.starts_with('B'), "an uncompressed point: {key}");
    assert_eq!(get(&house, &house.tokens[ALICE]).await.body, first.body);
    assert_eq!(get(&house, "nonsense").await.status, 401);
    let known = [("if-none-match", first.headers["etag"].to_str().unwrap())];
    let path = "/push/vapid-public-key";
    let again = house.world.call("notifications", Method::GET, path, "", &known, Value::Null).await;
    assert_eq!(again.status, 304);
    let other = start().await;
    assert_ne!(get(&other, "").await.body, first.body, "one of its own for each database");
    // Of RFC 8291's examples.
    let given = [("vapid_private_key", "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")];
    let given = start_with(&given).await;
    let public = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
    assert_eq!(get(&given, "").await.body["publicKey"], public);
    assert_eq!(given.one("select count(*) from vapid_keys").await, "0");
}

#[tokio::test]
async fn instances_that_start_at_once_make_one_key() {
    let house = start().await;
    let ask = || house.world.get("notifications", "/push/vapid-public-key", "");
    let (one, other, third) = tokio::join!(ask(), ask(), ask());
    assert_eq!((&one.body, &other.body), (&other.body, &third.body));
    assert_eq!(house.one("select count(*) from vapid_keys").await, "1");
}
