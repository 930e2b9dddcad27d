//! How SQLite goes about what is asked often, and what events make it do.

use gamification::store;
use shared::db::Value;

use crate::start;

#[tokio::test]
async fn reads_go_by_keys() {
    let house = start().await;
    let db = &house.app().db;
    for (sql, count, index) in [
        (store::LIST_LEADERS, 5, "COVERING INDEX scores_ranked (board=?)"),
        (
            store::LIST_NEXT_LEADERS,
            9,
            "COVERING INDEX scores_ranked (board=? AND (place,reached,id)>(?,?,?))",
        ),
        (store::LIST_NEXT_LEADERS, 9, "SEARCH m USING INTEGER PRIMARY KEY (rowid>?)"),
        (store::END_BOARD, 3, "scores_by_board (board>?)"),
        (store::FIND_PROGRESS, 2, "sqlite_autoindex_people_1"),
        (store::LIST_CHECKS, 1, "checks"),
        (store::AWARD_BADGES, 1, "INTEGER PRIMARY KEY"),
        (store::END_CHECKS, 1, "INTEGER PRIMARY KEY"),
    ] {
        let params = vec![Value::Integer(1); count];
        let plan = db.rows(&format!("explain query plan {sql}"), params).await.unwrap();
        let steps: Vec<&str> = plan.iter().filter_map(|row| row[3].as_text()).collect();
        assert!(steps.iter().any(|step| step.contains(index)), "{index}: {steps:#?}\n{sql}");
        // Who moved since the first page is put in order, and somebody's badges; a board comes in that of its index. A table of its
        // own nothing has but the caller.
        let sorts = steps.iter().filter(|step| step.contains("TEMP B-TREE")).count();
        let expected = [(store::LIST_NEXT_LEADERS, 1), (store::FIND_PROGRESS, 1)];
        let expected = expected.iter().find(|one| one.0 == sql).map_or(0, |one| one.1);
        assert_eq!(sorts, expected, "{steps:#?}\n{sql}");
        assert!(!steps.contains(&"MATERIALIZE found"), "{steps:#?}\n{sql}");
        for step in steps {
            for table in [
                "people",
                "scores",
                "moves",
                "standings",
                "blocks",
                "mutes",
                "totals",
                "activity",
                "awards",
                "settings",
                "s",
                "m",
                "u",
                "whole",
                "week",
            ] {
                assert!(
                    step != format!("SCAN {table}") && !step.starts_with(&format!("SCAN {table} ")),
                    "{step}\n{sql}"
                );
            }
        }
    }
}

/// The statements of the triggers, as they are with values in place of what changed.
#[tokio::test]
async fn what_events_change_is_found_by_keys() {
    let house = start().await;
    let db = &house.app().db;
    for (sql, index) in [
        (
            "select pk from ledger where person = 1 and kind = 'post' and partner = 0 and day = 'd' and held > 0 order by at, pk limit 1 offset 3",
            "ledger_by_pair",
        ),
        (
            "select at from ledger where person = 1 and kind = 'post' and day = 'd' and within = 1 order by at limit 10",
            "ledger_within",
        ),
        (
            "select max(reached) from days where person = 1 and points > 0 and reached >= 'a' and reached < 'b'",
            "days_reached",
        ),
        ("delete from ledger where post = 'p'", "ledger_by_post"),
        ("delete from ledger where partner = 1 and partner <> 0", "ledger_by_partner"),
        (
            "update ledger set held = held - 1 where person = 1 and kind = 'post' and partner = 0 and cause = 'c' and held > 0",
            "sqlite_autoindex_ledger_1",
        ),
        ("select 1 from moves where board = 'all' and person = 1 and n > 7", "moves_by_person"),
        ("select id from people where status = 'unknown' order by pk desc limit 20", "people_unknown"),
    ] {
        let plan = db.rows(&format!("explain query plan {sql}"), vec![]).await.unwrap();
        let steps: Vec<&str> = plan.iter().filter_map(|row| row[3].as_text()).collect();
        assert!(steps.iter().any(|step| step.contains(index)), "{index}: {steps:#?}\n{sql}");
        assert!(steps.iter().all(|step| !step.contains("TEMP B-TREE")), "{steps:#?}\n{sql}");
    }
}
