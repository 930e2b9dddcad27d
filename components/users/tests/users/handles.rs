//! `/username`.

use serde_json::{Value, json};
use shared::params;
use shared::testing::{Answer, INTERNAL_TOKEN, World};

use crate::{ME, field, keys, person, problem, world, world_with};

async fn take(world: &World, token: &str, handle: &str) -> Answer {
    world.post("users", "/username", token, json!({ "handle": handle })).await
}

async fn ask(world: &World, token: &str, handle: &str) -> Value {
    world.get("users", &format!("/username?handle={handle}"), token).await.body
}

/// As if so many days had gone by.
async fn days_pass(world: &World, days: i64) {
    let sql = "update old_handles set given_up_at =
        strftime('%Y-%m-%dT%H:%M:%fZ', given_up_at, '-' || ?1 || ' days')";
    world.app("users").db.rows(sql, params![days]).await.unwrap();
}

#[tokio::test]
async fn a_handle_of_any_case_is_taken_and_stored_lower() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let answer = take(&world, &alice, "Alice_In_Wonder").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(keys(&answer.body), ME);
    assert_eq!(answer.body["handle"], "alice_in_wonder");
    assert_eq!(take(&world, &alice, "ALICE_IN_WONDER").await.status, 200, "it is hers already");
}

#[tokio::test]
async fn what_is_no_handle_is_422_handle_invalid() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    for wrong in ["", "ab", "1abc", "_abc", "a-b-c", "a b c", "äbc", "abc\u{0}", &"a".repeat(21)] {
        let answer = take(&world, &alice, wrong).await;
        assert_eq!((problem(&answer), field(&answer)), ((422, "handle_invalid"), "handle"), "{wrong:?}");
    }
    assert_eq!(field(&world.post("users", "/username", &alice, json!({})).await), "handle");
    let number = world.post("users", "/username", &alice, json!({ "handle": 7 })).await;
    assert_eq!((number.status, field(&number)), (422, "handle"));
}

#[tokio::test]
async fn taken_and_reserved_handles_are_409() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    person(&world, "bob").await;
    for handle in ["bob", "BOB", "admin", "Support", "scooterbooter"] {
        assert_eq!(problem(&take(&world, &alice, handle).await), (409, "handle_taken"), "{handle}");
    }
}

#[tokio::test]
async fn a_handle_given_up_is_held_for_30_days_but_for_who_had_it() {
    let world = world().await;
    let (id, alice) = person(&world, "alice").await;
    let (_, bob) = person(&world, "bob").await;
    assert_eq!(take(&world, &alice, "alice_two").await.status, 200);
    assert_eq!(problem(&take(&world, &bob, "alice").await), (409, "handle_taken"));
    let path = "/internal/handles/Alice";
    let followed = world.get("users", path, INTERNAL_TOKEN).await;
    assert_eq!((followed.status, followed.body), (200, json!({ "id": id, "handle": "alice_two" })));
    assert_eq!(take(&world, &alice, "alice").await.status, 200, "she may have it back");
    assert_eq!(world.get("users", path, INTERNAL_TOKEN).await.status, 404, "it is somebody's now");
    assert_eq!(take(&world, &alice, "alice_two").await.status, 200);
    days_pass(&world, 31).await;
    assert_eq!(world.get("users", path, INTERNAL_TOKEN).await.status, 404, "held no longer");
    assert_eq!(take(&world, &bob, "alice").await.status, 200);
    assert_eq!(world.get("users", "/internal/handles/nobody", INTERNAL_TOKEN).await.status, 404);
}

#[tokio::test]
async fn the_eleventh_change_of_a_day_is_429() {
    let world = world_with(&[("rate_limits", "on")]).await;
    let (_, alice) = person(&world, "alice").await;
    for number in 0..10 {
        assert_eq!(take(&world, &alice, &format!("alice_{number}")).await.status, 200);
    }
    let refused = take(&world, &alice, "alice_10").await;
    assert_eq!(problem(&refused), (429, "rate_limited"));
    let after: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((86_000..=86_401).contains(&after), "{after}");
    assert_eq!(take(&world, &alice, "alice_9").await.status, 200, "no change is no change");
    days_pass(&world, 1).await;
    assert_eq!(take(&world, &alice, "alice_10").await.status, 200);
}

#[tokio::test]
async fn anybody_may_ask_whether_a_handle_is_free_and_why_not() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let (_, bob) = person(&world, "bob").await;
    take(&world, &alice, "alice_two").await;
    let taken = json!({ "available": false, "reason": "handle_taken" });
    assert_eq!(ask(&world, "", "carla").await, json!({ "available": true, "reason": null }));
    for handle in ["alice_two", "ALICE_TWO", "alice", "admin"] {
        assert_eq!(ask(&world, "", handle).await, taken, "{handle}");
        assert_eq!(ask(&world, &bob, handle).await, taken, "{handle}");
    }
    assert_eq!(ask(&world, &alice, "alice").await["available"], true, "she may have it back");
    for handle in ["ab", "a%20b%20c", "", "1abc"] {
        assert_eq!(ask(&world, "", handle).await, json!({ "available": false, "reason": "handle_invalid" }));
    }
    let missing = world.get("users", "/username", "").await;
    assert_eq!((missing.status, field(&missing)), (422, "handle"));
    assert_eq!(world.get("users", "/username?handle=carla", "garbage").await.status, 401);
}

#[tokio::test]
async fn two_who_want_one_handle_at_once_do_not_both_get_it() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let (_, bob) = person(&world, "bob").await;
    let (one, other) = tokio::join!(take(&world, &alice, "carla"), take(&world, &bob, "carla"));
    let mut both = [one.status, other.status];
    both.sort_unstable();
    assert_eq!(both, [200, 409]);
}
