//! Mail: verifying an address, resetting a password, and that no mail is lost.

use serde_json::json;

use crate::support::{PASSWORD, Session, code, house, keys_of};

#[tokio::test]
async fn registering_sends_a_mail_whose_token_verifies_once() {
    let house = house(&[("public_url", "https://scooter.example/")]).await;
    let alice = house.register("alice").await;
    let mail = house.mail("verify_email", "alice@example.com").await;
    assert_eq!(keys_of(&mail), ["kind", "link", "subject", "text", "to", "token"]);
    let token = mail["token"].as_str().unwrap();
    assert_eq!(mail["link"], format!("https://scooter.example/verify-email#token={token}"));
    assert!(mail["text"].as_str().unwrap().contains(mail["link"].as_str().unwrap()));
    assert_eq!(house.post("/auth/verify-email", "", json!({ "token": token })).await.status, 204);
    let told = house.told("email.verified").await;
    assert_eq!(told, [json!({ "userId": alice.user, "email": "alice@example.com" })]);
    let again = house.post("/auth/verify-email", "", json!({ "token": token })).await;
    assert_eq!(code(&again), (422, "token_invalid"));
    assert_eq!(house.told("email.verified").await.len(), 1);
    // The next token says so.
    let access = Session::of(&house.refresh(&alice.refresh).await).access;
    assert_eq!(crate::tokens::claims(&access)["email_verified"], true);
}

#[tokio::test]
async fn a_verification_is_good_for_a_day_and_for_nothing_else() {
    let house = house(&[]).await;
    house.register("alice").await;
    let mail = house.mail("verify_email", "alice@example.com").await;
    let token = mail["token"].clone();
    let reset = json!({ "token": token, "newPassword": "a new password" });
    assert_eq!(code(&house.post("/auth/password-reset/confirm", "", reset).await), (422, "token_invalid"));
    house.app().db.rows("update mail_tokens set expires_at = expires_at - 86400001", vec![]).await.unwrap();
    let late = house.post("/auth/verify-email", "", json!({ "token": token })).await;
    assert_eq!(code(&late), (422, "token_invalid"));
    for token in [json!(""), json!("nonsense"), mail["link"].clone()] {
        assert_eq!(house.post("/auth/verify-email", "", json!({ "token": token })).await.status, 422);
    }
}

#[tokio::test]
async fn a_verification_can_be_sent_again_until_the_address_is_verified() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let first = house.mail("verify_email", "alice@example.com").await;
    assert_eq!(house.post("/auth/verify-email/resend", "", json!({})).await.status, 401);
    assert_eq!(house.post("/auth/verify-email/resend", &alice.access, json!({})).await.status, 202);
    house.tick().await;
    assert_eq!(house.find_mails("verify_email", "alice@example.com").len(), 2);
    // The first link works still.
    assert_eq!(house.post("/auth/verify-email", "", json!({ "token": first["token"] })).await.status, 204);
    assert_eq!(house.post("/auth/verify-email/resend", &alice.access, json!({})).await.status, 202);
    house.tick().await;
    assert_eq!(house.find_mails("verify_email", "alice@example.com").len(), 2, "verified already");
}

#[tokio::test]
async fn a_reset_answers_the_same_whether_there_is_an_account_or_not() {
    let house = house(&[]).await;
    house.register("alice").await;
    let known = house.post("/auth/password-reset", "", json!({ "email": "Alice@example.com" })).await;
    let unknown = house.post("/auth/password-reset", "", json!({ "email": "nobody@example.com" })).await;
    assert_eq!((known.status, unknown.status), (202, 202));
    assert_eq!(known.body, unknown.body);
    let names = [known, unknown].map(|answer| {
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    });
    assert_eq!(names[0], names[1]);
    assert_eq!(house.post("/auth/password-reset", "", json!({ "email": "nonsense" })).await.status, 422);
    house.mail("password_reset", "alice@example.com").await;
    assert!(house.find_mails("password_reset", "nobody@example.com").is_empty());
    // Both cost a row; the mail to nobody is dropped when its turn comes.
    house.tick().await;
    assert_eq!(house.sql("select count(*) from mails").await, "0");
    assert_eq!(house.sql("select count(*) from mail_tokens where kind = 'password_reset'").await, "1");
}

#[tokio::test]
async fn a_reset_sets_the_password_once_and_ends_every_session() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let phone = Session::of(&house.login("alice", PASSWORD).await);
    house.post("/auth/password-reset", "", json!({ "email": "alice@example.com" })).await;
    let mail = house.mail("password_reset", "alice@example.com").await;
    let token = mail["token"].as_str().unwrap();
    assert!(mail["link"].as_str().unwrap().ends_with(&format!("/reset-password#token={token}")));
    let short = json!({ "token": token, "newPassword": "short" });
    let short = house.post("/auth/password-reset/confirm", "", short).await;
    assert_eq!((short.status, &short.body["errors"][0]["field"]), (422, &json!("newPassword")));
    let confirm = json!({ "token": token, "newPassword": "a new password" });
    assert_eq!(house.keyed("/auth/password-reset/confirm", "", "k", confirm.clone()).await.status, 204);
    for session in [&alice, &phone] {
        assert_eq!(house.refresh(&session.refresh).await.status, 401);
    }
    assert_eq!(house.login("alice", PASSWORD).await.status, 401);
    assert_eq!(house.login("alice", "a new password").await.status, 200);
    let torn = "update idempotency set state = 'running', answer = null, lease_until = 0";
    house.app().db.rows(torn, vec![]).await.unwrap();
    let rerun = house.keyed("/auth/password-reset/confirm", "", "k", confirm.clone()).await;
    assert_eq!(rerun.status, 204, "torn off, and sent again");
    let again = house.post("/auth/password-reset/confirm", "", confirm).await;
    assert_eq!(code(&again), (422, "token_invalid"));
}

#[tokio::test]
async fn a_reset_is_good_for_an_hour_and_the_last_one_used_spends_the_others() {
    let house = house(&[]).await;
    house.register("alice").await;
    let mut tokens = Vec::new();
    for n in 1..=3 {
        house.post("/auth/password-reset", "", json!({ "email": "alice@example.com" })).await;
        house.tick().await;
        let mails = house.find_mails("password_reset", "alice@example.com");
        assert_eq!(mails.len(), n);
        tokens.push(mails[n - 1]["token"].clone());
    }
    let confirm = async |token: &serde_json::Value| {
        let body = json!({ "token": token, "newPassword": "a new password" });
        house.post("/auth/password-reset/confirm", "", body).await.status
    };
    let old = format!(
        "update mail_tokens set expires_at = expires_at - 3600001 where hash = '{}'",
        hash(tokens[2].as_str().unwrap())
    );
    house.app().db.rows(&old, vec![]).await.unwrap();
    assert_eq!(confirm(&tokens[2]).await, 422, "too old");
    assert_eq!(confirm(&tokens[1]).await, 204);
    assert_eq!(confirm(&tokens[0]).await, 422, "spent with the other");
}

fn hash(token: &str) -> String {
    hmac_sha256::Hash::hash(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn mail_that_cannot_be_sent_is_sent_later_and_given_up_after_a_day() {
    let house = house(&[]).await;
    *house.hook.lock().unwrap() = 500;
    house.register("alice").await;
    house.tick().await;
    assert_eq!(house.sql("select count(*) from mails where attempts = 1").await, "1", "it backs off");
    house.app().db.rows("update mails set due_at = 0", vec![]).await.unwrap();
    house.tick().await;
    assert_eq!(house.sql("select count(*) from mails where attempts = 2").await, "1");
    *house.hook.lock().unwrap() = 200;
    house.tick().await;
    assert!(house.find_mails("verify_email", "alice@example.com").is_empty(), "not due yet");
    house.app().db.rows("update mails set due_at = 0", vec![]).await.unwrap();
    house.tick().await;
    let mail = house.mail("verify_email", "alice@example.com").await;
    assert_eq!(house.post("/auth/verify-email", "", json!({ "token": mail["token"] })).await.status, 204);
    assert_eq!(house.sql("select count(*) from mails").await, "0");

    *house.hook.lock().unwrap() = 500;
    house.register("bob").await;
    house.tick().await;
    let long_ago = "update mails set queued_at = queued_at - 86400001, due_at = 9000000000000";
    house.app().db.rows(long_ago, vec![]).await.unwrap();
    house.app().db.rows("delete from chores", vec![]).await.unwrap();
    house.tick().await;
    assert_eq!(house.sql("select count(*) from mails").await, "0");
}

#[tokio::test]
async fn mails_asked_for_are_limited_for_known_and_unknown_alike() {
    let house = house(&[("rate_limits", "on")]).await;
    house.register("alice").await;
    for email in ["alice@example.com", "nobody@example.com"] {
        let ask = async || house.post("/auth/password-reset", "", json!({ "email": email })).await;
        for _ in 0..10 {
            assert_eq!(ask().await.status, 202);
        }
        assert_eq!(code(&ask().await), (429, "rate_limited"));
    }
}
