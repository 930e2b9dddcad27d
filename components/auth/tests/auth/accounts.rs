//! `/auth/register`, `/auth/password`, erasure, export.

use http::Method;
use serde_json::{Value, json};
use shared::testing::INTERNAL_TOKEN;

use crate::support::{PASSWORD, Session, code, house, keys_of};

fn alice() -> Value {
    json!({ "email": "alice@example.com", "password": PASSWORD, "handle": "alice", "displayName": "Alice",
            "inviteCode": "abcdefgh", "id": "0199b7a0-0000-7000-8000-000000000001", "roles": ["admin"],
            "emailVerified": true, "state": "active" })
}

#[tokio::test]
async fn registering_answers_a_session_and_makes_the_person() {
    let house = house(&[]).await;
    let answer = house.post("/auth/register", "", alice()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(keys_of(&answer.body), ["accessToken", "expiresIn", "refreshToken", "tokenType", "user"]);
    let session = Session::of(&answer);
    assert_eq!(house.get("/auth/sessions", &session.access).await.status, 200);
    assert_eq!(house.refresh(&session.refresh).await.status, 200);
    let created = house.users.lock().unwrap().created.clone();
    assert_eq!(keys_of(&created[0]), ["displayName", "email", "handle", "id", "inviteCode"]);
    assert_eq!(created[0]["handle"], "alice");
    // What is not asked for changes nothing.
    assert_ne!(session.user, "0199b7a0-0000-7000-8000-000000000001");
    assert_eq!(house.sql("select count(*) from accounts where verified_at is null").await, "1");
}

#[tokio::test]
async fn every_field_at_fault_is_named() {
    let house = house(&[]).await;
    let answer = house.post("/auth/register", "", json!({ "email": "nonsense", "password": "short" })).await;
    assert_eq!(code(&answer), (422, "invalid"));
    let fields: Vec<_> =
        answer.body["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
    assert_eq!(fields, ["email", "password"]);
    for body in [json!({}), json!({ "email": 5, "password": [] }), json!([]), json!("x")] {
        assert_eq!(house.post("/auth/register", "", body).await.status, 422);
    }
    let long = json!({ "email": "alice@example.com", "password": "x".repeat(129) });
    assert_eq!(house.post("/auth/register", "", long).await.status, 422);
    assert_eq!(house.sql("select count(*) from accounts").await, "0");
}

#[tokio::test]
async fn an_address_has_one_account_however_it_is_written() {
    let house = house(&[]).await;
    house.register("alice").await;
    let body = json!({ "email": "  Alice@EXAMPLE.com", "password": "another password" });
    assert_eq!(code(&house.post("/auth/register", "", body).await), (409, "email_taken"));
    assert_eq!(house.login("alice", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn what_users_refuses_is_answered_and_the_address_is_free_again() {
    let house = house(&[]).await;
    for (status, word) in [(409, "handle_taken"), (422, "handle_invalid"), (403, "invite_required")] {
        house.users.lock().unwrap().refuse = Some((status, word));
        assert_eq!(code(&house.post("/auth/register", "", alice()).await), (status, word));
    }
    house.users.lock().unwrap().refuse = None;
    assert_eq!(house.post("/auth/register", "", alice()).await.status, 201);
}

#[tokio::test]
async fn nobody_registers_while_registration_is_closed() {
    let house = house(&[("registration", "closed")]).await;
    assert_eq!(code(&house.post("/auth/register", "", alice()).await), (403, "registration_closed"));
    assert!(house.users.lock().unwrap().created.is_empty());
}

#[tokio::test]
async fn a_registration_torn_off_is_gone_on_with_under_the_same_id() {
    let house = house(&[]).await;
    house.stop_users();
    assert_eq!(house.post("/auth/register", "", alice()).await.status, 503);
    assert_eq!(code(&house.login("alice", PASSWORD).await), (401, "invalid_credentials"));
    let id = house.sql("select id from accounts").await;
    house.start_users();
    let answer = house.post("/auth/register", "", alice()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(Session::of(&answer).user, id);
    // One that still runs keeps others away.
    let sql = "update accounts set state = 'pending', attempt_until = 9000000000000";
    house.app().db.rows(sql, vec![]).await.unwrap();
    assert_eq!(code(&house.post("/auth/register", "", alice()).await), (409, "email_taken"));
}

#[tokio::test]
async fn who_retries_after_another_took_the_address_over_gets_no_session_of_theirs() {
    let house = house(&[]).await;
    house.stop_users();
    let mallory = json!({ "email": "alice@example.com", "password": "mallory's password" });
    assert_eq!(house.keyed("/auth/register", "", "k", mallory.clone()).await.status, 503);
    house.start_users();
    assert_eq!(house.post("/auth/register", "", alice()).await.status, 201);
    assert_eq!(code(&house.keyed("/auth/register", "", "k", mallory).await), (409, "email_taken"));
    assert_eq!(house.sql("select count(*) from sessions").await, "1");
}

#[tokio::test]
async fn a_registration_under_a_key_happens_once_wherever_it_is_torn_off() {
    let house = house(&[]).await;
    let first = house.keyed("/auth/register", "", "k", alice()).await;
    assert_eq!(first.status, 201);
    let again = house.keyed("/auth/register", "", "k", alice()).await;
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = json!({ "email": "alice@example.com", "password": "another password" });
    assert_eq!(code(&house.keyed("/auth/register", "", "k", other).await), (422, "idempotency_mismatch"));
    // Torn off after the last write, and after the first.
    for effects in ["effects", "json_array(effects -> 0)"] {
        let torn = format!(
            "update idempotency set state = 'running', answer = null, lease_until = 0, effects = {effects}"
        );
        house.app().db.rows(&torn, vec![]).await.unwrap();
        if effects != "effects" {
            let back = "delete from sessions";
            house.app().db.rows(back, vec![]).await.unwrap();
            house.app().db.rows("update accounts set state = 'pending'", vec![]).await.unwrap();
        }
        let rerun = house.keyed("/auth/register", "", "k", alice()).await;
        assert_eq!(rerun.status, 201, "{rerun:?}");
        assert_eq!(rerun.body["user"], first.body["user"]);
        assert_eq!(house.refresh(&Session::of(&rerun).refresh).await.status, 200);
        assert_eq!(house.sql("select count(*) from accounts").await, "1");
        assert_eq!(house.sql("select count(*) from sessions").await, "1");
    }
}

#[tokio::test]
async fn an_abandoned_registration_is_settled_by_what_users_knows() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let sql = "update accounts set state = 'pending', attempt_until = 1";
    house.app().db.rows(sql, vec![]).await.unwrap();
    house.stop_users();
    house.tick().await;
    assert_eq!(house.login("alice", PASSWORD).await.status, 401, "nobody to ask");
    house.start_users();
    house.tick().await;
    assert_eq!(house.login("alice", PASSWORD).await.status, 200);
    house.app().db.rows(sql, vec![]).await.unwrap();
    house.users.lock().unwrap().people.remove(&alice.user);
    house.tick().await;
    assert_eq!(house.sql("select count(*) from accounts").await, "0");
}

#[tokio::test]
async fn changing_the_password_ends_the_other_sessions() {
    let house = house(&[]).await;
    let here = house.register("alice").await;
    let phone = Session::of(&house.login("alice", PASSWORD).await);
    let change = json!({ "currentPassword": PASSWORD, "newPassword": "a new password" });
    assert_eq!(house.post("/auth/password", "", change.clone()).await.status, 401);
    let wrong = json!({ "currentPassword": "wrong password", "newPassword": "a new password" });
    let wrong = house.post("/auth/password", &here.access, wrong).await;
    assert_eq!(code(&wrong), (422, "invalid_credentials"));
    assert_eq!(wrong.body["errors"][0]["field"], "currentPassword");
    let short = json!({ "currentPassword": PASSWORD, "newPassword": "short" });
    let short = house.post("/auth/password", &here.access, short).await;
    assert_eq!((short.status, &short.body["errors"][0]["field"]), (422, &json!("newPassword")));
    assert_eq!(house.post("/auth/password", &here.access, change).await.status, 204);
    assert_eq!(house.refresh(&phone.refresh).await.status, 401);
    assert_eq!(house.refresh(&here.refresh).await.status, 200);
    assert_eq!(house.login("alice", PASSWORD).await.status, 401);
    assert_eq!(house.login("alice", "a new password").await.status, 200);
}

#[tokio::test]
async fn a_change_of_password_torn_off_after_its_write_answers_204_when_sent_again() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let change = json!({ "currentPassword": PASSWORD, "newPassword": "a new password" });
    assert_eq!(house.keyed("/auth/password", &alice.access, "k", change.clone()).await.status, 204);
    let torn = "update idempotency set state = 'running', answer = null, lease_until = 0";
    house.app().db.rows(torn, vec![]).await.unwrap();
    assert_eq!(house.keyed("/auth/password", &alice.access, "k", change).await.status, 204);
}

#[tokio::test]
async fn deleting_a_person_erases_their_rows_and_counts_them() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let bob = house.register("bob").await;
    house.refresh(&alice.refresh).await;
    house.mail("verify_email", "alice@example.com").await;
    house.mail("verify_email", "bob@example.com").await;
    // The mail's row goes once it is sent: an account, a session, two refresh tokens, a mail token.
    house.tick().await;
    house.hear("user.deleted", &alice.user, "deleted", 5).await;
    let told = house.told("erasure.completed").await;
    let expected = json!({ "userId": alice.user, "deletionId": "0199b7a0-0000-7000-8000-00000000dead",
        "service": "auth", "rows": 5 });
    assert_eq!(told, [expected]);
    for table in ["accounts", "sessions", "refresh_tokens", "mail_tokens"] {
        assert_eq!(house.sql(&format!("select count(*) from {table}")).await, "1", "{table}: bob's stays");
    }
    assert_eq!(house.sql("select count(*) from mails").await, "0");
    assert_eq!(code(&house.get("/auth/sessions", &alice.access).await), (401, "invalid_token"));
    assert_eq!(house.get("/auth/sessions", &bob.access).await.status, 200);
    // The address is free for somebody new.
    assert_ne!(house.register("alice").await.user, alice.user);
}

#[tokio::test]
async fn the_events_have_exactly_the_members_of_the_catalogue() {
    use auth::events::{EmailVerified, ErasureCompleted, SessionEnded};
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let mail = house.mail("verify_email", "alice@example.com").await;
    house.post("/auth/verify-email", "", json!({ "token": mail["token"] })).await;
    house.post("/auth/logout", "", json!({ "refreshToken": alice.refresh })).await;
    house.hear("user.deleted", &alice.user, "deleted", 5).await;
    for kind in ["email.verified", "erasure.completed", "session.ended"] {
        let told = house.told(kind).await;
        assert_eq!(told.len(), 1, "{kind}");
        let entry =
            shared::events::CATALOGUE.iter().find(|entry| entry.name == kind && entry.source == "auth");
        let mut members = entry.unwrap().body.to_vec();
        members.sort_unstable();
        assert_eq!(keys_of(&told[0]), members, "{kind}");
        let decodes = match kind {
            "email.verified" => serde_json::from_value::<EmailVerified>(told[0].clone()).is_ok(),
            "session.ended" => serde_json::from_value::<SessionEnded>(told[0].clone()).is_ok(),
            _ => serde_json::from_value::<ErasureCompleted>(told[0].clone()).is_ok(),
        };
        assert!(decodes, "{kind}");
    }
}

#[tokio::test]
async fn the_export_holds_what_is_kept_and_no_secret() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let path = format!("/internal/export/{}", alice.user);
    for token in ["", alice.access.as_str(), shared::testing::WORKER_TOKEN] {
        assert_eq!(house.get(&path, token).await.status, 404);
    }
    let answer = house.get(&path, INTERNAL_TOKEN).await;
    assert_eq!(keys_of(&answer.body), ["account", "sessions"]);
    let account = &answer.body["account"];
    assert_eq!(keys_of(account), ["createdAt", "email", "emailVerified", "emailVerifiedAt", "passwordSetAt"]);
    assert_eq!((&account["email"], &account["emailVerified"]), (&json!("alice@example.com"), &json!(false)));
    assert_eq!(
        keys_of(&answer.body["sessions"][0]),
        ["createdAt", "endedAt", "id", "lastUsedAt", "userAgent"]
    );
    assert!(!answer.body.to_string().contains("argon2"));
    let nobody = house.get(&format!("/internal/export/{}", house.world.id()), INTERNAL_TOKEN).await;
    assert_eq!(nobody.body, json!({ "account": null, "sessions": [] }));
}

#[tokio::test]
async fn bad_input_never_answers_5xx() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let paths = [
        "/auth/register",
        "/auth/login",
        "/auth/refresh",
        "/auth/logout",
        "/auth/password",
        "/auth/verify-email",
        "/auth/verify-email/resend",
        "/auth/password-reset",
        "/auth/password-reset/confirm",
    ];
    let bodies = [
        json!({ "email": "a\u{0}@example.com", "password": "\u{0}".repeat(20), "token": "\u{0}",
                "newPassword": "\u{202e}\u{0}aaaaaaaaaa", "currentPassword": "", "refreshToken": "' or 1=1 --" }),
        json!({ "email": {}, "password": null, "token": 1.5, "newPassword": [], "refreshToken": {} }),
        json!({ "email": "x".repeat(60_000), "password": "x", "token": "x".repeat(1000), "newPassword": "x" }),
    ];
    for path in paths {
        for body in &bodies {
            let answer = house.post(path, &alice.access, body.clone()).await;
            assert!(answer.status < 500, "{path} {answer:?}");
        }
        let text = [("content-type", "text/plain")];
        let answer = house.world.call("auth", Method::POST, path, &alice.access, &text, Value::Null).await;
        assert!((200..500).contains(&answer.status), "{path} {answer:?}");
        let get = house.get(path, "").await;
        assert_eq!(code(&get), (405, "method_not_allowed"), "{path}");
        assert_eq!(get.headers["allow"], "POST");
    }
}
