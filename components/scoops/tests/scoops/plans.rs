//! How SQLite goes about what is asked often.

use scoops::store;
use shared::db::Value;

use crate::start;

#[tokio::test]
async fn reads_and_sweeps_go_by_keys_and_pass_over_the_archive() {
    let scoops = start().await;
    let db = &scoops.world.app("scoops").db;
    for (sql, count, index) in [
        (store::SCOOP_FEED, 8, "scoops_current"),
        (store::KEEP_LINKS, 2, "INTEGER PRIMARY KEY"),
        (store::LIST_MY_SCOOPS, 4, "scoops_current"),
        (store::LIST_ARCHIVE, 5, "scoops_by_author"),
        (store::LIST_SCOOPS_OF, 5, "scoops_current"),
        (store::LIST_VIEWERS, 5, "views_by_scoop"),
        (store::LIST_CLOSE_FRIENDS, 3, "close_friends_by_owner"),
        (store::FIND_SCOOP, 3, "sqlite_autoindex_scoops_1"),
        (store::CREATE_SCOOP, 12, "scoops_current"),
        (store::END_SCOOPS, 3, "scoops_by_end"),
        (store::EMPTY_ARCHIVE, 3, "scoops_by_end"),
        (store::DELETE_TOMBSTONES, 2, "scoops_to_archive"),
        (store::ARCHIVE_SCOOPS, 2, "scoops_to_archive"),
    ] {
        let params = vec![Value::Integer(1); count];
        let plan = db.rows(&format!("explain query plan {sql}"), params).await.unwrap();
        let steps: Vec<&str> = plan.iter().filter_map(|row| row[3].as_text()).collect();
        assert!(steps.iter().any(|step| step.contains(index)), "{index}: {steps:#?}\n{sql}");
        let sorts = steps.iter().filter(|step| step.contains("TEMP B-TREE")).count();
        // The feed puts whom one follows in order; every list comes in the order of its index.
        assert_eq!(sorts, usize::from(sql == store::SCOOP_FEED), "{steps:#?}\n{sql}");
        for step in steps {
            for table in [
                "scoops",
                "people",
                "follows",
                "blocks",
                "mutes",
                "views",
                "close_friends",
                "author_live",
                "media",
            ] {
                assert!(
                    step != format!("SCAN {table}") && !step.starts_with(&format!("SCAN {table} ")),
                    "{step}"
                );
            }
            for alias in ["s", "a", "l", "f", "v", "u", "them", "p"] {
                assert!(
                    step != format!("SCAN {alias}") && !step.starts_with(&format!("SCAN {alias} ")),
                    "{step}"
                );
            }
        }
    }
}

/// Named indexes hold where a table has grown and statistics were gathered as well.
#[tokio::test]
async fn the_feed_does_the_same_with_statistics() {
    let scoops = start().await;
    let many = "insert into scoops (id, author, media_key, media, audience, created_at, expires_at, expires_ms, shown, changed_at, opening)
        select printf('0199b7a0-0000-7000-8000-%012x', value), 1 + value % 3, value, '{}', 'followers', '', '', 1, value, '', '' from (
            with recursive n (value) as (select 1 union all select value + 1 from n where value < 2000) select value from n)";
    scoops.sql(many).await;
    scoops.sql("analyze").await;
    let db = &scoops.world.app("scoops").db;
    for (sql, count) in [(store::SCOOP_FEED, 8), (store::LIST_SCOOPS_OF, 5), (store::FIND_SCOOP, 3)] {
        let plan =
            db.rows(&format!("explain query plan {sql}"), vec![Value::Integer(1); count]).await.unwrap();
        let scans = plan.iter().filter_map(|row| row[3].as_text()).filter(|step| step.contains("SCAN s"));
        assert_eq!(scans.count(), 0, "{plan:?}");
    }
}
