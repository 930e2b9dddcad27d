//! `/me/invite`, and coming in by one.

use serde_json::{Value, json};
use shared::ids::Id;
use shared::jwks::ExtraClaims;
use shared::params;
use shared::testing::{Answer, World};

use crate::{block, field, keys, newcomer, person, problem, register, suspend, world, world_with};

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

/// Where erin is an administrator.
async fn admin_world() -> (World, String) {
    let world = world_with(&[("admin_emails", "erin@example.org")]).await;
    let (erin, _) = person(&world, "erin").await;
    let verified = (Some("erin@example.org".to_owned()), Some(json!(true)));
    let claims = ExtraClaims { email: verified.0, email_verified: verified.1, ..ExtraClaims::default() };
    let token = world.token_with(erin, claims);
    (world, token)
}

/// Somebody who comes by an invite of the person with `token`.
async fn comes(world: &World, token: &str, handle: &str) -> (Id, String) {
    let code = invite(world, token).await;
    let answer = register(world, &by(world, handle, &code)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = Id::parse(answer.body["id"].as_str().unwrap()).unwrap();
    (id, world.token(id))
}

async fn tree(world: &World, token: &str, id: Id, query: &str) -> Answer {
    world.get("users", &format!("/admin/users/{id}/invites{query}"), token).await
}

/// Its rows in words: the generation, who, where they stand, how many they invited.
fn words(tree: &Answer) -> Vec<String> {
    assert_eq!(tree.status, 200, "{tree:?}");
    let word = |item: &Value| {
        let handle = item["user"]["handle"].as_str().unwrap_or("nobody");
        format!("{} {handle} {} {}", item["depth"], item["status"].as_str().unwrap(), item["invited"])
    };
    tree.body["items"].as_array().unwrap().iter().map(word).collect()
}

#[tokio::test]
async fn a_tree_of_invites_is_all_who_came_by_them_nearest_first() {
    let (world, erin) = admin_world().await;
    let (alice_id, alice) = person(&world, "alice").await;
    let (bob_id, bob) = comes(&world, &alice, "bob").await;
    let (carla_id, carla) = comes(&world, &alice, "carla").await;
    comes(&world, &carla, "dave").await;
    comes(&world, &bob, "erik").await;
    invite(&world, &bob).await;
    let (_, frida) = comes(&world, &bob, "frida").await;
    comes(&world, &frida, "gustav").await;
    person(&world, "stranger").await;
    suspend(&world, carla_id, true).await;
    let all = tree(&world, &erin, alice_id, "").await;
    let expected = [
        "1 bob active 2",
        "1 carla suspended 1",
        "2 dave active 0",
        "2 erik active 0",
        "2 frida active 1",
        "3 gustav active 0",
    ];
    assert_eq!(words(&all), expected);
    assert_eq!(keys(&all.body), ["invitedBy", "items", "nextCursor", "status", "user"]);
    assert_eq!((&all.body["user"]["handle"], &all.body["invitedBy"]), (&json!("alice"), &Value::Null));
    let item = &all.body["items"][2];
    assert_eq!(keys(item), ["code", "depth", "invited", "invitedAt", "invitedBy", "status", "user"]);
    assert_eq!(
        (item["invitedBy"].as_str(), item["code"].as_str().unwrap().len()),
        (Some(carla_id.to_string().as_str()), 8)
    );
    let below = tree(&world, &erin, bob_id, "").await;
    assert_eq!(words(&below), ["1 erik active 0", "1 frida active 1", "2 gustav active 0"]);
    assert_eq!(below.body["invitedBy"]["handle"], "alice");
    let suspended = tree(&world, &erin, carla_id, "").await;
    assert_eq!(
        (words(&suspended), &suspended.body["status"]),
        (vec!["1 dave active 0".to_owned()], &json!("suspended"))
    );
}

#[tokio::test]
async fn a_tree_is_paged_without_repeats_while_it_grows() {
    let (world, erin) = admin_world().await;
    let (alice_id, alice) = person(&world, "alice").await;
    let (_, bob) = comes(&world, &alice, "bob").await;
    for name in ["carla", "dave", "erik"] {
        comes(&world, &bob, name).await;
    }
    let first = tree(&world, &erin, alice_id, "?limit=2").await;
    assert_eq!(words(&first), ["1 bob active 3", "2 carla active 0"]);
    comes(&world, &alice, "frida").await;
    comes(&world, &bob, "gustav").await;
    let cursor = first.body["nextCursor"].as_str().unwrap();
    let rest = tree(&world, &erin, alice_id, &format!("?cursor={cursor}")).await;
    assert_eq!(words(&rest), ["2 dave active 0", "2 erik active 0", "2 gustav active 0"]);
    assert_eq!(rest.body["nextCursor"], Value::Null);
    let wrong = tree(&world, &erin, alice_id, "?cursor=x").await;
    assert_eq!(problem(&wrong), (422, "invalid_cursor"));
}

#[tokio::test]
async fn a_tree_has_ten_generations_and_ends_at_who_is_gone() {
    let (world, erin) = admin_world().await;
    let (alice_id, alice) = person(&world, "alice").await;
    let mut line = vec![alice];
    for name in 1..=11 {
        let (_, token) = comes(&world, line.last().unwrap(), &format!("child_{name}")).await;
        line.push(token);
    }
    let all = words(&tree(&world, &erin, alice_id, "").await);
    assert_eq!((all.len(), all[9].as_str()), (10, "10 child_10 active 1"));
    assert_eq!(world.delete("users", "/me", &line[2]).await.status, 202);
    let all = tree(&world, &erin, alice_id, "").await;
    assert_eq!(words(&all), ["1 child_1 active 1", "2 nobody deleted 0"]);
    assert_eq!(all.body["items"][1]["user"], Value::Null);
    let gone = Id::parse(all.body["items"][1]["invitedBy"].as_str().unwrap()).unwrap();
    assert_eq!(words(&tree(&world, &erin, gone, "").await), ["1 nobody deleted 0"]);
    assert_eq!(world.delete("users", "/me", &line[0]).await.status, 202);
    assert_eq!(problem(&tree(&world, &erin, alice_id, "").await), (404, "not_found"));
    assert_eq!(problem(&tree(&world, &erin, world.id(), "").await), (404, "not_found"));
    assert_eq!(
        tree(&world, &erin, gone, "").await.body["invitedBy"],
        Value::Null,
        "who invited them is gone"
    );
}

#[tokio::test]
async fn the_tree_is_for_administrators_alone() {
    let (world, erin) = admin_world().await;
    let (alice_id, alice) = person(&world, "alice").await;
    let (bob_id, bob) = person(&world, "bob").await;
    suspend(&world, bob_id, true).await;
    let unverified = ExtraClaims { email: Some("erin@example.org".to_owned()), ..ExtraClaims::default() };
    let unverified = world.token_with(alice_id, unverified);
    for (token, refusal) in [
        ("", (401, "invalid_token")),
        (shared::testing::WORKER_TOKEN, (401, "invalid_token")),
        (&alice, (403, "admin_required")),
        (&unverified, (403, "admin_required")),
        (&bob, (403, "account_suspended")),
    ] {
        assert_eq!(problem(&tree(&world, token, alice_id, "").await), refusal);
    }
    assert_eq!(tree(&world, &erin, alice_id, "").await.status, 200);
    // Once the address is verified, with the token of before as well; the same of somebody else is none.
    let (frida_id, _) = person(&world, "frida").await;
    let before = |id: Id, email: &str| {
        world.token_with(id, ExtraClaims { email: Some(email.to_owned()), ..ExtraClaims::default() })
    };
    world.app("users").db.rows("update profiles set email = 'erin@example.org' where person = (select pk from people where handle = 'frida')", vec![]).await.unwrap();
    assert_eq!(
        problem(&tree(&world, &before(frida_id, "erin@example.org"), alice_id, "").await),
        (403, "admin_required")
    );
    let verified = json!({ "userId": frida_id, "email": "erin@example.org" });
    world.hear("users", "auth", &[("email.verified", "k", verified)]).await;
    assert_eq!(tree(&world, &before(frida_id, "erin@example.org"), alice_id, "").await.status, 200);
    assert_eq!(
        problem(&tree(&world, &before(alice_id, "erin@example.org"), alice_id, "").await),
        (403, "admin_required")
    );
}
