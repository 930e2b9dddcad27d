//! `/auth/login`, `/auth/refresh`, `/auth/logout`, `/auth/sessions`.

use http::Method;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Session, code, house, keys_of};

#[tokio::test]
async fn logging_in_answers_a_session_with_exactly_its_keys() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let answer = house.login("alice", PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(keys_of(&answer.body), ["accessToken", "expiresIn", "refreshToken", "tokenType", "user"]);
    assert_eq!(answer.body["tokenType"], "Bearer");
    assert_eq!(answer.body["expiresIn"], 900);
    assert_eq!(answer.body["user"]["id"], alice.user);
    assert_eq!(answer.headers["cache-control"], "no-store");
    // However the address is typed.
    let body = json!({ "email": " ALICE@Example.com ", "password": PASSWORD });
    assert_eq!(house.post("/auth/login", "", body).await.status, 200);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let house = house(&[]).await;
    house.register("alice").await;
    let long = "x".repeat(5000);
    for (name, password) in [
        ("alice", "wrong password"),
        ("nobody", PASSWORD),
        ("alice", ""),
        ("alice", long.as_str()),
        ("not an", "x"),
    ] {
        let answer = house.login(name, password).await;
        assert_eq!(code(&answer), (401, "invalid_credentials"), "{name}");
        assert!(answer.headers.contains_key("www-authenticate"));
        let body = answer.body.as_object().unwrap();
        assert_eq!(body["detail"], "The e-mail address or the password is wrong.");
    }
}

#[tokio::test]
async fn an_unknown_address_takes_as_long_as_a_wrong_password() {
    let house = house(&[]).await;
    house.register("alice").await;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..7 {
        for (index, name) in ["alice", "nobody"].into_iter().enumerate() {
            let start = std::time::Instant::now();
            assert_eq!(house.login(name, "wrong password").await.status, 401);
            times[index].push(start.elapsed().as_secs_f64());
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[1]
    });
    assert!((0.4..2.5).contains(&(known / unknown)), "{known} {unknown}");
}

#[tokio::test]
async fn suspended_people_get_403_and_deleted_ones_the_401_of_strangers() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    house.hear("user.suspended", &alice.user, "suspended", 2).await;
    let refused = house.login("alice", PASSWORD).await;
    assert_eq!(code(&refused), (403, "account_suspended"));
    // It names them and no session, and is 403 as any other of theirs.
    let token = refused.headers["appeal-token"].to_str().unwrap();
    assert_eq!(refused.headers["cache-control"], "no-store");
    let claims = crate::tokens::claims(token);
    assert_eq!((claims["sub"].as_str(), claims.get("sid")), (Some(alice.user.as_str()), None));
    assert_eq!(code(&house.get("/auth/sessions", token).await), (403, "account_suspended"));
    let wrong = house.login("alice", "not the password").await;
    assert_eq!(code(&wrong), (401, "invalid_credentials"), "nobody else learns of it");
    assert!(!wrong.headers.contains_key("appeal-token"));
    assert_eq!(code(&house.refresh(&alice.refresh).await), (403, "account_suspended"));
    assert_eq!(code(&house.get("/auth/sessions", &alice.access).await), (403, "account_suspended"));
    house.hear("user.unsuspended", &alice.user, "active", 3).await;
    assert_eq!(code(&house.refresh(&alice.refresh).await), (401, "invalid_refresh_token"));
    let back = house.login("alice", PASSWORD).await;
    assert_eq!((back.status, back.headers.contains_key("appeal-token")), (200, false));
    house.hear("user.deleted", &alice.user, "deleted", 4).await;
    assert_eq!(code(&house.login("alice", PASSWORD).await), (401, "invalid_credentials"));
    assert_eq!(code(&house.refresh(&alice.refresh).await), (401, "invalid_refresh_token"));
    assert_eq!(code(&house.get("/auth/sessions", &alice.access).await), (401, "invalid_token"));
}

#[tokio::test]
async fn refreshing_gives_another_token_and_uses_the_old_one_up() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let answer = house.refresh(&alice.refresh).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(keys_of(&answer.body), ["accessToken", "expiresIn", "refreshToken", "tokenType", "user"]);
    let second = Session::of(&answer);
    assert_ne!(second.refresh, alice.refresh);
    let third = Session::of(&house.refresh(&second.refresh).await);
    // The successor of the first was used, so this is no lost answer.
    assert_eq!(code(&house.refresh(&alice.refresh).await), (401, "refresh_reused"));
    let newest = house.refresh(&third.refresh).await;
    assert_eq!(code(&newest), (401, "invalid_refresh_token"), "the whole family is over");
    assert_eq!(code(&house.refresh(&alice.refresh).await), (401, "refresh_reused"), "again");
    // Another device is untouched.
    let other = Session::of(&house.login("alice", PASSWORD).await);
    assert_eq!(house.refresh(&other.refresh).await.status, 200);
}

#[tokio::test]
async fn a_lost_answer_gets_another_token_within_ten_seconds() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let lost = Session::of(&house.refresh(&alice.refresh).await);
    let again = house.refresh(&alice.refresh).await;
    assert_eq!(again.status, 200, "{again:?}");
    let again = Session::of(&again);
    assert_ne!(again.refresh, lost.refresh);
    assert_eq!(house.refresh(&again.refresh).await.status, 200);
    assert_eq!(code(&house.refresh(&alice.refresh).await), (401, "refresh_reused"));
}

#[tokio::test]
async fn a_used_token_after_ten_seconds_ends_the_family() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let next = Session::of(&house.refresh(&alice.refresh).await);
    house.app().db.rows("update sessions set rotated_at = rotated_at - 10001", vec![]).await.unwrap();
    assert_eq!(code(&house.refresh(&alice.refresh).await), (401, "refresh_reused"));
    assert_eq!(house.refresh(&next.refresh).await.status, 401);
}

#[tokio::test]
async fn two_tokens_of_a_lost_answer_cannot_both_go_on() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let one = Session::of(&house.refresh(&alice.refresh).await);
    let other = Session::of(&house.refresh(&alice.refresh).await);
    let next = Session::of(&house.refresh(&one.refresh).await);
    assert_eq!(house.refresh(&next.refresh).await.status, 200);
    assert_eq!(code(&house.refresh(&other.refresh).await), (401, "refresh_reused"));
}

#[tokio::test]
async fn a_refresh_token_lives_thirty_days_from_its_making() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let lives = "select (t.expires_at - s.minted_at) / 86400000 from refresh_tokens as t join sessions as s on s.pk = t.session";
    assert_eq!(house.sql(lives).await, "30");
    house
        .app()
        .db
        .rows("update refresh_tokens set expires_at = expires_at - 2592000001", vec![])
        .await
        .unwrap();
    assert_eq!(code(&house.refresh(&alice.refresh).await), (401, "invalid_refresh_token"));
    assert_eq!(code(&house.refresh("nonsense").await), (401, "invalid_refresh_token"));
    assert_eq!(house.post("/auth/refresh", "", json!({ "refreshToken": 5 })).await.status, 422);
    assert_eq!(house.post("/auth/refresh", "", json!({})).await.status, 422);
}

#[tokio::test]
async fn while_users_is_away_no_refresh_token_is_used_up() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    house.stop_users();
    for _ in 0..2 {
        assert_eq!(house.refresh(&alice.refresh).await.status, 503);
    }
    house.app().db.rows("update sessions set rotated_at = rotated_at - 60000", vec![]).await.unwrap();
    house.start_users();
    assert_eq!(house.refresh(&alice.refresh).await.status, 200);
}

#[tokio::test]
async fn a_refresh_under_a_key_is_replayed_and_one_torn_off_gives_a_working_token() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let body = json!({ "refreshToken": alice.refresh });
    let first = house.keyed("/auth/refresh", "", "k", body.clone()).await;
    let again = house.keyed("/auth/refresh", "", "k", body.clone()).await;
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    // As if the service had died between its write and its answer, long ago.
    let torn = "update idempotency set state = 'running', answer = null, lease_until = 0";
    house.app().db.rows(torn, vec![]).await.unwrap();
    house.app().db.rows("update sessions set rotated_at = rotated_at - 60000", vec![]).await.unwrap();
    let rerun = house.keyed("/auth/refresh", "", "k", body).await;
    assert_eq!(rerun.status, 200, "{rerun:?}");
    assert_eq!(house.refresh(&Session::of(&rerun).refresh).await.status, 200);
}

#[tokio::test]
async fn a_login_torn_off_after_its_write_opens_one_session_and_its_token_works() {
    let house = house(&[]).await;
    house.register("alice").await;
    let body = json!({ "email": "alice@example.com", "password": PASSWORD });
    assert_eq!(house.keyed("/auth/login", "", "k", body.clone()).await.status, 200);
    let torn = "update idempotency set state = 'running', answer = null, lease_until = 0";
    house.app().db.rows(torn, vec![]).await.unwrap();
    let rerun = house.keyed("/auth/login", "", "k", body).await;
    assert_eq!(rerun.status, 200, "{rerun:?}");
    assert_eq!(house.refresh(&Session::of(&rerun).refresh).await.status, 200);
    assert_eq!(house.sql("select count(*) from sessions").await, "2", "registered, and signed in once");
}

#[tokio::test]
async fn two_refreshes_at_once_both_get_a_token_of_one_family() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let both = [house.refresh(&alice.refresh), house.refresh(&alice.refresh)];
    let both = futures_util::future::join_all(both).await;
    let [one, other] = both.as_slice() else { panic!("two were asked") };
    assert_eq!((one.status, other.status), (200, 200));
    assert_ne!(one.body["refreshToken"], other.body["refreshToken"]);
    assert_eq!(house.sql("select count(*) from sessions").await, "1");
    assert_eq!(house.sql("select generation from sessions").await, "2");
}

#[tokio::test]
async fn tokens_are_kept_as_hashes_alone() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let next = Session::of(&house.refresh(&alice.refresh).await);
    let mail = house.mail("verify_email", "alice@example.com").await;
    let secrets = [&alice.refresh, &next.refresh, mail["token"].as_str().unwrap(), PASSWORD, &alice.access];
    for file in std::fs::read_dir(&house.world.platform.folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret}");
        }
    }
}

#[tokio::test]
async fn logging_out_ends_the_session_and_answers_204_always() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    for token in [json!(alice.refresh), json!(alice.refresh), json!("unknown"), json!(5), Value::Null] {
        assert_eq!(house.post("/auth/logout", "", json!({ "refreshToken": token })).await.status, 204);
    }
    assert_eq!(house.post("/auth/logout", "", json!({})).await.status, 204);
    assert_eq!(code(&house.refresh(&alice.refresh).await), (401, "invalid_refresh_token"));
    // A token used before ends its session as well.
    let first = Session::of(&house.login("alice", PASSWORD).await);
    let next = Session::of(&house.refresh(&first.refresh).await);
    house.post("/auth/logout", "", json!({ "refreshToken": first.refresh })).await;
    assert_eq!(house.refresh(&next.refresh).await.status, 401);
}

#[tokio::test]
async fn the_list_of_sessions_names_the_current_one() {
    let house = house(&[]).await;
    let first = house.register("alice").await;
    let agent = "Scooter/1.0 ".to_owned() + &"x".repeat(300);
    let body = json!({ "email": "alice@example.com", "password": PASSWORD });
    let headers = [("user-agent", agent.as_str())];
    let second = house.world.call("auth", Method::POST, "/auth/login", "", &headers, body).await;
    let second = Session::of(&second);
    let list = house.get("/auth/sessions", &second.access).await;
    assert_eq!(list.status, 200, "{list:?}");
    assert_eq!(keys_of(&list.body), ["items"]);
    let items = list.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    for item in items {
        assert_eq!(keys_of(item), ["createdAt", "current", "id", "lastUsedAt", "userAgent"]);
    }
    assert_eq!((&items[0]["current"], &items[1]["current"]), (&json!(true), &json!(false)), "newest first");
    assert_eq!(items[0]["userAgent"].as_str().unwrap().chars().count(), 200);
    assert_eq!(items[1]["userAgent"], Value::Null);
    // A refresh stays in its session.
    let refreshed = Session::of(&house.refresh(&first.refresh).await);
    let list = house.get("/auth/sessions", &refreshed.access).await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 2);
    assert_eq!(list.body["items"][1]["current"], true);
    assert_eq!(house.get("/auth/sessions", "").await.status, 401);
}

#[tokio::test]
async fn deleting_a_session_ends_it_and_anothers_is_404() {
    let house = house(&[]).await;
    let alice = house.register("alice").await;
    let phone = Session::of(&house.login("alice", PASSWORD).await);
    let bob = house.register("bob").await;
    let list = house.get("/auth/sessions", &alice.access).await;
    let id = list.body["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/auth/sessions/{id}");
    assert_eq!(code(&house.world.delete("auth", &path, &bob.access).await), (404, "not_found"));
    assert_eq!(house.refresh(&phone.refresh).await.status, 200, "bob changed nothing");
    assert_eq!(house.world.delete("auth", &path, &alice.access).await.status, 204);
    assert_eq!(house.world.delete("auth", &path, &alice.access).await.status, 404);
    assert_eq!(house.refresh(&phone.refresh).await.status, 401);
    assert_eq!(house.get("/auth/sessions", &alice.access).await.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(house.world.delete("auth", "/auth/sessions/nonsense", &alice.access).await.status, 404);
    assert_eq!(house.world.delete("auth", &path, "").await.status, 401);
}

#[tokio::test]
async fn nobody_has_more_than_a_hundred_devices() {
    let house = house(&[]).await;
    let first = house.register("alice").await;
    let many = "insert into sessions (id, account, created_at, last_used_at, rotated_at, minted, minted_at)
        select 's' || value, a.pk, '2099-01-01T00:00:00.000Z', '2099-01-01T00:00:00.000Z', 0, 'h' || value, 0
        from json_each('[' || substr(replace(hex(zeroblob(120)), '0', ',1'), 2) || ']') as n, accounts as a
        group by n.key";
    let many = many.replace("'s' || value", "'s' || n.key").replace("'h' || value", "'h' || n.key");
    house.app().db.rows(&many, vec![]).await.unwrap();
    assert_eq!(house.sql("select count(*) from sessions where ended_at is null").await, "100");
    assert_eq!(code(&house.refresh(&first.refresh).await), (401, "invalid_refresh_token"), "the oldest went");
}

#[tokio::test]
async fn the_thirty_first_attempt_in_five_minutes_is_429() {
    let house = house(&[("rate_limits", "on")]).await;
    let login = async |name: &str, address: &str| {
        let body = json!({ "email": format!("{name}@example.com"), "password": "x" });
        let headers = [("spin-client-addr", address)];
        house.world.call("auth", Method::POST, "/auth/login", "", &headers, body).await
    };
    for n in 0..30 {
        let answer = login("alice", &format!("10.0.0.{n}:1")).await;
        assert_eq!(answer.status, 401);
        assert!(answer.headers.contains_key("ratelimit-policy"));
    }
    let refused = login("alice", "10.0.0.99:1").await;
    assert_eq!(code(&refused), (429, "rate_limited"), "one account from everywhere");
    assert!(refused.headers.contains_key("retry-after"));
    let told = refused.headers["ratelimit"].to_str().unwrap();
    assert_eq!(told.matches("\"login\"").count(), 1, "of account and address the tighter: {told}");
    assert!(told.starts_with("\"login\";r=0;t=300") || told.starts_with("\"login\";r=0;t=29"), "{told}");
    for n in 0..30 {
        assert_eq!(login(&format!("person{n}"), "10.9.9.9:1").await.status, 401);
    }
    assert_eq!(login("carla", "10.9.9.9:1").await.status, 429, "everyone from one address");
    assert_eq!(login("carla", "10.9.9.10:1").await.status, 401);
}

#[tokio::test]
async fn a_bad_token_is_401_on_open_routes_but_not_when_logging_out() {
    let house = house(&[]).await;
    let refresh = json!({ "refreshToken": house.register("alice").await.refresh });
    let open = [
        ("/auth/register", json!({ "email": "bob@example.com", "password": PASSWORD })),
        ("/auth/login", json!({ "email": "alice@example.com", "password": PASSWORD })),
        ("/auth/refresh", refresh.clone()),
        ("/auth/verify-email", json!({ "token": "x" })),
        ("/auth/password-reset", json!({ "email": "alice@example.com" })),
        ("/auth/password-reset/confirm", json!({ "token": "x", "newPassword": PASSWORD })),
    ];
    for (path, body) in open {
        let answer = house.post(path, "nonsense", body).await;
        assert_eq!(code(&answer), (401, "invalid_token"), "{path}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"", "{path}");
    }
    let refreshed = house.post("/auth/refresh", "", refresh.clone()).await;
    assert_eq!(refreshed.status, 200, "nothing was used up");
    assert_eq!(house.post("/auth/logout", "nonsense", refresh).await.status, 204, "always");
}
