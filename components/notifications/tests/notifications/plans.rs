//! Hot statements look into indexes.

use shared::db::Value;

use crate::start;

async fn plan(sql: &str, parameters: usize) -> String {
    let house = start().await;
    let app = house.world.app("notifications");
    let rows =
        app.db.rows(&format!("explain query plan {sql}"), vec![Value::Null; parameters]).await.unwrap();
    rows.iter().filter_map(|row| row[3].as_text()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_page_runs_down_an_index_and_counts_in_another() {
    let plan = plan(notifications::store::LIST_NOTIFICATIONS, 5).await;
    assert!(plan.contains("notifications_by_place (person=? AND place<?)"), "{plan}");
    assert!(plan.contains("notifications_unread (person=?)"), "{plan}");
    assert!(plan.contains("actors_newest (notification=?)"), "{plan}");
    // What moved since the first page is little, and sorted; the rest comes in order.
    assert!(plan.contains("MERGE (UNION ALL)"), "{plan}");
    assert_eq!(plan.matches("USE TEMP B-TREE").count(), 1, "{plan}");
    for table in ["n", "a", "u", "me", "m", "before", "host", "follows", "blocks"] {
        assert!(
            !plan.contains(&format!("SCAN {table}\n")) && !plan.ends_with(&format!("SCAN {table}")),
            "{table}: {plan}"
        );
    }
}

#[tokio::test]
async fn a_claim_looks_at_what_is_due() {
    let plan = plan(notifications::store::CLAIM_PUSHES, 3).await;
    assert!(plan.contains("pushes_by_due (due_at<?)"), "{plan}");
    assert!(!plan.contains("SCAN pushes") && !plan.contains("SCAN e"), "{plan}");
}
