//! Pushes by Expo and by FCM.

use std::sync::OnceLock;

use jwt_simple::prelude::{Audiences, RS256KeyPair, RSAPublicKeyLike};
use serde_json::{Value, json};

use crate::receivers::{Browser, Host, says};
use crate::{ALICE, BOB, COMMENT, OTHER, POST, keys, start_with};

const HOST: &str = "push.example.com";

#[tokio::test]
async fn expo_gets_a_message_and_its_ticket_decides() {
    let house = start_with(&[("expo_push_url", "https://exp.example.com/send")]).await;
    let host = Host::at(&house, "exp.example.com");
    let body = json!({ "provider": "expo", "token": "ExponentPushToken[a]" });
    assert_eq!(house.post("/push/register", ALICE, body).await.status, 201);
    host.answer(says(200, json!({ "data": { "status": "ok", "id": "1" } }).to_string()));
    house.react(BOB, POST, "like").await;
    house.tick_later(5).await;
    let came = host.take_all();
    assert_eq!((came.len(), came[0].path.as_str()), (1, "/send"));
    let message = came[0].json();
    assert_eq!(
        (&message["to"], &message["body"]),
        (&json!("ExponentPushToken[a]"), &json!("bob reacted to your post."))
    );
    assert_eq!(keys(&message["data"]), ["notification", "url"]);
    assert_eq!(message["data"]["notification"]["type"], "reaction");
    assert_eq!(house.one("select count(*) from pushes").await, "0");
    let gone = json!({ "data": { "status": "error", "details": { "error": "DeviceNotRegistered" } } });
    host.answer(says(200, gone.to_string()));
    house.react(BOB, OTHER, "like").await;
    house.tick_later(5).await;
    assert_eq!(house.one("select count(*) from push_endpoints").await, "0");
}

/// Making one takes seconds.
fn rsa() -> &'static RS256KeyPair {
    static KEY: OnceLock<RS256KeyPair> = OnceLock::new();
    KEY.get_or_init(|| RS256KeyPair::generate(2048).unwrap())
}

#[tokio::test]
async fn fcm_gets_a_message_under_a_token_that_is_asked_for_once_an_hour() {
    let account = json!({ "type": "service_account", "client_email": "push@p.iam.example.com", "project_id": "p",
        "private_key": rsa().to_pem().unwrap(), "token_uri": "https://oauth2.example.com/token",
        "fcm_url": "https://fcm.example.com" });
    let house = start_with(&[("fcm_service_account", &account.to_string())]).await;
    let (tokens, host) = (Host::at(&house, "oauth2.example.com"), Host::at(&house, "fcm.example.com"));
    tokens.answer(says(
        200,
        json!({ "access_token": "t1", "expires_in": 3599, "token_type": "Bearer" }).to_string(),
    ));
    host.answer(says(200, json!({ "name": "projects/p/messages/1" }).to_string()));
    let body = json!({ "provider": "fcm", "token": "device:1" });
    assert_eq!(house.post("/push/register", ALICE, body).await.status, 201);
    for post in [POST, OTHER] {
        house.react(BOB, post, "like").await;
        house.tick_later(5).await;
    }
    let asked = tokens.take_all();
    assert_eq!(asked.len(), 1, "the second push has a token already");
    let form: std::collections::HashMap<_, _> =
        url::form_urlencoded::parse(&asked[0].body).into_owned().collect();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let claims = rsa().public_key().verify_token::<Value>(&form["assertion"], None).unwrap();
    assert_eq!(claims.custom["scope"], "https://www.googleapis.com/auth/firebase.messaging");
    assert_eq!(claims.issuer.as_deref(), Some("push@p.iam.example.com"));
    assert!(
        matches!(claims.audiences, Some(Audiences::AsString(of)) if of == "https://oauth2.example.com/token")
    );
    let came = host.take_all();
    assert_eq!(came.len(), 2);
    assert_eq!(
        (came[0].path.as_str(), came[0].header("authorization")),
        ("/v1/projects/p/messages:send", "Bearer t1")
    );
    let message = came[0].json()["message"].clone();
    assert_eq!(
        (&message["token"], &message["notification"]["title"]),
        (&json!("device:1"), &json!("New reaction"))
    );
    let told: Value = serde_json::from_str(message["data"]["notification"].as_str().unwrap()).unwrap();
    assert_eq!(told["target"]["id"], POST);
    assert_eq!(message["android"]["ttl"], "172800s");
    // A token that ended before its time is asked for again, and the push is not lost.
    host.answer(says(401, "{}"));
    house.comment(BOB, COMMENT, None, &[]).await;
    house.tick_later(5).await;
    host.answer(says(200, "{}"));
    tokens.answer(says(200, json!({ "access_token": "t2", "expires_in": 3599 }).to_string()));
    house.tick_later(15).await;
    assert_eq!(
        host.take_all().iter().map(|came| came.header("authorization")).collect::<Vec<_>>(),
        ["Bearer t1", "Bearer t2"]
    );
    let gone = json!({ "error": { "code": 404, "details": [{ "errorCode": "UNREGISTERED" }] } });
    host.answer(says(404, gone.to_string()));
    house.tie("follow.created", BOB, ALICE).await;
    house.tick_later(25).await;
    assert_eq!(house.one("select count(*) from push_endpoints").await, "0");
}

#[tokio::test]
async fn a_service_account_that_is_none_holds_up_nobody() {
    for account in [
        "",
        "nonsense",
        "{}",
        r#"{"client_email":"a","private_key":"x","token_uri":"https://oauth2.example.com/","project_id":"p"}"#,
    ] {
        let house = start_with(&[("fcm_service_account", account)]).await;
        let host = Host::at(&house, HOST);
        Browser::new("a").register(&house, ALICE).await;
        let body = json!({ "provider": "fcm", "token": "device:1" });
        assert_eq!(house.post("/push/register", ALICE, body).await.status, 201);
        house.react(BOB, POST, "like").await;
        house.tick_later(5).await;
        assert_eq!(host.take_all().len(), 1, "{account}");
        let left = if account.is_empty() { "0" } else { "1" };
        assert_eq!(house.one("select count(*) from pushes").await, left, "{account}");
    }
}
