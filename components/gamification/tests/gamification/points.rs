//! What earns points, and how they are taken back.

use crate::{ALICE, BOB, CARLA, NOW, start};

const MONDAY: &str = "2026-11-23T08:00:00.000Z";
const LAST_WEEK: &str = "2026-11-18T08:00:00.000Z";
const LAST_MONTH: &str = "2026-10-18T08:00:00.000Z";

#[tokio::test]
async fn everything_earns_what_the_readme_says() {
    let house = start().await;
    let told = include_str!("../../README.md").lines().filter_map(|line| {
        let cells: Vec<&str> =
            line.strip_prefix("| ")?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let kind = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
        Some(format!("{kind} {} {} {}", cells.get(2)?, cells.get(3)?, cells.get(4)?))
    });
    let held = house
        .one("select json_group_array(concat(kind, ' ', points, ' ', per_pair, ' ', per_day)) from kinds")
        .await;
    let mut held: Vec<String> = serde_json::from_str(&held).unwrap();
    let mut told: Vec<String> = told.collect();
    held.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, held);
    // And one of each.
    house.publish(ALICE, 1, MONDAY).await;
    assert_eq!(house.points(ALICE).await, 10);
    house.comment(BOB, 2, ALICE, 1, MONDAY).await;
    assert_eq!((house.points(ALICE).await, house.points(BOB).await), (12, 3));
    house.react(CARLA, ALICE, 1, "like", MONDAY).await;
    assert_eq!((house.points(ALICE).await, house.points(CARLA).await), (13, 0));
    house.tie("follow.created", CARLA, ALICE, MONDAY).await;
    assert_eq!((house.points(ALICE).await, house.points(CARLA).await), (15, 0));
    house.scoop("scoop.published", ALICE, 3, MONDAY).await;
    assert_eq!(house.points(ALICE).await, 20);
}

#[tokio::test]
async fn nobody_earns_by_what_they_do_to_themselves() {
    let house = start().await;
    house.publish(ALICE, 1, MONDAY).await;
    house.comment(ALICE, 2, ALICE, 1, MONDAY).await;
    house.react(ALICE, ALICE, 1, "love", MONDAY).await;
    house.tie("follow.created", ALICE, ALICE, MONDAY).await;
    assert_eq!(house.points(ALICE).await, 10);
}

#[tokio::test]
async fn a_post_takes_with_it_what_was_earned_below_it() {
    let house = start().await;
    for post in [1, 2] {
        house.publish(ALICE, post, MONDAY).await;
        house.comment(BOB, 10 + post, ALICE, post, MONDAY).await;
        house.react(CARLA, ALICE, post, "like", MONDAY).await;
    }
    assert_eq!((house.points(ALICE).await, house.points(BOB).await), (26, 6));
    house.unpublish(ALICE, 1).await;
    assert_eq!((house.points(ALICE).await, house.points(BOB).await), (13, 3));
    house.unpublish(ALICE, 2).await;
    assert_eq!((house.points(ALICE).await, house.points(BOB).await), (0, 0));
    assert_eq!(house.board("all", CARLA).await, [""; 0]);
    assert_eq!(house.one("select count(*) from ledger").await, "0");
}

#[tokio::test]
async fn a_comment_that_is_deleted_takes_back_what_both_earned() {
    let house = start().await;
    house.comment(BOB, 1, ALICE, 9, MONDAY).await;
    house.comment(BOB, 2, ALICE, 9, MONDAY).await;
    house.uncomment(BOB, 1, ALICE, 9).await;
    assert_eq!((house.points(ALICE).await, house.points(BOB).await), (2, 3));
    house.uncomment(BOB, 1, ALICE, 9).await;
    assert_eq!((house.points(ALICE).await, house.points(BOB).await), (2, 3), "of what is gone nothing more");
}

#[tokio::test]
async fn a_like_and_a_love_count_once_and_until_both_are_taken_back() {
    let house = start().await;
    house.react(BOB, ALICE, 1, "like", MONDAY).await;
    house.react(BOB, ALICE, 1, "love", MONDAY).await;
    assert_eq!(house.points(ALICE).await, 1);
    house.unreact(BOB, ALICE, 1, "like").await;
    assert_eq!(house.points(ALICE).await, 1);
    house.unreact(BOB, ALICE, 1, "love").await;
    assert_eq!(house.points(ALICE).await, 0);
    house.unreact(BOB, ALICE, 1, "love").await;
    house.react(BOB, ALICE, 1, "like", MONDAY).await;
    assert_eq!(house.points(ALICE).await, 1);
}

#[tokio::test]
async fn a_follow_that_is_done_again_counts_once_and_in_the_week_of_the_first_time() {
    let house = start().await;
    house.tie("follow.created", BOB, ALICE, LAST_WEEK).await;
    assert_eq!(house.points(ALICE).await, 2);
    house.tie("follow.removed", BOB, ALICE, MONDAY).await;
    assert_eq!(house.points(ALICE).await, 0);
    house.tie("follow.created", BOB, ALICE, MONDAY).await;
    assert_eq!(house.board("all", BOB).await, ["1 alice 2"]);
    assert_eq!(house.board("weekly", BOB).await, [""; 0], "there is nothing to win by it");
}

#[tokio::test]
async fn a_scoop_that_lived_to_its_end_has_earned_its_points() {
    let house = start().await;
    for scoop in [1, 2] {
        house.scoop("scoop.published", ALICE, scoop, MONDAY).await;
    }
    house.scoop("scoop.expired", ALICE, 1, NOW).await;
    house.scoop("scoop.deleted", ALICE, 1, NOW).await;
    assert_eq!(house.points(ALICE).await, 10, "it left the archive");
    house.scoop("scoop.deleted", ALICE, 2, NOW).await;
    assert_eq!(house.points(ALICE).await, 5, "it was taken back");
    house.scoop("scoop.expired", ALICE, 2, NOW).await;
    assert_eq!(house.points(ALICE).await, 5);
}

#[tokio::test]
async fn points_count_in_the_week_and_month_they_were_earned_in_and_leave_it_again() {
    let house = start().await;
    house.publish(ALICE, 1, MONDAY).await;
    house.publish(ALICE, 2, LAST_WEEK).await;
    house.publish(ALICE, 3, LAST_MONTH).await;
    // The first and the last moment of the week.
    house.publish(BOB, 4, "2026-11-23T00:00:00.000Z").await;
    house.publish(BOB, 5, "2026-11-22T23:59:59.999Z").await;
    assert_eq!(house.board("weekly", CARLA).await, ["1 bob 10", "1 alice 10"]);
    assert_eq!(house.board("monthly", CARLA).await, ["1 bob 20", "1 alice 20"]);
    assert_eq!(house.board("all", CARLA).await, ["1 alice 30", "2 bob 20"]);
    house.unpublish(ALICE, 2).await;
    assert_eq!(house.board("weekly", CARLA).await, ["1 bob 10", "1 alice 10"]);
    assert_eq!(house.board("monthly", CARLA).await, ["1 bob 20", "2 alice 10"]);
    assert_eq!(house.board("all", CARLA).await, ["1 bob 20", "1 alice 20"]);
}
