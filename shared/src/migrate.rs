//! Schema = the sum of the migrations of a service, in order, append-only.
//!
//! Each statement commits together with the note that it ran, so a runner stopped anywhere goes
//! on where it stopped, and two runners at once do each statement once.

use crate::db::{Db, DbError};
use crate::params;

/// One file of SQL.
pub struct Migration {
    /// File name, the key of the note.
    pub name: &'static str,
    /// Statements, each ending in `;` at a line's end; a trigger ends in `end;`.
    pub sql: &'static str,
}

/// A migration from a file beside the crate: `migration!("0001_init")`.
#[macro_export]
macro_rules! migration {
    ($name:literal) => {
        $crate::migrate::Migration {
            name: $name,
            sql: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql")),
        }
    };
}

const NOTES: &str = "create table if not exists schema_steps (
    migration text not null,
    step integer not null,
    primary key (migration, step)
) without rowid";

const DONE: &str = "select json_group_object(migration, steps)
    from (select migration, count(*) as steps from schema_steps group by migration)";

const NOTE: &str = "insert into schema_steps (migration, step) values (?1, ?2)";

/// Brings the schema up to date.
pub async fn migrate(db: &Db, migrations: &[Migration]) -> Result<(), DbError> {
    let notes = match db.read_as::<std::collections::HashMap<String, usize>>(DONE, params![]).await {
        Ok(notes) => notes.unwrap_or_default(),
        Err(_) => {
            db.rows(NOTES, params![]).await?;
            Default::default()
        }
    };
    for migration in migrations {
        let done = notes.get(migration.name).copied().unwrap_or(0);
        for (step, statement) in statements(migration.sql).into_iter().enumerate().skip(done) {
            let step = i64::try_from(step).unwrap_or(i64::MAX);
            let note = (NOTE, params![migration.name, step]);
            match db.transaction(note, |_| (statement, params![]), |_| true).await {
                Ok(_) => {}
                // Another runner noted this step first, and so did it.
                Err(error) if error.is_unique("schema_steps") => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// The statements of a file. A `;` ends one at a line's end, but in a trigger only after `end`.
fn statements(sql: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in sql.split_inclusive('\n') {
        at += line.len();
        if !line.trim_end().ends_with(';') || line.trim_start().starts_with("--") {
            continue;
        }
        let statement = &sql[start..at];
        let is_trigger = code_lines(statement).next().is_some_and(|line| line.starts_with("create trigger"));
        if is_trigger && line.trim() != "end;" {
            continue;
        }
        all.push(statement.trim());
        start = at;
    }
    all
}

fn code_lines(sql: &str) -> impl Iterator<Item = &str> {
    sql.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("--"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platform;

    const FILE: &str = "-- People.\ncreate table a (x text);\n\n-- Why; this.\ncreate trigger t after insert on a begin\n    insert into b values (new.x);\nend;\ncreate index i on a (x);\n";

    #[test]
    fn a_trigger_is_one_statement() {
        let found = statements(FILE);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[1].ends_with("end;"));
    }

    #[tokio::test]
    async fn a_runner_stopped_anywhere_goes_on_where_it_stopped() {
        let folder = crate::testing::folder("migrate");
        let db = Db::new(Platform::new(&folder), "migrate");
        let broken = [Migration { name: "m", sql: "create table b (x text);\ncreate table b (x text);\n" }];
        assert!(migrate(&db, &broken).await.is_err());
        // The first statement is noted, so the mended file runs from the second.
        let mended = [Migration { name: "m", sql: "create table b (x text);\ncreate table c (x text);\n" }];
        migrate(&db, &mended).await.unwrap();
        migrate(&db, &mended).await.unwrap();
        db.rows("insert into c values ('once')", params![]).await.unwrap();
    }
}
