//! `/scoops/me` and `/scoops/user/:userId`.

use serde_json::{Value, json};

use crate::{id_of, problem, start};

#[tokio::test]
async fn my_scoops_come_newest_first_with_their_counts() {
    let scoops = start().await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.insert(0, scoops.make(&scoops.alice).await);
    }
    scoops.make(&scoops.carla).await;
    scoops.view(&expected[1], &scoops.bob).await;
    assert_eq!(scoops.ids_of("/scoops/me", &scoops.alice).await, expected);
    let mine = scoops.get("/scoops/me?archived=false", &scoops.alice).await;
    let counts: Vec<&Value> =
        mine.body["items"].as_array().unwrap().iter().map(|one| &one["viewCount"]).collect();
    assert_eq!(counts, [0, 1, 0, 0, 0]);
    assert!(scoops.ids_of("/scoops/me?archived=true", &scoops.alice).await.is_empty());
    let exact = scoops.get("/scoops/me?limit=5", &scoops.alice).await;
    assert_eq!(exact.body["nextCursor"], Value::Null, "a page that holds the last says so");
}

#[tokio::test]
async fn a_persons_scoops_are_those_the_caller_sees_with_what_they_looked_at() {
    let scoops = start().await;
    let first = scoops.make(&scoops.alice).await;
    let close = scoops.make_close(&scoops.alice).await;
    let last = scoops.make(&scoops.alice).await;
    scoops.view(&first, &scoops.bob).await;
    let path = format!("/scoops/user/{}", scoops.ids[0]);
    let found = scoops.get(&path, &scoops.bob).await;
    let seen = |one: &Value| (id_of(one), one["viewed"].clone(), one["viewCount"].clone());
    let items: Vec<_> = found.body["items"].as_array().unwrap().iter().map(seen).collect();
    assert_eq!(items, [(last.clone(), json!(false), Value::Null), (first.clone(), json!(true), Value::Null)]);
    assert_eq!(scoops.ids_of(&path, &scoops.alice).await, [last, close, first], "one's own are all there");
    let nobody = scoops.get(&format!("/scoops/user/{}", scoops.ids[2]), &scoops.bob).await;
    assert_eq!((nobody.status, &nobody.body), (200, &json!({ "items": [], "nextCursor": null })));
}

#[tokio::test]
async fn a_person_who_is_new_here_is_looked_up() {
    let scoops = start().await;
    let id = scoops.world.id();
    let person = json!({ "id": id, "handle": "dora", "displayName": null, "bio": null, "avatarUrl": null, "private": 0,
        "createdAt": "2026-01-01T00:00:00.000Z", "status": "active", "rev": 1 });
    let answer = async move || person.to_string();
    let routes = axum::Router::new().route(&format!("/internal/people/{id}"), axum::routing::get(answer));
    scoops.world.platform.mesh.lock().unwrap().insert("users.spin.internal".to_owned(), routes);
    assert_eq!(scoops.get(&format!("/scoops/user/{id}"), &scoops.bob).await.status, 200);
}

#[tokio::test]
async fn bad_limits_cursors_and_words_are_422() {
    let scoops = start().await;
    let scoop = scoops.make(&scoops.alice).await;
    for list in [
        "/scoops/feed",
        "/scoops/me",
        "/scoops/me?archived=true",
        &format!("/scoops/user/{}", scoops.ids[0]),
        &format!("/scoops/{scoop}/viewers"),
        "/close-friends",
    ] {
        let join = if list.contains('?') { '&' } else { '?' };
        for query in ["limit=0", "limit=101", "limit=x", "limit=-1"] {
            let answer = scoops.get(&format!("{list}{join}{query}"), &scoops.alice).await;
            assert_eq!(problem(&answer), (422, "invalid"), "{list} {query}");
        }
        // Nothing, `1:x`, `1:;:`, and `1:1,2,3` where a number or four are due.
        for cursor in ["x", "MTp4", "MTowOw", "MToxLDIsMw"] {
            let answer = scoops.get(&format!("{list}{join}cursor={cursor}"), &scoops.alice).await;
            assert_eq!(problem(&answer), (422, "invalid_cursor"), "{list} {cursor}");
        }
    }
    for word in ["yes", "1", "TRUE", ""] {
        let answer = scoops.get(&format!("/scoops/me?archived={word}"), &scoops.alice).await;
        assert_eq!(
            (problem(&answer), &answer.body["errors"][0]["field"]),
            ((422, "invalid"), &json!("archived"))
        );
    }
}
