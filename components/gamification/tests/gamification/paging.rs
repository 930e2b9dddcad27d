//! Paging through a board while people move on it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::db::Value as SqlValue;
use shared::params;

use crate::{ALICE, BOB, CARLA, DAVE, ERIN, House, NOW, line, start};

async fn page(house: &House, who: usize, limit: u32, cursor: Option<&str>) -> Value {
    let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    let path = format!("/gamification/leaderboard?period=all&limit={limit}{cursor}");
    let answer = house.get(&path, who).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

fn lines(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(line).collect()
}

/// alice 50, bob 40, carla 30, dave 20, erin 10.
async fn five() -> House {
    let house = start().await;
    for who in 0..5 {
        for post in 0..5 - who {
            house.publish(who, who * 10 + post, &format!("2026-11-24T08:{who:02}:{post:02}.000Z")).await;
        }
    }
    house
}

#[tokio::test]
async fn pages_of_every_size_join_into_the_whole() {
    let house = five().await;
    let whole = house.board("all", ALICE).await;
    assert_eq!(whole, ["1 alice 50", "2 bob 40", "3 carla 30", "4 dave 20", "5 erin 10"]);
    for limit in 1..6 {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = page(&house, BOB, limit, cursor.as_deref()).await;
            found.extend(lines(&page));
            cursor = page["nextCursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, whole, "{limit}");
    }
}

#[tokio::test]
async fn who_overtakes_is_not_passed_over_and_who_falls_back_does_not_come_twice() {
    let house = five().await;
    let first = page(&house, ERIN, 2, None).await;
    assert_eq!(lines(&first), ["1 alice 50", "2 bob 40"]);
    // carla overtakes both; alice falls to the last; a new one comes, who was not there.
    for post in 0..3 {
        house.publish(CARLA, 100 + post, "2026-11-24T09:00:00.000Z").await;
    }
    for post in 0..5 {
        house.unpublish(ALICE, post).await;
    }
    house.publish(ALICE, 200, "2026-11-24T09:00:00.000Z").await;
    let second = page(&house, ERIN, 2, first["nextCursor"].as_str()).await;
    assert_eq!(
        lines(&second),
        ["1 carla 60", "3 dave 20"],
        "in the order of the first page, as they are now"
    );
    let third = page(&house, ERIN, 2, second["nextCursor"].as_str()).await;
    assert_eq!(lines(&third), ["4 erin 10"]);
    assert_eq!(third["nextCursor"], Value::Null);
}

#[tokio::test]
async fn who_moves_twice_is_where_they_were_first_and_who_leaves_is_nowhere() {
    let house = five().await;
    let first = page(&house, ERIN, 1, None).await;
    for post in 100..103 {
        house.publish(DAVE, post, "2026-11-24T09:00:00.000Z").await;
    }
    for post in 100..103 {
        house.unpublish(DAVE, post).await;
    }
    house.opt_out(BOB, true).await;
    let rest = page(&house, ERIN, 5, first["nextCursor"].as_str()).await;
    assert_eq!(lines(&rest), ["2 carla 30", "3 dave 20", "4 erin 10"]);
    house.opt_out(BOB, false).await;
    let rest = page(&house, ERIN, 5, first["nextCursor"].as_str()).await;
    assert_eq!(
        lines(&rest),
        ["2 bob 40", "3 carla 30", "4 dave 20", "5 erin 10"],
        "and back where they were"
    );
}

/// The version of alice's first page, and whether it is read anew for who has that version.
async fn is_read(house: &House, known: [SqlValue; 2]) -> ([SqlValue; 2], bool) {
    let [top, cards] = known;
    let params = params![house.ids[ALICE], "all", 20, top, cards];
    let row = house.app().db.rows(gamification::store::LIST_LEADERS, params).await.unwrap().remove(0);
    ([row[0].clone(), row[1].clone()], row[2] != SqlValue::Null)
}

#[tokio::test]
async fn a_first_page_is_read_again_when_somebody_on_a_board_moved_or_is_shown_otherwise() {
    let house = five().await;
    let (mut known, read) = is_read(&house, [SqlValue::Null, SqlValue::Null]).await;
    assert!(read, "nothing is known");
    assert!(!is_read(&house, known.clone()).await.1, "it is what it was");
    for (what, change) in
        ["moved", "renamed", "opted out", "opted in", "suspended", "unsuspended", "erased"].iter().zip(0..)
    {
        match change {
            0 => house.publish(ERIN, 300, NOW).await,
            1 => house.change("user.updated", BOB, json!({ "displayName": "Robert" })).await,
            2 | 3 => drop(house.opt_out(CARLA, change == 2).await),
            4 => house.change("user.suspended", DAVE, json!({ "status": "suspended" })).await,
            5 => house.change("user.unsuspended", DAVE, json!({ "status": "active" })).await,
            _ => house.delete(BOB).await,
        }
        let (now, read) = is_read(&house, known).await;
        assert!(read, "{what}");
        known = now;
        assert!(!is_read(&house, known.clone()).await.1, "{what}, and read");
        let fresh = page(&house, ALICE, 50 + change, None).await["items"].clone();
        assert_eq!(
            page(&house, ALICE, 100, None).await["items"],
            fresh,
            "{what}: as in a size that was never asked for"
        );
    }
    house.tie("block.created", DAVE, ALICE, NOW).await;
    assert!(is_read(&house, known).await.1, "her page is no longer everybody's");
    assert_eq!(page(&house, ALICE, 20, None).await["items"].as_array().unwrap().len(), 3);
    assert_eq!(
        page(&house, ERIN, 20, None).await["items"].as_array().unwrap().len(),
        4,
        "and is not kept for them"
    );
}

/// Numbers by chance, the same for a seed everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

#[tokio::test]
async fn a_page_further_down_that_is_kept_is_that_of_its_cursor_and_of_now() {
    let house = five().await;
    let first = page(&house, ALICE, 2, None).await;
    let below = async |who: usize| lines(&page(&house, who, 2, first["nextCursor"].as_str()).await);
    assert_eq!([below(ALICE).await, below(BOB).await], [["3 carla 30", "4 dave 20"]; 2]);
    let second = page(&house, ALICE, 2, first["nextCursor"].as_str()).await;
    assert_eq!(lines(&page(&house, BOB, 2, second["nextCursor"].as_str()).await), ["5 erin 10"]);
    for post in 100..103 {
        house.publish(DAVE, post, "2026-11-24T09:00:00.000Z").await;
    }
    assert_eq!([below(ALICE).await, below(BOB).await], [["4 carla 30", "1 dave 50"]; 2], "as they are now");
    house.change("user.updated", CARLA, json!({ "handle": "carlotta" })).await;
    assert_eq!(below(ALICE).await, ["4 carlotta 30", "1 dave 50"]);
    house.tie("block.created", DAVE, BOB, NOW).await;
    assert_eq!(below(BOB).await, ["4 carlotta 30", "5 erin 10"], "for him alone");
    assert_eq!(below(ALICE).await, ["4 carlotta 30", "1 dave 50"]);
}

/// Two hundred people who move by chance between the pages, over all steps of `standings`; ranks are held against a plain count.
#[tokio::test]
async fn everybody_who_is_there_throughout_comes_once_however_people_move() {
    let house = start().await;
    house.crowd(200).await;
    let scores = "insert into scores (person, board, points, reached, id, shown)
        select pk, 'all', 1 + pk * pk % 300 * 41, '2026-11-24T08:00:00.000Z', id, 1 from people where handle like 'c%'";
    house.sql(scores).await;
    let crowd: usize = house
        .one("select min(pk) from people where handle like 'c_' or handle like 'c__'")
        .await
        .parse()
        .unwrap();
    let mut dice = Dice(7);
    for round in 0..12 {
        let listed = "select json_group_array(handle) from scores join people on pk = person where board = 'all' and shown = 1 and points > 0";
        let mut throughout: BTreeSet<String> = serde_json::from_str(&house.one(listed).await).unwrap();
        let (mut seen, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = page(&house, ALICE, 17, cursor.as_deref()).await;
            for item in page["items"].as_array().unwrap() {
                seen.push(item["user"]["handle"].as_str().unwrap().to_owned());
                let above = format!(
                    "select 1 + count(*) from scores where board = 'all' and shown = 1 and points > {}",
                    item["points"]
                );
                assert_eq!(item["rank"].to_string(), house.one(&above).await, "{item}");
            }
            cursor = page["nextCursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
            for _ in 0..dice.roll(40) {
                let (who, points, minute) = (crowd + dice.roll(200), 41 * dice.roll(300), dice.roll(60));
                let moved = match dice.roll(5) {
                    0 => format!("update scores set shown = 1 - shown where person = {who}"),
                    1 => format!("update scores set points = 0 where person = {who}"),
                    _ => format!(
                        "update scores set points = {points}, reached = '2026-11-24T09:{minute:02}:00.000Z' where person = {who}"
                    ),
                };
                house.sql(&moved).await;
                let now: BTreeSet<String> = serde_json::from_str(&house.one(listed).await).unwrap();
                throughout = throughout.intersection(&now).cloned().collect();
            }
        }
        let once: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(once.len(), seen.len(), "round {round}: {seen:?}");
        let missing: Vec<_> = throughout.difference(&once).collect();
        assert!(missing.is_empty(), "round {round}: {missing:?}");
    }
}

#[tokio::test]
async fn the_newest_moves_are_kept_and_older_ones_forgotten() {
    let house = five().await;
    let sql = "insert into moves (board, person) select 'all', 1 from (
        with recursive n (value) as (select 1 union all select value + 1 from n where value < 100500) select value from n)";
    house.sql(sql).await;
    house.tick().await;
    assert_eq!(house.one("select count(*) from moves").await, "100000");
    house.publish(ERIN, 999, NOW).await;
    assert_eq!(house.one("select n > 100500 from moves order by n desc limit 1").await, "1");
}
