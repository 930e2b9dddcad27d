//! `/search`.

use serde_json::{Value, json};
use shared::ids::Id;
use shared::testing::World;

use crate::{block, field, keys, newcomer, person, problem, register, suspend, world};

async fn named(world: &World, handle: &str, name: &str) -> (Id, String) {
    let mut body = newcomer(world, handle);
    body["displayName"] = json!(name);
    let answer = register(world, &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = Id::parse(answer.body["id"].as_str().unwrap()).unwrap();
    (id, world.token(id))
}

fn encoded(q: &str) -> String {
    q.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The handles found, best first.
async fn found(world: &World, token: &str, q: &str) -> Vec<String> {
    let answer = world.get("users", &format!("/search?q={}", encoded(q)), token).await;
    assert_eq!(answer.status, 200, "{q}: {answer:?}");
    let items = answer.body["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["handle"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_profile_found_has_exactly_the_members_of_the_contract() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    named(&world, "bob", "Bob").await;
    let answer = world.get("users", "/search?q=bob", &alice).await;
    assert_eq!(keys(&answer.body), ["items", "nextCursor"]);
    let bob = &answer.body["items"][0];
    assert_eq!(
        keys(bob),
        ["avatarUrl", "bio", "counts", "createdAt", "displayName", "handle", "id", "private", "relationship"]
    );
    assert_eq!(bob["counts"], json!({ "posts": 0, "followers": 0, "following": 0 }));
    assert_eq!(
        bob["relationship"],
        json!({ "following": false, "followedBy": false, "requested": false, "blocking": false, "muting": false })
    );
    let herself = world.get("users", "/search?q=alice", &alice).await;
    assert_eq!(herself.body["items"][0]["relationship"], Value::Null);
}

#[tokio::test]
async fn handles_and_names_are_found_by_prefix_best_first() {
    let world = world().await;
    let (_, alice) = named(&world, "alice", "Alice Liddell").await;
    named(&world, "alice_in_chains", "Some Band").await;
    named(&world, "wonder", "Alice Cooper").await;
    named(&world, "carla", "Carla").await;
    assert_eq!(found(&world, &alice, "alice").await, ["alice", "alice_in_chains", "wonder"]);
    assert_eq!(found(&world, &alice, "@ALI").await, ["alice", "alice_in_chains", "wonder"]);
    assert_eq!(found(&world, &alice, "coop").await, ["wonder"]);
    assert_eq!(found(&world, &alice, "alice coop").await[0], "wonder");
    assert_eq!(found(&world, &alice, "chains").await, ["alice_in_chains"]);
    assert_eq!(found(&world, &alice, "c").await[0], "carla");
    assert_eq!(found(&world, &alice, "so").await, ["alice_in_chains"]);
    assert!(found(&world, &alice, "zzz").await.is_empty());
}

#[tokio::test]
async fn one_typo_in_any_word_is_forgiven() {
    let world = world().await;
    let (_, alice) = named(&world, "alice", "Alice Liddell").await;
    named(&world, "jonathan_92", "Jonathan Christopher").await;
    for typo in ["alcie", "alise", "alic", "aliice", "alice lidell", "lidedll"] {
        assert_eq!(found(&world, &alice, typo).await, ["alice"], "{typo}");
    }
    for typo in ["johnathan", "jonatan", "jonahtan", "christofer", "jontahan", "jotna"] {
        let handles = found(&world, &alice, typo).await;
        if typo != "jotna" {
            assert_eq!(handles, ["jonathan_92"], "{typo}");
        }
    }
}

#[tokio::test]
async fn the_inside_of_a_word_is_found_too() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    named(&world, "superscooter", "Wunderkind").await;
    assert_eq!(found(&world, &alice, "scoot").await, ["superscooter"]);
    assert_eq!(found(&world, &alice, "derki").await, ["superscooter"]);
}

#[tokio::test]
async fn names_of_every_script_are_found_whatever_their_accents() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    named(&world, "zoe_x", "Zoë Ångström").await;
    named(&world, "yamada", "山田太郎").await;
    named(&world, "anna_k", "Анна Каренина").await;
    for (q, handle) in [
        ("zoe", "zoe_x"),
        ("Zoë", "zoe_x"),
        ("angst", "zoe_x"),
        ("ÅNGSTRÖM", "zoe_x"),
        ("山", "yamada"),
        ("山田", "yamada"),
        ("анна", "anna_k"),
        ("КАР", "anna_k"),
        ("каренна", "anna_k"),
    ] {
        assert_eq!(found(&world, &alice, q).await.first().map(String::as_str), Some(handle), "{q}");
    }
}

#[tokio::test]
async fn nobody_is_found_across_a_block_in_either_direction() {
    let world = world().await;
    let (alice_id, alice) = person(&world, "alice").await;
    let (bob_id, bob) = named(&world, "bob", "Bob").await;
    let (_, carla) = person(&world, "carla").await;
    block(&world, alice_id, bob_id).await;
    for q in ["bob", "b", "bbo", "alice", "alcie"] {
        assert!(!found(&world, &alice, q).await.contains(&"bob".to_owned()), "{q}");
        assert!(!found(&world, &bob, q).await.contains(&"alice".to_owned()), "{q}");
    }
    assert_eq!(found(&world, &carla, "bob").await, ["bob"]);
    assert_eq!(found(&world, &carla, "alice").await, ["alice"]);
}

#[tokio::test]
async fn private_people_are_found_and_the_suspended_and_deleted_are_not() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let (bob_id, bob) = named(&world, "bob", "Bob").await;
    let (_, carla) = named(&world, "carla", "Carla").await;
    world.patch("users", "/me", &bob, json!({ "private": true })).await;
    assert_eq!(found(&world, &alice, "bob").await, ["bob"]);
    suspend(&world, bob_id, true).await;
    assert!(found(&world, &alice, "bob").await.is_empty());
    suspend(&world, bob_id, false).await;
    assert_eq!(found(&world, &alice, "bob").await, ["bob"]);
    world.delete("users", "/me", &carla).await;
    for q in ["carla", "c", "crala", "arl"] {
        assert!(found(&world, &alice, q).await.is_empty(), "{q}");
    }
}

#[tokio::test]
async fn who_changes_their_name_is_found_by_the_new_one_alone() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let (_, bob) = named(&world, "bob", "Robert").await;
    world.patch("users", "/me", &bob, json!({ "displayName": "Wilhelmina" })).await;
    world.post("users", "/username", &bob, json!({ "handle": "quentin" })).await;
    for q in ["bob", "robert", "rober", "robret"] {
        assert!(found(&world, &alice, q).await.is_empty(), "{q}");
    }
    for q in ["wilhel", "quentin", "quentni"] {
        assert_eq!(found(&world, &alice, q).await, ["quentin"], "{q}");
    }
}

#[tokio::test]
async fn operators_of_the_search_engine_are_text() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    for q in [
        "\"",
        "*",
        "a*",
        "alice OR bob",
        "NOT",
        "NEAR(a b)",
        "handle:alice",
        "name : x",
        "-",
        "^a",
        "a AND",
        "(",
        ")",
        "'",
        ";",
        "%",
        "_",
        "\\",
        "🎉",
        "a\"b",
        "{a b}: c",
        "+",
        "''; drop table people; --",
        "a + b",
        "\u{301}",
    ] {
        let answer = world.get("users", &format!("/search?q={}", encoded(q)), &alice).await;
        assert_eq!(answer.status, 200, "{q}: {answer:?}");
    }
    for q in ["*", "@", "\""] {
        assert!(found(&world, &alice, q).await.is_empty(), "{q}");
    }
    assert!(found(&world, &alice, "handle:alice").await.is_empty());
}

#[tokio::test]
async fn a_query_or_page_out_of_range_is_422() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    for path in ["/search", "/search?q=", "/search?q=%20", &format!("/search?q={}", "x".repeat(51))] {
        let answer = world.get("users", path, &alice).await;
        assert_eq!((answer.status, field(&answer)), (422, "q"), "{path}");
    }
    for path in ["/search?q=a&limit=0", "/search?q=a&limit=101", "/search?q=a&limit=x"] {
        let answer = world.get("users", path, &alice).await;
        assert_eq!((answer.status, field(&answer)), (422, "limit"), "{path}");
    }
    let answer = world.get("users", "/search?q=a&cursor=nonsense", &alice).await;
    assert_eq!(problem(&answer), (422, "invalid_cursor"));
}

#[tokio::test]
async fn pages_join_without_repeats_while_people_come_and_go() {
    let world = world().await;
    let (_, alice) = person(&world, "alice").await;
    let mut tokens = Vec::new();
    for number in 10..35 {
        tokens.push(named(&world, &format!("scooty_{number}"), "Scooty").await.1);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for (round, leaver) in tokens.iter().enumerate() {
        let path = format!("/search?q=scoot&limit=4{cursor}");
        let page = world.get("users", &path, &alice).await.body;
        let items = page["items"].as_array().unwrap().clone();
        assert!(items.len() <= 4);
        seen.extend(items.iter().map(|item| item["handle"].as_str().unwrap().to_owned()));
        // One comes, and one who was shown already goes.
        named(&world, &format!("scooty_{}", 50 + round), "Scooty").await;
        world.delete("users", "/me", leaver).await;
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), seen.len(), "{seen:?}");
    for number in 10..35 {
        assert!(seen.contains(&format!("scooty_{number}")), "{number}");
    }
}
