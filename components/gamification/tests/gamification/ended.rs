//! Boards that ended long ago.

use serde_json::Value;

use crate::{ALICE, BOB, House, SOURCES, start};

/// The boards there are rows of, and those there are standings of.
async fn boards(house: &House) -> [String; 2] {
    let of = async |table: &str| {
        house
            .one(&format!("select group_concat(board) from (select distinct board from {table} order by 1)"))
            .await
    };
    [of("scores").await, of("standings").await]
}

/// A minute later, as the clock of the chores has it.
async fn tick_again(house: &House) {
    house.sql("update chores set done_at = 0 where name = 'boards'").await;
    house.tick().await;
}

/// alice and bob in the oldest week and month that are kept and in those before; bob is hidden since.
async fn lived_in() -> House {
    let house = start().await;
    for (post, day) in
        [(1, "2025-10-31"), (2, "2025-11-30"), (3, "2026-09-27"), (4, "2026-09-28"), (5, "2026-11-24")]
    {
        house.publish(ALICE, post, &format!("{day}T08:00:00.000Z")).await;
        house.publish(BOB, 100 + post, &format!("{day}T09:00:00.000Z")).await;
    }
    house.opt_out(BOB, true).await;
    house
}

const KEPT: &str = "2025-11,2026-09,2026-09-28,2026-11,2026-11-23,all";

#[tokio::test]
async fn weeks_and_months_long_over_go_and_the_others_stay_as_they_are() {
    let house = lived_in().await;
    let kept = "select json_group_array(json_array(board, person, points, reached, shown)) from (
        select * from scores where board in ('2025-11', '2026-09', '2026-09-28', '2026-11', '2026-11-23', 'all') order by board, person)";
    let numbers = async || {
        let progress = house.progress(ALICE).await;
        (
            house.one(kept).await,
            [&progress["points"], &progress["rank"]].map(Value::to_string),
            house.board("all", BOB).await,
        )
    };
    let before = numbers().await;
    tick_again(&house).await;
    assert_eq!(boards(&house).await, [KEPT, KEPT]);
    assert_eq!(numbers().await, before);
    assert_eq!(before.1[0], "50");
    assert_eq!(house.one("select count(*) from clearings").await, "0");

    // Told again all of it comes back, and what is kept is what it was.
    house.rebuild().await;
    for source in SOURCES {
        house.tell(source).await;
    }
    assert!(boards(&house).await[0].starts_with("2025-10,2025-10-27"));
    tick_again(&house).await;
    assert_eq!(boards(&house).await, [KEPT, KEPT]);
    assert_eq!(numbers().await, before);
}

#[tokio::test]
async fn what_goes_from_a_board_that_is_gone_takes_its_points_all_the_same() {
    let house = lived_in().await;
    tick_again(&house).await;
    house.unpublish(ALICE, 3).await;
    assert_eq!(house.points(ALICE).await, 40);
    tick_again(&house).await;
    assert_eq!(boards(&house).await, [KEPT, KEPT]);
}

#[tokio::test]
async fn a_minute_deletes_so_many_rows_and_the_next_goes_on() {
    let house = start().await;
    house.crowd(11_000).await;
    let scores = "insert into scores (person, board, points, reached, id, shown)
        select pk, '2026-01-05', pk, '2026-01-05T08:00:00.000Z', id, 1 from people where handle like 'c%'";
    house.sql(scores).await;
    let left =
        async || house.one("select count(*) from scores where board = '2026-01-05' and points > 0").await;
    let all: i64 = left().await.parse().unwrap();
    tick_again(&house).await;
    assert_eq!(left().await, (all - 10_000).to_string());
    house.tick().await;
    assert_eq!(left().await, (all - 10_000).to_string(), "once a minute");
    tick_again(&house).await;
    assert_eq!(boards(&house).await, ["", ""]);
}
