//! The SQLite file behind a label.
//!
//! A component opens a connection, uses it and drops it, often once for each request. Opening a file and
//! reading its schema costs more than most queries, so a dropped connection is kept, with its prepared
//! statements, for the next to open it - unless its user left something behind in it.
//!
//! A statement runs where it was asked for, on the runtime's own thread: a read takes tens of microseconds,
//! less than handing it to another thread. Two things would make that wrong, and both are seen to. Writers in
//! this process queue at one lock for each file, so none of them sleeps in SQLite's busy handler; and a write
//! that finds the file locked all the same, by a transaction or another process, waits on a thread for
//! blocking work. And changes by themselves go over one connection, whosever they are: it alone knows what it read before.

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::{Value, ValueRef};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a statement waits for another's lock; rusqlite's default, and so Spin's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections kept for the next user of a file.
const MOST_IDLE: usize = 16;

/// Prepared statements kept in each connection.
const STATEMENTS: usize = 128;

/// Pages a write-ahead log grows to (32 MB) before it is written back. Rows of an index lie scattered, and a page
/// that was changed by many writes is written back once; SQLite's 1,000 make a small write cost a third more.
const LOG_PAGES: i32 = 8_000;

/// The largest result held for a component. Spin applies the same bound to each row.
const MOST_RESULT_BYTES: usize = 128 << 20;

/// The first SQLite without the rare corruption when a write-ahead log is reset.
const FIRST_SAFE_WAL: i32 = 3_051_003;

/// Pragmas that may be given a value and leave nothing in the connection that its next user would notice:
/// they ask, they act on the file, or they only tune.
const HARMLESS_PRAGMAS: [&str; 20] = [
    "analysis_limit",
    "application_id",
    "auto_vacuum",
    "busy_timeout",
    "cache_size",
    "foreign_key_check",
    "foreign_key_list",
    "incremental_vacuum",
    "index_info",
    "index_list",
    "integrity_check",
    "journal_mode",
    "journal_size_limit",
    "mmap_size",
    "optimize",
    "quick_check",
    "table_info",
    "temp_store",
    "user_version",
    "wal_checkpoint",
];

/// A database: the file and the idle connections to it.
pub struct Database {
    path: Option<PathBuf>,
    allow_attach_file: bool,
    idle: Mutex<Vec<Session>>,
    /// Held while a file is opened: two who turn the same file to a write-ahead log at once get in each other's
    /// way, and SQLite does not wait there.
    opening: Mutex<()>,
    /// The connection that changes go over, once there was one.
    writer: Arc<tokio::sync::Mutex<Option<Session>>>,
}

/// One SQLite connection.
struct Session {
    raw: rusqlite::Connection,
    /// Whether its user changed it in a way the next one would notice.
    altered: Arc<AtomicBool>,
}

/// A connection in use; dropping the last handle gives it back.
#[derive(Clone)]
pub struct Connection(Arc<InUse>);

struct InUse {
    session: Mutex<Option<Session>>,
    /// What SQLite says of the last change, where that went over the writer's connection.
    changed: Mutex<Option<Changed>>,
    database: Arc<Database>,
}

#[derive(Clone, Copy)]
struct Changed {
    rows: u64,
    last_rowid: i64,
}

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
    fn failed(message: impl ToString) -> Self {
        Self { columns: Vec::new(), rows: Vec::new(), result: Err(message.to_string()) }
    }
}

/// What came of trying a statement without waiting.
enum Attempt {
    Done(Outcome),
    /// It writes, and others write before it.
    Queued(Vec<Value>),
    /// The file is locked.
    Busy(Vec<Value>),
}

/// A writer's turn at a file, held until its statement is done, with the connection it goes over.
type Turn = tokio::sync::OwnedMutexGuard<Option<Session>>;

impl Database {
    /// A database in the file at `path`, or, without one, a fresh one in memory for each connection.
    pub fn new(path: Option<PathBuf>, allow_attach_file: bool) -> Self {
        Self {
            path,
            allow_attach_file,
            idle: Mutex::default(),
            opening: Mutex::default(),
            writer: Arc::default(),
        }
    }

    /// Takes an idle connection or opens one.
    pub fn open(self: &Arc<Self>) -> Result<Connection, String> {
        let idle = lock(&self.idle).pop();
        let session = match idle {
            Some(session) => session,
            None => self.connect().map_err(|error| error.to_string())?,
        };
        let changed = Mutex::default();
        Ok(Connection(Arc::new(InUse {
            session: Mutex::new(Some(session)),
            changed,
            database: self.clone(),
        })))
    }

    fn connect(&self) -> rusqlite::Result<Session> {
        let _opening = lock(&self.opening);
        let mut raw = match &self.path {
            Some(path) => rusqlite::Connection::open(path)?,
            None => rusqlite::Connection::open_in_memory()?,
        };
        raw.busy_timeout(BUSY_TIMEOUT)?;
        raw.set_prepared_statement_cache_capacity(STATEMENTS);
        // A statement's plan stays as it was prepared. Otherwise SQLite, built with statistics as rusqlite's is,
        // prepares many a join anew whenever its parameters change, which is every time.
        raw.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        prepare_file(&raw, self.path.as_deref())?;
        let altered = Arc::new(AtomicBool::new(false));
        let (seen, allow_attach) = (altered.clone(), self.allow_attach_file);
        raw.authorizer(Some(move |context: AuthContext<'_>| {
            if alters_connection(&context.action) {
                seen.store(true, Ordering::Relaxed);
            }
            match context.action {
                AuthAction::Attach { filename } if !allow_attach && !matches!(filename, "" | ":memory:") => {
                    Authorization::Deny
                }
                _ => Authorization::Allow,
            }
        }))?;
        Ok(Session { raw, altered })
    }

    fn give_back(&self, session: Session) {
        let clean =
            self.path.is_some() && session.raw.is_autocommit() && !session.altered.load(Ordering::Relaxed);
        let mut idle = lock(&self.idle);
        if clean && idle.len() < MOST_IDLE {
            idle.push(session);
        }
    }
}

/// What makes an acknowledged write survive the death of the process: the log is written before the statement
/// returns. It is not synced to the disk each time (`synchronous = full` costs a small write more than twice as
/// much), so the last writes before a power cut may be lost, never the database's consistency.
pub(crate) fn prepare_file(raw: &rusqlite::Connection, path: Option<&Path>) -> rusqlite::Result<()> {
    raw.pragma_update(None, "foreign_keys", true)?;
    if path.is_some() && rusqlite::version_number() >= FIRST_SAFE_WAL {
        raw.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        raw.pragma_update(None, "synchronous", "normal")?;
        raw.pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES, |_| Ok(()))?;
    }
    Ok(())
}

fn alters_connection(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Pragma { pragma_name, pragma_value: Some(value) } => {
            let (name, value) = (pragma_name.to_ascii_lowercase(), value.to_ascii_lowercase());
            match name.as_str() {
                "foreign_keys" => !matches!(value.as_str(), "1" | "on" | "true" | "yes"),
                "synchronous" => !matches!(value.as_str(), "1" | "2" | "3" | "normal" | "full" | "extra"),
                name => !HARMLESS_PRAGMAS.contains(&name),
            }
        }
        AuthAction::Attach { .. }
        | AuthAction::Detach { .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => true,
        _ => false,
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let session = self.session.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(session) = session {
            self.database.give_back(session);
        }
    }
}

impl Connection {
    /// Runs the first statement of `sql`. Writers go one by one and in the order they came.
    pub async fn query(&self, sql: String, mut parameters: Vec<Value>) -> Outcome {
        let mut turn = None;
        loop {
            parameters = match self.try_query(&sql, parameters, &mut turn) {
                Attempt::Done(outcome) => return outcome,
                Attempt::Queued(parameters) => {
                    turn = Some(self.0.database.writer.clone().lock_owned().await);
                    parameters
                }
                Attempt::Busy(parameters) => {
                    let connection = self.clone();
                    return tokio::task::spawn_blocking(move || connection.wait_query(&sql, &parameters))
                        .await
                        .unwrap_or_else(|error| Outcome::failed(format!("the query was cut off: {error}")));
                }
            }
        }
    }

    /// The id of the last row inserted.
    pub fn last_insert_rowid(&self) -> i64 {
        if let Some(changed) = *lock(&self.0.changed) {
            return changed.last_rowid;
        }
        lock(&self.0.session).as_ref().map_or(0, |session| session.raw.last_insert_rowid())
    }

    /// How many rows the last statement changed.
    pub fn changes(&self) -> u64 {
        if let Some(changed) = *lock(&self.0.changed) {
            return changed.rows;
        }
        lock(&self.0.session).as_ref().map_or(0, |session| session.raw.changes())
    }

    /// Runs a statement, or gives it up at once where it is not its turn or the file is locked. A write takes a
    /// turn, but not inside a transaction: there the lock is already held in SQLite, and queueing behind those
    /// who wait for it would be a deadlock.
    fn try_query(&self, sql: &str, parameters: Vec<Value>, turn: &mut Option<Turn>) -> Attempt {
        let Ok(guard) = self.0.session.try_lock() else {
            return Attempt::Busy(parameters);
        };
        let Some(session) = guard.as_ref() else {
            return Attempt::Done(Outcome::failed(CLOSED));
        };
        if self.0.database.path.is_some()
            && is_change(sql)
            && session.raw.is_autocommit()
            && !session.altered.load(Ordering::Relaxed)
        {
            return self.try_change(sql, parameters, turn);
        }
        // Once for both questions: whether it writes, and what it answers.
        let mut prepared = match session.prepare(sql) {
            Ok(prepared) => prepared,
            Err(error) => return Attempt::Done(Outcome::failed(error)),
        };
        if turn.is_none() && prepared.writes() && session.raw.is_autocommit() {
            match self.0.database.writer.clone().try_lock_owned() {
                Ok(taken) => *turn = Some(taken),
                Err(_) => return Attempt::Queued(parameters),
            }
        }
        if prepared.writes() {
            *lock(&self.0.changed) = None;
        }
        attempt(session, &mut prepared, parameters)
    }

    /// A change that is no part of a transaction goes over the connection that all such changes share: SQLite forgets what it
    /// read of a file that another connection changed, and reads dozens of pages again for each small write.
    fn try_change(&self, sql: &str, parameters: Vec<Value>, turn: &mut Option<Turn>) -> Attempt {
        if turn.is_none() {
            match self.0.database.writer.clone().try_lock_owned() {
                Ok(taken) => *turn = Some(taken),
                Err(_) => return Attempt::Queued(parameters),
            }
        }
        let Some(writer) = turn.as_deref_mut() else { return Attempt::Queued(parameters) };
        if writer.is_none() {
            match self.0.database.connect() {
                Ok(session) => *writer = Some(session),
                Err(error) => return Attempt::Done(Outcome::failed(error)),
            }
        }
        let Some(session) = writer.as_ref() else { return Attempt::Queued(parameters) };
        let mut prepared = match session.prepare(sql) {
            Ok(prepared) => prepared,
            Err(error) => return Attempt::Done(Outcome::failed(error)),
        };
        let attempt = attempt(session, &mut prepared, parameters);
        *lock(&self.0.changed) =
            Some(Changed { rows: session.raw.changes(), last_rowid: session.raw.last_insert_rowid() });
        attempt
    }

    /// Runs a statement, waiting for locks.
    fn wait_query(&self, sql: &str, parameters: &[Value]) -> Outcome {
        let guard = lock(&self.0.session);
        *lock(&self.0.changed) = None;
        match guard.as_ref().map(|session| session.prepare(sql)) {
            Some(Ok(mut prepared)) => prepared.run(parameters).0,
            Some(Err(error)) => Outcome::failed(error),
            None => Outcome::failed(CLOSED),
        }
    }
}

/// Runs a statement without waiting for locks.
fn attempt(session: &Session, prepared: &mut Prepared<'_>, parameters: Vec<Value>) -> Attempt {
    let _ = session.raw.busy_timeout(Duration::ZERO);
    let outcome = prepared.run(&parameters);
    let _ = session.raw.busy_timeout(BUSY_TIMEOUT);
    match outcome {
        (outcome, true) if outcome.rows.is_empty() => Attempt::Busy(parameters),
        (outcome, _) => Attempt::Done(outcome),
    }
}

/// Whether a statement changes rows, as its first word says.
fn is_change(sql: &str) -> bool {
    let word = sql.trim_ascii_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
    ["insert", "update", "delete", "replace"].iter().any(|change| word.eq_ignore_ascii_case(change))
}

const CLOSED: &str = "the connection is closed";

/// A statement ready to run.
enum Prepared<'a> {
    /// The text is one statement, which the connection keeps.
    Kept(rusqlite::CachedStatement<'a>),
    /// The first of several, if there is any: Spin runs that and passes over the rest.
    First(Option<rusqlite::Statement<'a>>),
}

impl Session {
    fn prepare(&self, sql: &str) -> rusqlite::Result<Prepared<'_>> {
        match self.raw.prepare_cached(sql) {
            Ok(statement) => Ok(Prepared::Kept(statement)),
            Err(rusqlite::Error::MultipleStatement) => {
                Ok(Prepared::First(rusqlite::Batch::new(&self.raw, sql).next()?))
            }
            Err(error) => Err(error),
        }
    }
}

impl Prepared<'_> {
    fn writes(&self) -> bool {
        match self {
            Self::Kept(statement) => !statement.readonly(),
            Self::First(statement) => statement.as_ref().is_some_and(|statement| !statement.readonly()),
        }
    }

    /// Runs the statement, and says whether it failed at a lock.
    fn run(&mut self, parameters: &[Value]) -> (Outcome, bool) {
        let mut outcome = Outcome { columns: Vec::new(), rows: Vec::new(), result: Ok(()) };
        let filled = match self {
            Self::Kept(statement) => fill(statement, &mut outcome, parameters),
            Self::First(Some(statement)) => fill(statement, &mut outcome, parameters),
            Self::First(None) => Ok(()),
        };
        let Err(error) = filled else { return (outcome, false) };
        let busy = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy);
        outcome.result = Err(error.to_string());
        (outcome, busy)
    }
}

/// Runs a statement and keeps its rows.
fn fill(
    statement: &mut rusqlite::Statement<'_>,
    outcome: &mut Outcome,
    parameters: &[Value],
) -> rusqlite::Result<()> {
    outcome.columns = statement.column_names().map(str::to_owned).collect();
    let width = outcome.columns.len();
    let mut bytes = 0;
    let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
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

/// A panic elsewhere leaves nothing half done behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
