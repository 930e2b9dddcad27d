//! Who is seen by whom.

use crate::{ALICE, BOB, CARLA, DAVE, House, NOW, start};
use serde_json::json;

async fn lived_in() -> House {
    let house = start().await;
    for (who, posts) in [(ALICE, 3), (BOB, 2), (CARLA, 1)] {
        for post in 0..posts {
            house.publish(who, who * 10 + post, "2026-11-24T08:00:00.000Z").await;
        }
    }
    house
}

#[tokio::test]
async fn across_a_block_neither_is_on_the_page_of_the_other_and_ranks_keep_their_gaps() {
    let house = lived_in().await;
    let everybody = ["1 alice 30", "2 bob 20", "3 carla 10"];
    house.tie("block.created", ALICE, BOB, NOW).await;
    assert_eq!(house.board("all", ALICE).await, ["1 alice 30", "3 carla 10"]);
    assert_eq!(house.board("all", BOB).await, ["2 bob 20", "3 carla 10"]);
    assert_eq!(house.board("all", CARLA).await, everybody);
    assert_eq!(house.progress(BOB).await["rank"]["allTime"], 2);
    // A page that goes on finds it too, and who was blocked since.
    let first = house.get("/gamification/leaderboard?period=all&limit=1", DAVE).await.body;
    house.tie("block.created", DAVE, CARLA, NOW).await;
    house.publish(CARLA, 90, NOW).await;
    house.publish(BOB, 91, NOW).await;
    let cursor = first["nextCursor"].as_str().unwrap();
    let path = format!("/gamification/leaderboard?period=all&cursor={cursor}");
    let rest = house.get(&path, DAVE).await.body;
    assert_eq!(rest["items"].as_array().unwrap().iter().map(crate::line).collect::<Vec<_>>(), ["1 bob 30"]);
    house.tie("block.removed", ALICE, BOB, NOW).await;
    assert_eq!(house.board("all", BOB).await.len(), 3);
}

#[tokio::test]
async fn the_muted_and_the_private_are_on_it() {
    let house = lived_in().await;
    house.tie("mute.created", CARLA, ALICE, NOW).await;
    house.change("user.updated", BOB, json!({ "private": 1 })).await;
    assert_eq!(house.board("all", CARLA).await, ["1 alice 30", "2 bob 20", "3 carla 10"]);
}

#[tokio::test]
async fn a_change_of_a_name_is_on_it_at_once() {
    let house = lived_in().await;
    house.change("user.updated", ALICE, json!({ "handle": "alicia" })).await;
    assert_eq!(house.board("all", CARLA).await[0], "1 alicia 30");
}
