//! SQLite as a service uses it: statements in, JSON out.
//!
//! A read or a write is ONE statement whose first column is JSON built by SQLite; rows handed over
//! one by one cost far more than one value. Connections are kept in a small pool per instance,
//! because opening one per request halves the throughput; a connection belongs to one request at
//! a time, because libSQL hangs when one is shared.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::idempotency::Effects;
pub use crate::platform::Value;
use crate::platform::{Connection, Platform};

/// A connection that idled this long may be closed at the other end (libSQL expires after 10 s).
const IDLE: Duration = Duration::from_secs(5);
/// More than this many idle connections are closed instead of kept.
const KEPT: usize = 16;

/// The parameters of a statement, as [`Value`]s.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::Value::from($value)),*] };
}

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DbError {
    /// A `unique` or primary key was violated; the columns as SQLite names them (`people.handle`).
    Unique(String),
    /// A trigger said `raise(abort, '<word>')`, or a `check` or foreign key failed.
    Refused(String),
    /// The database stayed locked for longer than the wait.
    Busy,
    /// Anything else: a fault of ours or of the machine.
    Failed(String),
}

impl DbError {
    fn from_text(text: String) -> Self {
        if let Some(columns) = text.split_once("UNIQUE constraint failed: ").map(|(_, columns)| columns) {
            return Self::Unique(columns.to_owned());
        }
        if text.contains("database is locked") || text.contains("database table is locked") {
            return Self::Busy;
        }
        if text.contains("constraint failed") || is_word(&text) {
            return Self::Refused(text);
        }
        Self::Failed(text)
    }

    /// Whether the unique key that names `column` was violated.
    pub fn is_unique(&self, column: &str) -> bool {
        matches!(self, Self::Unique(columns) if columns.contains(column))
    }

    /// Whether a trigger refused with `word`.
    pub fn is_refused(&self, word: &str) -> bool {
        matches!(self, Self::Refused(text) if text == word)
    }
}

/// What `raise(abort, ...)` in our migrations says is always one `snake_case` word.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unique(columns) => write!(f, "not unique: {columns}"),
            Self::Refused(word) => write!(f, "refused: {word}"),
            Self::Busy => f.write_str("the database is locked"),
            Self::Failed(text) => write!(f, "SQLite: {text}"),
        }
    }
}

impl std::error::Error for DbError {}

/// The database of this service. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Arc<Pool>,
    effects: Option<Arc<Effects>>,
}

struct Pool {
    platform: Platform,
    label: &'static str,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

/// One page: a JSON array and the sort key of its last item, where more follow.
#[derive(Debug, PartialEq, Eq)]
pub struct PageOut {
    /// A JSON array.
    pub items: String,
    /// The key to go on after, or `None` at the end.
    pub next: Option<String>,
}

impl Db {
    /// The database the manifest grants under `label`; opened at the first statement.
    pub fn new(platform: Platform, label: &'static str) -> Self {
        Self { pool: Arc::new(Pool { platform, label, idle: Mutex::default() }), effects: None }
    }

    /// The same database, its writes remembered under an Idempotency-Key.
    pub(crate) fn with_effects(&self, effects: Arc<Effects>) -> Self {
        Self { pool: self.pool.clone(), effects: Some(effects) }
    }

    /// Whether an earlier run of this request, under the same Idempotency-Key, made the next write
    /// already: then what was checked before it held at the time, and may not hold any more.
    pub fn is_repeated(&self) -> bool {
        self.effects.as_ref().is_some_and(|effects| effects.is_noted())
    }

    /// Runs a statement that reads: the first column of its first row, which is JSON or text.
    pub async fn read(&self, sql: &str, params: Vec<Value>) -> Result<Option<String>, DbError> {
        Ok(first_text(self.rows(sql, params).await?))
    }

    /// [`Db::read`], parsed.
    pub async fn read_as<T: DeserializeOwned>(
        &self,
        sql: &str,
        params: Vec<Value>,
    ) -> Result<Option<T>, DbError> {
        parse(self.read(sql, params).await?)
    }

    /// Runs the ONE statement of a write: the first column of its first `returning` row, or `None`
    /// where it changed no row. Under an Idempotency-Key the change and the fact that it was
    /// made commit together, and a retry gets what the first run got, without a second change.
    pub async fn write(&self, sql: &str, params: Vec<Value>) -> Result<Option<String>, DbError> {
        match &self.effects {
            Some(effects) => effects.once(self, sql, params).await,
            None => Ok(first_text(self.rows(sql, params).await?)),
        }
    }

    /// [`Db::write`], parsed.
    pub async fn write_as<T: DeserializeOwned>(
        &self,
        sql: &str,
        params: Vec<Value>,
    ) -> Result<Option<T>, DbError> {
        parse(self.write(sql, params).await?)
    }

    /// Runs a statement whose one row is `(items, next)`: a JSON array, and the sort key of the
    /// last item where more follow, else null.
    pub async fn page(&self, sql: &str, params: Vec<Value>) -> Result<PageOut, DbError> {
        let row = self.rows(sql, params).await?.into_iter().next().unwrap_or_default();
        let mut columns = row.into_iter();
        let items = columns.next().and_then(Value::into_text).unwrap_or_else(|| "[]".to_owned());
        let next = match columns.next() {
            Some(Value::Integer(key)) => Some(key.to_string()),
            Some(Value::Text(key)) => Some(key),
            _ => None,
        };
        Ok(PageOut { items, next })
    }

    /// Every row of a statement.
    pub async fn rows(&self, sql: &str, params: Vec<Value>) -> Result<Vec<Vec<Value>>, DbError> {
        let mut connection = self.checkout().await?;
        let rows = connection.execute(sql, params).await.map_err(DbError::from_text);
        // A connection that failed may be broken (libSQL), so it is not kept; a refusal is no failure.
        if !matches!(rows, Err(DbError::Failed(_))) {
            self.checkin(connection);
        }
        rows
    }

    /// Runs `first`, then the statement that `then` makes of its rows, as one transaction. `holds`
    /// judges the rows of the second; where it says no, nothing happened, and the answer is false.
    pub(crate) async fn transaction<'a>(
        &self,
        first: (&str, Vec<Value>),
        then: impl FnOnce(Vec<Vec<Value>>) -> (&'a str, Vec<Value>),
        holds: impl FnOnce(&[Vec<Value>]) -> bool,
    ) -> Result<bool, DbError> {
        let mut connection = self.checkout().await?;
        let changed = async {
            connection.execute("begin immediate", Vec::new()).await?;
            let (sql, params) = then(connection.execute(first.0, first.1).await?);
            let noted = holds(&connection.execute(sql, params).await?);
            connection.execute(if noted { "commit" } else { "rollback" }, Vec::new()).await?;
            Ok(noted)
        }
        .await;
        match changed {
            Ok(noted) => {
                self.checkin(connection);
                Ok(noted)
            }
            Err(text) => {
                // Best effort: the connection is dropped right after, which rolls back as well.
                let _ = connection.execute("rollback", Vec::new()).await;
                Err(DbError::from_text(text))
            }
        }
    }

    async fn checkout(&self) -> Result<Connection, DbError> {
        let kept = {
            let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.retain(|(_, since)| since.elapsed() < IDLE);
            idle.pop()
        };
        match kept {
            Some((connection, _)) => Ok(connection),
            None => self.pool.platform.open(self.pool.label).await.map_err(DbError::Failed),
        }
    }

    fn checkin(&self, connection: Connection) {
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push((connection, Instant::now()));
        }
    }
}

pub(crate) fn first_text(rows: Vec<Vec<Value>>) -> Option<String> {
    match rows.into_iter().next()?.into_iter().next()? {
        Value::Text(text) => Some(text),
        Value::Integer(integer) => Some(integer.to_string()),
        Value::Real(real) => Some(real.to_string()),
        Value::Null | Value::Blob(_) => None,
    }
}

fn parse<T: DeserializeOwned>(json: Option<String>) -> Result<Option<T>, DbError> {
    json.map(|json| serde_json::from_str(&json))
        .transpose()
        .map_err(|error| DbError::Failed(format!("a row is not what the statement promises: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart_by_what_sqlite_says() {
        let unique = DbError::from_text("UNIQUE constraint failed: people.handle".into());
        assert!(unique.is_unique("people.handle"));
        assert!(DbError::from_text("invite_required".into()).is_refused("invite_required"));
        assert_eq!(DbError::from_text("database is locked".into()), DbError::Busy);
        assert!(matches!(DbError::from_text("no such table: x".into()), DbError::Failed(_)));
    }
}
