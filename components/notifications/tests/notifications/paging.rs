//! Pages of a list whose rows move.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::reading::random;
use crate::{ALICE, BOB, CARLA, DORA, House, refusal, start};

fn post(n: u64) -> String {
    format!("01a20052-fe97-7114-a1f4-{n:012x}")
}

/// The targets of one page, and the cursor to the next.
async fn page(house: &House, query: &str) -> (Vec<String>, Option<String>) {
    let answer = house.get(&format!("/notifications?{query}"), ALICE).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let target = |one: &Value| one["target"]["id"].as_str().unwrap().to_owned();
    let items = answer.body["items"].as_array().unwrap().iter().map(target).collect();
    (items, answer.body["nextCursor"].as_str().map(ToOwned::to_owned))
}

#[tokio::test]
async fn pages_join_and_the_last_has_no_next() {
    let house = start().await;
    for n in 0..7 {
        house.react(BOB, &post(n), "like").await;
    }
    let (first, cursor) = page(&house, "limit=3").await;
    let (second, next) = page(&house, &format!("limit=3&cursor={}", cursor.unwrap())).await;
    let (third, end) = page(&house, &format!("limit=3&cursor={}", next.unwrap())).await;
    let expected: Vec<String> = (0..7).rev().map(post).collect();
    assert_eq!([first, second, third].concat(), expected);
    assert_eq!(end, None);
}

#[tokio::test]
async fn a_row_that_moves_up_while_one_pages_is_neither_passed_over_nor_repeated() {
    let house = start().await;
    for n in 0..6 {
        house.react(BOB, &post(n), "like").await;
    }
    let (first, cursor) = page(&house, "limit=2").await;
    assert_eq!(first, [post(5), post(4)]);
    // One that was shown and one that was not move, the latter twice, and there is a new one.
    for (who, n) in [(CARLA, 4), (CARLA, 2), (CARLA, 9), (DORA, 2), (CARLA, 0)] {
        house.react(who, &post(n), "like").await;
    }
    let (second, cursor) = page(&house, &format!("limit=2&cursor={}", cursor.unwrap())).await;
    assert_eq!(second, [post(3), post(2)], "where it was");
    house.react(DORA, &post(1), "like").await;
    let (third, end) = page(&house, &format!("limit=2&cursor={}", cursor.unwrap())).await;
    assert_eq!((third, end), (vec![post(1), post(0)], None));
    let (fresh, _) = page(&house, "limit=100").await;
    assert_eq!(fresh, [1, 0, 2, 9, 4, 5, 3].map(post), "in the order of now");
}

#[tokio::test]
async fn however_rows_move_come_and_go_each_that_stays_is_shown_once() {
    let mut seed = 11;
    for round in 0..12 {
        let house = start().await;
        for n in 0..20 {
            house.react(BOB, &post(n), "like").await;
        }
        let start: BTreeSet<String> = (0..20).map(post).collect();
        let (mut seen, mut gone, mut cursor) = (Vec::new(), BTreeSet::new(), String::new());
        let limit = 1 + random(&mut seed, 6);
        loop {
            let (items, next) = page(&house, &format!("limit={limit}{cursor}")).await;
            seen.extend(items);
            let Some(next) = next else { break };
            cursor = format!("&cursor={next}");
            for _ in 0..random(&mut seed, 6) {
                let n = random(&mut seed, 24);
                match random(&mut seed, 5) {
                    0 if !gone.contains(&post(n)) => {
                        house.unpublish(ALICE, &post(n)).await;
                        gone.insert(post(n));
                    }
                    kind if !gone.contains(&post(n)) => {
                        let kind = ["love", "wow", "sad", "fire"][usize::try_from(kind % 4).unwrap()];
                        let who = [BOB, CARLA, DORA][usize::try_from(random(&mut seed, 3)).unwrap()];
                        house.react(who, &post(n), kind).await;
                    }
                    _ => {}
                }
            }
        }
        let unique: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(unique.len(), seen.len(), "round {round}: repeated in {seen:?}");
        let missing: Vec<_> = start.difference(&unique).filter(|id| !gone.contains(*id)).collect();
        assert!(missing.is_empty(), "round {round}: passed over {missing:?}");
        assert!(unique.is_subset(&start), "round {round}: what is new is on the first page of next time");
    }
}

#[tokio::test]
async fn only_what_is_unread_pages_too() {
    let house = start().await;
    for n in 0..5 {
        house.react(BOB, &post(n), "like").await;
    }
    let ids: Vec<Value> = house.list(ALICE).await.iter().map(|one| one["id"].clone()).collect();
    house.post("/notifications/read", ALICE, json!({ "ids": [ids[1], ids[3]] })).await;
    let (first, cursor) = page(&house, "unread=true&limit=2").await;
    assert_eq!(first, [post(4), post(2)]);
    let (second, end) = page(&house, &format!("unread=true&limit=2&cursor={}", cursor.unwrap())).await;
    assert_eq!((second, end), (vec![post(0)], None));
}

#[tokio::test]
async fn moves_are_forgotten_after_a_day() {
    let house = start().await;
    for n in [0, 1] {
        house.react(BOB, &post(n), "like").await;
    }
    house.react(CARLA, &post(0), "like").await;
    house.tick_later(23 * 3600).await;
    assert_eq!(house.one("select count(*) from moves").await, "1");
    house.sql("delete from chores").await;
    house.tick_later(25 * 3600).await;
    assert_eq!(house.one("select count(*) from moves").await, "0");
}

#[tokio::test]
async fn a_cursor_of_nobodys_making_and_a_limit_out_of_range_are_refused() {
    let house = start().await;
    for cursor in ["x", "MTo5", "MTo5Lg", "MTphLmI"] {
        let answer = house.get(&format!("/notifications?cursor={cursor}"), ALICE).await;
        assert_eq!(refusal(&answer), (422, "invalid_cursor", "cursor"), "{cursor}");
    }
    for limit in ["0", "101", "x", ""] {
        let answer = house.get(&format!("/notifications?limit={limit}"), ALICE).await;
        assert_eq!(refusal(&answer), (422, "invalid", "limit"), "{limit}");
    }
}
