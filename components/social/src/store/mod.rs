//! All SQL, by noun. In every statement `me` is the caller and `them` the person it is about.

mod appeals;
mod audit;
mod cases;
mod internal;
mod lists;
mod profiles;
mod reports;
mod ties;

pub use appeals::*;
pub use audit::*;
pub use cases::*;
pub use internal::*;
pub use lists::*;
pub use profiles::*;
pub use reports::*;
pub use ties::*;

#[cfg(test)]
mod tests {
    use shared::db::{Db, Value};
    use shared::testing::World;

    use super::*;

    /// The tables that grow, by name and by the names statements give them.
    const BIG: [&str; 18] = [
        "people",
        "them",
        "owner",
        "author",
        "reporter",
        "by",
        "follows",
        "follow_requests",
        "blocks",
        "mutes",
        "reports",
        "cases",
        "appeals",
        "t",
        "r",
        "o",
        "c",
        "a",
    ];

    /// How SQLite goes about a statement, a line each.
    async fn plan(db: &Db, sql: &str) -> Vec<String> {
        let params = (1..=9).rev().find(|n| sql.contains(&format!("?{n}"))).unwrap_or(0);
        let rows = db.rows(&format!("explain query plan {sql}"), vec![Value::Null; params]).await.unwrap();
        rows.into_iter().filter_map(|mut row| row.pop()?.into_text()).collect()
    }

    #[tokio::test]
    async fn every_statement_finds_its_rows_by_an_index_in_the_order_it_needs() {
        let world = World::start(&[&crate::SERVICE], &[]).await;
        let db = &world.app("social").db;
        for sql in [
            RELATIONSHIP,
            RELATIONSHIP_OF_BLOCKED,
            CREATE_FOLLOW,
            DELETE_FOLLOW,
            CREATE_BLOCK,
            DELETE_BLOCK,
            CREATE_MUTE,
            DELETE_MUTE,
            ACCEPT_FOLLOW_REQUEST,
            REJECT_FOLLOW_REQUEST,
            LIST_BLOCKED,
            LIST_MUTED,
            LIST_FOLLOW_REQUESTS,
            LIST_FOLLOWERS,
            LIST_FOLLOWING,
            LIST_ACCESS,
            SHOW_PROFILE,
            IS_HANDLE_KNOWN,
            MAY_FIND_PERSON,
            CREATE_REPORT,
            LIST_REPORTS,
            LIST_CASES,
            GET_CASE,
            FIND_REPORT,
            RESOLVE_REPORT,
            SUSPEND_USER,
            UNSUSPEND_USER,
            LIST_DECISIONS,
            CREATE_APPEAL,
            LIST_APPEALS,
            GET_APPEAL,
            RESOLVE_APPEAL,
            LIST_AUDIT,
            LIST_AUDIT_BY,
            LIST_AUDIT_ABOUT,
            LIST_AUDIT_BY_ABOUT,
            EXPORT_PERSON,
        ] {
            for line in plan(db, sql).await {
                let scanned = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
                assert!(!scanned.is_some_and(|name| BIG.contains(&name)), "{line}\nin {sql}");
                let sorts = line.contains("TEMP B-TREE") && sql != LIST_ACCESS;
                assert!(!sorts, "{line}\nin {sql}");
            }
        }
    }
}
