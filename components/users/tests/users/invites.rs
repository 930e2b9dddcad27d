//! `/me/invite`, and coming in by one.

use serde_json::{Value, json};
use shared::params;
use shared::testing::World;

use crate::{block, field, keys, newcomer, person, problem, register, world, world_with};

async fn invite(world: &World, token: &str) -> String {
    let answer = world.post("users", "/me/invite", token, Value::Null).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body["code"].as_str().unwrap().to_owned()
}

fn by(world: &World, handle: &str, code: &str) -> Value {
    let mut body = newcomer(world, handle);
    body["inviteCode"] = json!(code);
    body
}

async fn list(world: &World, token: &str) -> Value {
    world.get("users", "/me/invite", token).await.body
}

#[tokio::test]
async fn an_invite_is_a_code_a_link_and_a_date() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    assert_eq!(list(&world, &alice).await, json!({ "items": [], "remaining": 10 }));
    let answer = world.post("users", "/me/invite", &alice, Value::Null).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(keys(&answer.body), ["code", "createdAt", "expiresAt", "url", "usedBy"]);
    let code = answer.body["code"].as_str().unwrap();
    assert_eq!(code.len(), 8);
    assert_eq!(answer.body["url"], format!("http://127.0.0.1:3000/join#{code}"));
    assert_eq!(list(&world, &alice).await, json!({ "items": [answer.body], "remaining": 9 }));
}

#[tokio::test]
async fn ten_invites_and_no_more_until_one_expires_unused() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let (_, bob) = person(&world, "bob").await;
    for _ in 0..10 {
        invite(&world, &alice).await;
    }
    let refused = world.post("users", "/me/invite", &alice, Value::Null).await;
    assert_eq!(problem(&refused), (403, "invite_quota"));
    assert_eq!(list(&world, &alice).await["remaining"], 0);
    assert_eq!(list(&world, &bob).await, json!({ "items": [], "remaining": 10 }), "hers are not his");
    let expire = "update invites set expires_at = '2026-01-01T00:00:00.000Z'
        where code = (select min(code) from invites)";
    world.app("users").db.rows(expire, vec![]).await.unwrap();
    assert_eq!(list(&world, &alice).await["remaining"], 1);
    invite(&world, &alice).await;
}

#[tokio::test]
async fn who_came_by_an_invite_is_shown_to_who_invited_unless_hidden_from_them() {
    let world = world().await;
    let (alice_id, alice) = person(&world, "alice").await;
    let code = invite(&world, &alice).await;
    let bob = register(&world, &by(&world, "bob", &code)).await;
    assert_eq!(bob.status, 201, "{bob:?}");
    let items = list(&world, &alice).await["items"].clone();
    assert_eq!(items[0]["usedBy"]["handle"], "bob");
    assert_eq!(
        keys(&items[0]["usedBy"]),
        ["avatarUrl", "bio", "createdAt", "displayName", "handle", "id", "private"]
    );
    let bob = shared::ids::Id::parse(bob.body["id"].as_str().unwrap()).unwrap();
    block(&world, bob, alice_id).await;
    assert_eq!(list(&world, &alice).await, json!({ "items": [], "remaining": 9 }));
}

#[tokio::test]
async fn without_a_good_invite_nobody_comes_in_where_one_is_required() {
    let world = world_with(&[("registration", "invite")]).await;
    let alice = world.people("users", &["alice"]).await[0];
    let alice = world.token(alice);
    let code = invite(&world, &alice).await;
    for wrong in [Value::Null, json!(""), json!("nonsense"), json!(code.to_lowercase() + "x")] {
        let mut body = newcomer(&world, "bob");
        body["inviteCode"] = wrong;
        assert_eq!(problem(&register(&world, &body).await), (403, "invite_required"));
    }
    let body = by(&world, "bob", &code);
    assert_eq!(register(&world, &body).await.status, 201);
    assert_eq!(register(&world, &body).await.status, 201, "sent again it is the same registration");
    assert_eq!(problem(&register(&world, &by(&world, "carla", &code)).await), (403, "invite_required"));
    let expired = invite(&world, &alice).await;
    let expire = "update invites set expires_at = ?1 where code = ?2";
    world.app("users").db.rows(expire, params!["2026-01-01T00:00:00.000Z", expired.as_str()]).await.unwrap();
    assert_eq!(problem(&register(&world, &by(&world, "carla", &expired)).await), (403, "invite_required"));
}

#[tokio::test]
async fn a_refused_registration_leaves_the_invite_unused() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let code = invite(&world, &alice).await;
    assert_eq!(problem(&register(&world, &by(&world, "alice", &code)).await), (409, "handle_taken"));
    assert_eq!(list(&world, &alice).await["items"][0]["usedBy"], Value::Null);
    assert_eq!(register(&world, &by(&world, "bob", &code)).await.status, 201);
}

#[tokio::test]
async fn where_registration_is_open_an_invite_names_the_inviter_and_a_bad_one_is_422() {
    let world = world().await;
    let (alice_id, alice) = person(&world, "alice").await;
    let answer = register(&world, &by(&world, "bob", "nonsense")).await;
    assert_eq!((problem(&answer), field(&answer)), ((422, "invite_invalid"), "inviteCode"));
    let code = invite(&world, &alice).await;
    assert_eq!(register(&world, &by(&world, "bob", &code)).await.status, 201);
    let inviter = "select i.id from people as p join profiles as f on f.person = p.pk
        join people as i on i.pk = f.invited_by where p.handle = 'bob'";
    let inviter = world.app("users").db.read(inviter, vec![]).await.unwrap();
    assert_eq!(inviter, Some(alice_id.to_string()));
}

#[tokio::test]
async fn two_who_use_one_invite_at_once_do_not_both_come_in() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let code = invite(&world, &alice).await;
    let (bob, carla) = (by(&world, "bob", &code), by(&world, "carla", &code));
    let (one, other) = tokio::join!(register(&world, &bob), register(&world, &carla));
    let mut both = [one.status, other.status];
    both.sort_unstable();
    assert_eq!(both, [201, 422]);
}
