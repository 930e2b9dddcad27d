//! One statement: read, run, and its rows kept.

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Batch, CachedStatement, Connection, ErrorCode, Statement, params_from_iter};

/// The largest result held for a component. Spin applies the same bound to each row.
const MOST_RESULT_BYTES: usize = 128 << 20;

/// What a statement gave: the rows up to an error, and the error.
pub struct Outcome {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
    /// SQLite's message, if the statement failed.
    pub result: Result<(), String>,
}

impl Outcome {
    /// Nothing but why.
    pub fn failed(message: impl ToString) -> Self {
        Self { columns: Vec::new(), rows: Vec::new(), result: Err(message.to_string()) }
    }
}

/// Whether a statement changes rows, as its first word says.
pub fn is_change(sql: &str) -> bool {
    let word = sql.trim_ascii_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
    ["insert", "update", "delete", "replace"].iter().any(|change| word.eq_ignore_ascii_case(change))
}

/// A statement ready to run.
pub enum Prepared<'a> {
    /// The text is one statement, which the connection keeps.
    Kept(CachedStatement<'a>),
    /// The first of several, if there is any: Spin runs that and passes over the rest.
    First(Option<Statement<'a>>),
}

impl<'a> Prepared<'a> {
    /// Reads `sql`, or takes what was read of it before.
    pub fn new(connection: &'a Connection, sql: &str) -> rusqlite::Result<Self> {
        match connection.prepare_cached(sql) {
            Ok(statement) => Ok(Self::Kept(statement)),
            Err(rusqlite::Error::MultipleStatement) => Ok(Self::First(Batch::new(connection, sql).next()?)),
            Err(error) => Err(error),
        }
    }

    /// Whether it changes anything.
    pub fn writes(&self) -> bool {
        match self {
            Self::Kept(statement) => !statement.readonly(),
            Self::First(statement) => statement.as_ref().is_some_and(|statement| !statement.readonly()),
        }
    }

    /// Runs the statement, and says whether it failed at a lock.
    pub fn run(&mut self, parameters: &[Value]) -> (Outcome, bool) {
        let mut outcome = Outcome { columns: Vec::new(), rows: Vec::new(), result: Ok(()) };
        let filled = match self {
            Self::Kept(statement) => fill(statement, &mut outcome, parameters),
            Self::First(Some(statement)) => fill(statement, &mut outcome, parameters),
            Self::First(None) => Ok(()),
        };
        let Err(error) = filled else { return (outcome, false) };
        let busy = error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
        outcome.result = Err(error.to_string());
        (outcome, busy)
    }
}

/// Runs a statement and keeps its rows.
fn fill(statement: &mut Statement<'_>, outcome: &mut Outcome, parameters: &[Value]) -> rusqlite::Result<()> {
    outcome.columns = statement.column_names().map(str::to_owned).collect();
    let width = outcome.columns.len();
    let mut bytes = 0;
    let mut rows = statement.query(params_from_iter(parameters))?;
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(width);
        for column in 0..width {
            values.push(owned(row.get_ref(column)?, &mut bytes));
        }
        if bytes > MOST_RESULT_BYTES {
            outcome.result = Err(format!("query result exceeds limit of {MOST_RESULT_BYTES} bytes"));
            return Ok(());
        }
        outcome.rows.push(values);
    }
    Ok(())
}

fn owned(value: ValueRef<'_>, bytes: &mut usize) -> Value {
    *bytes += size_of::<Value>();
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(raw) => {
            *bytes += raw.len();
            // Checked as a whole first, which takes a fraction of the time.
            let text = std::str::from_utf8(raw).map(ToOwned::to_owned);
            Value::Text(text.unwrap_or_else(|_| String::from_utf8_lossy(raw).into_owned()))
        }
        ValueRef::Blob(blob) => {
            *bytes += blob.len();
            Value::Blob(blob.to_vec())
        }
    }
}
