//! Signing up, in and out; mails; passwords.

use journeys::client::{PASSWORD, Person};
use serde_json::{Value, json};

use crate::{ME, keys, shared, stack};

#[test]
fn registering_answers_a_session_with_exactly_the_documented_members() {
    let nobody = stack().anonymous();
    let body = json!({ "email": "New.Person@Example.com", "password": PASSWORD, "handle": "New_Person", "displayName": "New" });
    let session = nobody.post("/auth/register", body.clone()).expect(201);
    assert_eq!(keys(&session.body), ["accessToken", "expiresIn", "refreshToken", "tokenType", "user"]);
    assert_eq!((&session.body["tokenType"], &session.body["expiresIn"]), (&json!("Bearer"), &json!(900)));
    let me = &session.body["user"];
    assert_eq!(keys(me), ME);
    assert_eq!((&me["email"], &me["handle"]), (&json!("new.person@example.com"), &json!("new_person")));
    nobody.post("/auth/register", body).expect_problem(409, "email_taken");
    let taken = json!({ "email": "other.person@example.com", "password": PASSWORD, "handle": "new_person" });
    nobody.post("/auth/register", taken.clone()).expect_problem(409, "handle_taken");
    // The refused registration left nothing behind.
    let mut free = taken;
    free["handle"] = json!("other_person");
    nobody.post("/auth/register", free).expect(201);
}

#[test]
fn what_a_registration_lacks_is_named_field_by_field() {
    let nobody = stack().anonymous();
    let answer =
        nobody.post("/auth/register", json!({ "email": "no address", "password": "short" })).expect(422);
    let mut fields: Vec<_> =
        answer.body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["email", "password"]);
    let long = json!({ "email": "long@example.com", "password": "x".repeat(129) });
    nobody.post("/auth/register", long).expect(422);
    let handle = json!({ "email": "handle@example.com", "password": PASSWORD, "handle": "9lives" });
    nobody.post("/auth/register", handle).expect_problem(422, "handle_invalid");
}

#[test]
fn a_wrong_password_and_an_unknown_address_answer_alike() {
    let alice = stack().person("alice");
    let nobody = stack().anonymous();
    let wrong = nobody.post("/auth/login", json!({ "email": alice.email, "password": "not the password" }));
    let unknown =
        nobody.post("/auth/login", json!({ "email": "unknown@example.com", "password": "not the password" }));
    assert_eq!(
        wrong.expect_problem(401, "invalid_credentials").body["detail"],
        unknown.expect_problem(401, "invalid_credentials").body["detail"]
    );
    let upper = json!({ "email": alice.email.to_uppercase(), "password": PASSWORD });
    let session = nobody.post("/auth/login", upper).expect(200);
    assert_eq!(session.body["user"]["id"], alice.id.as_str());
}

#[test]
fn a_refresh_token_serves_once_and_its_reuse_ends_the_family() {
    let alice = stack().person("alice");
    let nobody = stack().anonymous();
    let refresh = |token: &str| nobody.post("/auth/refresh", json!({ "refreshToken": token }));
    let second = refresh(&alice.refresh_token).expect(200);
    let second = Person::from_session(&alice.url, &second.body);
    assert_ne!(second.refresh_token, alice.refresh_token);
    second.get("/me").expect(200);
    // A lost answer: the first token again at once, while its successor is unused.
    let twin = refresh(&alice.refresh_token).expect(200);
    let twin = Person::from_session(&alice.url, &twin.body);
    refresh(&second.refresh_token).expect(200);
    // Now the successor is used: the first token again is theft.
    refresh(&alice.refresh_token).expect_problem(401, "refresh_reused");
    assert_eq!(refresh(&twin.refresh_token).status, 401);
    assert_eq!(refresh("nonsense").status, 401);
}

#[test]
fn logging_out_ends_the_session_and_always_succeeds() {
    let alice = stack().person("alice");
    let body = json!({ "refreshToken": alice.refresh_token });
    alice.post("/auth/logout", body.clone()).expect(204);
    alice.post("/auth/logout", body.clone()).expect(204);
    alice.post("/auth/logout", json!({ "refreshToken": "nonsense" })).expect(204);
    assert_eq!(alice.post("/auth/refresh", body).status, 401);
}

#[test]
fn devices_are_listed_and_ended_and_only_by_their_owner() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    let agent = [("user-agent", "Telephone/1.0")];
    let login = json!({ "email": alice.email, "password": PASSWORD });
    let phone = stack().anonymous().send("POST", "/auth/login", &agent, login).expect(200);
    let phone = Person::from_session(&alice.url, &phone.body);
    let sessions = alice.get("/auth/sessions").expect(200);
    let items = sessions.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(keys(&items[0]), ["createdAt", "current", "id", "lastUsedAt", "userAgent"]);
    let other = items.iter().find(|session| session["current"] == false).unwrap();
    assert_eq!(other["userAgent"], "Telephone/1.0");
    let path = format!("/auth/sessions/{}", other["id"].as_str().unwrap());
    bob.delete(&path).expect_problem(404, "not_found");
    alice.delete(&path).expect(204);
    let ended = stack().anonymous().post("/auth/refresh", json!({ "refreshToken": phone.refresh_token }));
    assert_eq!(ended.status, 401);
}

#[test]
fn an_address_is_verified_by_the_token_of_the_mail_once() {
    let (_, mails) = shared();
    let alice = stack().person("alice");
    assert_eq!(alice.get("/me").body["emailVerified"], false);
    let mail = mails.wait_for("verify_email", &alice.email);
    assert_eq!(keys(&mail), ["kind", "link", "subject", "text", "to", "token"]);
    let token = mail["token"].as_str().unwrap();
    let (before, after) = mail["link"].as_str().unwrap().split_once('#').unwrap();
    assert!(!before.contains(token) && after.contains(token), "the token stands after #");
    alice.post("/auth/verify-email/resend", json!({})).expect(202);
    let nobody = stack().anonymous();
    nobody.post("/auth/verify-email", json!({ "token": token })).expect(204);
    assert_eq!(alice.get("/me").body["emailVerified"], true);
    let again = nobody.post("/auth/verify-email", json!({ "token": "nonsense" }));
    assert!((400..500).contains(&again.status), "{again:?}");
}

#[test]
fn a_password_is_reset_by_mail_and_every_session_ends() {
    let (_, mails) = shared();
    let alice = stack().person("alice");
    let nobody = stack().anonymous();
    let known = nobody.post("/auth/password-reset", json!({ "email": alice.email })).expect(202);
    let unknown = nobody.post("/auth/password-reset", json!({ "email": "nobody@example.com" })).expect(202);
    assert_eq!(known.body, unknown.body);
    let token = mails.wait_for("password_reset", &alice.email)["token"].clone();
    assert_eq!(mails.count("nobody@example.com"), 0);
    let short = json!({ "token": token, "newPassword": "short" });
    nobody.post("/auth/password-reset/confirm", short).expect(422);
    let confirm = json!({ "token": token, "newPassword": "a new and long password" });
    nobody.post("/auth/password-reset/confirm", confirm.clone()).expect(204);
    let again = nobody.post("/auth/password-reset/confirm", confirm);
    assert!((400..500).contains(&again.status), "{again:?}");
    assert_eq!(nobody.post("/auth/refresh", json!({ "refreshToken": alice.refresh_token })).status, 401);
    nobody.post("/auth/login", json!({ "email": alice.email, "password": PASSWORD })).expect(401);
    nobody
        .post("/auth/login", json!({ "email": alice.email, "password": "a new and long password" }))
        .expect(200);
}

#[test]
fn changing_the_password_ends_the_other_sessions() {
    let alice = stack().person("alice");
    let nobody = stack().anonymous();
    let login = json!({ "email": alice.email, "password": PASSWORD });
    let phone = Person::from_session(&alice.url, &nobody.post("/auth/login", login).expect(200).body);
    let wrong = json!({ "currentPassword": "not the password", "newPassword": "another long password" });
    let refused = alice.post("/auth/password", wrong);
    assert!((400..500).contains(&refused.status), "{refused:?}");
    let change = json!({ "currentPassword": PASSWORD, "newPassword": "another long password" });
    alice.post("/auth/password", change).expect(204);
    assert_eq!(nobody.post("/auth/refresh", json!({ "refreshToken": phone.refresh_token })).status, 401);
    nobody.post("/auth/refresh", json!({ "refreshToken": alice.refresh_token })).expect(200);
}

#[test]
fn the_issuer_tells_where_its_keys_are() {
    let nobody = stack().anonymous();
    let discovery = nobody.get("/.well-known/openid-configuration").expect(200);
    assert_eq!(discovery.body["issuer"], stack().url.as_str());
    let host = [("host", "evil.example"), ("x-forwarded-host", "evil.example")];
    let spoofed = nobody.send("GET", "/.well-known/openid-configuration", &host, Value::Null);
    assert_eq!(spoofed.body, discovery.body, "the issuer is ours whatever the request says");
    let jwks = nobody.get("/.well-known/jwks.json").expect(200);
    let key = &jwks.body["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    assert!(key["kid"].is_string() && key.get("d").is_none());
}

#[test]
fn registration_may_be_closed_or_by_invite_and_the_inviter_is_recorded() {
    let invite = journeys::Stack::start(&[("registration", "invite"), ("admin_emails", "")]);
    let invite = invite.unwrap_or_else(|error| panic!("{error:#}"));
    let nobody = invite.anonymous();
    let body = json!({ "email": "alice@example.com", "password": PASSWORD });
    nobody.post("/auth/register", body).expect_problem(403, "invite_required");
    let code = json!({ "email": "alice@example.com", "password": PASSWORD, "inviteCode": "ABCDEFGH" });
    let refused = nobody.post("/auth/register", code);
    assert!([403, 422].contains(&refused.status), "{refused:?}");
    let closed =
        journeys::Stack::start(&[("registration", "closed")]).unwrap_or_else(|error| panic!("{error:#}"));
    let body = json!({ "email": "alice@example.com", "password": PASSWORD });
    closed.anonymous().post("/auth/register", body).expect_problem(403, "registration_closed");
}
