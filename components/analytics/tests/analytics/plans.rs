//! Hot statements look into indexes.

use analytics::store;
use shared::db::Value;

use crate::start;

#[tokio::test]
async fn reads_are_ranges_of_keys() {
    let house = start().await;
    let db = &house.world.app("analytics").db;
    for (sql, parameters, looks) in [
        (store::GET_MY_ANALYTICS, 3, &["SEARCH d USING PRIMARY KEY (author=? AND day=?)"][..]),
        (
            store::GET_POST_ANALYTICS,
            3,
            &["SEARCH d USING PRIMARY KEY (post=? AND day=?)", "SEARCH sketches USING PRIMARY KEY (post=?)"],
        ),
        (
            store::GET_OVERVIEW,
            4,
            &["people_by_activity (active_on>?)", "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)"],
        ),
    ] {
        let plan =
            db.rows(&format!("explain query plan {sql}"), vec![Value::Integer(1); parameters]).await.unwrap();
        let plan: Vec<&str> = plan.iter().filter_map(|row| row[3].as_text()).collect();
        for look in looks {
            assert!(plan.iter().any(|step| step.contains(look)), "{look}: {plan:#?}");
        }
        for table in
            ["people", "posts", "author_days", "post_days", "activity", "sketches", "retention", "me", "p"]
        {
            let scanned = format!("SCAN {table}");
            let scans =
                plan.iter().filter(|step| **step == scanned || step.starts_with(&format!("{scanned} ")));
            assert_eq!(scans.count(), 0, "{table}: {plan:#?}");
        }
    }
}
