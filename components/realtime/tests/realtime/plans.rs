//! Hot statements look into indexes, and a post costs no more than those who are told of it.

use realtime::store;
use shared::db::Value;

use crate::start;

async fn plan(sql: &str, parameters: usize) -> String {
    let house = start().await;
    let app = house.world.app("realtime");
    let values = vec![Value::Text("[]".to_owned()); parameters];
    let rows = app.db.rows(&format!("explain query plan {sql}"), values).await.unwrap();
    rows.iter().filter_map(|row| row[3].as_text()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_look_for_news_goes_on_from_where_it_was() {
    let look = plan(store::LOOK, 0).await;
    assert!(!look.contains("SCAN log\n") || look.contains("SEARCH log"), "{look}");
    let poll = plan(store::POLL, 7).await;
    assert!(poll.contains("SEARCH l USING INTEGER PRIMARY KEY (rowid>?)"), "{poll}");
    assert!(poll.contains("sqlite_autoindex_log_1 (person=? AND seq>? AND seq<?)"), "{poll}");
    assert!(poll.contains("SEARCH signals USING INTEGER PRIMARY KEY (rowid>?)"), "{poll}");
    for table in ["l", "a", "s", "follows", "blocks", "mutes", "close_friends", "listeners", "streams"] {
        let scan = format!("SCAN {table}");
        assert!(
            !poll.lines().any(|step| step == scan || step.starts_with(&format!("{scan} "))),
            "{table}: {poll}"
        );
    }
}

#[tokio::test]
async fn the_log_is_swept_from_its_old_end() {
    let plan = plan(store::FORGET_LOG, 1).await;
    assert!(plan.contains("SEARCH log USING INTEGER PRIMARY KEY (rowid<?)"), "{plan}");
}

/// The statements of the triggers themselves, as SQLite plans them with these for `new`.
#[tokio::test]
async fn a_post_is_told_by_way_of_the_fewer() {
    let house = start().await;
    let app = house.world.app("realtime");
    for (trigger, first, second) in [
        (
            "published_to_few",
            "follows_by_followee (followee=?)",
            "SEARCH l USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            "published_to_many",
            "listeners_active (until>?)",
            "SEARCH f USING PRIMARY KEY (follower=? AND followee=?)",
        ),
        (
            "published_to_close_friends",
            "SEARCH c USING PRIMARY KEY (owner=?)",
            "SEARCH l USING INTEGER PRIMARY KEY (rowid=?)",
        ),
    ] {
        let sql = "select sql from sqlite_schema where name = ?1";
        let text = app.db.read(sql, shared::params![trigger]).await.unwrap().unwrap();
        let insert = text.rsplit_once("insert into log").unwrap().1.rsplit_once(';').unwrap().0;
        let (_, insert) = insert.split_once(")").unwrap();
        let insert = insert.rsplit_once(';').map_or(insert, |(statement, _)| statement);
        let statement = insert.replace("new.body", "?1").replace("new.type", "?2").replace("new.at", "?3");
        let rows = app
            .db
            .rows(&format!("explain query plan {statement}"), vec![Value::Text("{}".to_owned()); 3])
            .await
            .unwrap();
        let plan = rows.iter().filter_map(|row| row[3].as_text()).collect::<Vec<_>>().join("\n");
        assert!(plan.contains(first) && plan.contains(second), "{trigger}: {plan}");
    }
}
