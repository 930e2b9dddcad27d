//! The SQLite file behind a label.
//!
//! What a component holds as a connection is a name: each statement goes over one of the few connections that SQLite has to the
//! file, and only who left something behind in one, as a transaction or a temporary table, has it alone from then on. Opening a
//! file and reading its schema costs more than most queries; and a connection keeps pages it read and statements it prepared,
//! which is worth the more the fewer there are: components keep dozens, of which each would know little.
//!
//! A statement runs where it was asked for, on the runtime's own thread: a read takes tens of microseconds,
//! less than handing it to another thread. Two things would make that wrong, and both are seen to. Writers in
//! this process queue at one lock for each file, so none of them sleeps in SQLite's busy handler; and a write
//! that finds the file locked all the same, by a transaction or another process, waits on a thread for
//! blocking work. And changes by themselves go over one connection, whosever they are: it alone knows what it read before.

mod statement;

pub use self::statement::Outcome;
use self::statement::{Prepared, is_change};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::Value;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a statement waits for another's lock; rusqlite's default, and so Spin's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections kept for the next statement.
const MOST_IDLE: usize = 16;

/// Prepared statements kept in each connection.
const STATEMENTS: usize = 128;

/// Memory a connection keeps pages in, at most, in KiB as a negative number. SQLite's own 2 MB hold a part of what the feeds of a
/// thousand people show; few connections are open at once, so that each may have more.
const CACHE_KIB: i32 = -16_384;

/// Pages a write-ahead log grows to (32 MB) before it is written back. Rows of an index lie scattered, and a page
/// that was changed by many writes is written back once; SQLite's 1,000 make a small write cost a third more.
const LOG_PAGES: i32 = 8_000;

/// The first SQLite without the rare corruption when a write-ahead log is reset.
const FIRST_SAFE_WAL: i32 = 3_051_003;

/// Pragmas that may be given a value and leave nothing in the connection that the next statement would notice:
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
    /// Whether a statement changed it in a way that the next one would notice.
    altered: Arc<AtomicBool>,
}

/// What a component holds.
#[derive(Clone)]
pub struct Connection(Arc<Handle>);

struct Handle {
    database: Arc<Database>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// The session that something of this connection's is in.
    session: Option<Session>,
    changed: Changed,
}

/// What SQLite says of the last change.
#[derive(Clone, Copy, Default)]
struct Changed {
    rows: u64,
    last_rowid: i64,
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

    /// A connection for a component; or why the file cannot be opened.
    pub fn open(self: &Arc<Self>) -> Result<Connection, String> {
        let session = self.session().map_err(|error| error.to_string())?;
        let mut held = Held::default();
        self.give_back(session, &mut held);
        Ok(Connection(Arc::new(Handle { database: self.clone(), held: Mutex::new(held) })))
    }

    /// One that is idle, or a new one.
    fn session(&self) -> rusqlite::Result<Session> {
        let idle = lock(&self.idle).pop();
        idle.map_or_else(|| self.connect(), Ok)
    }

    fn connect(&self) -> rusqlite::Result<Session> {
        let _opening = lock(&self.opening);
        let mut raw = match &self.path {
            Some(path) => rusqlite::Connection::open(path)?,
            None => rusqlite::Connection::open_in_memory()?,
        };
        raw.busy_timeout(BUSY_TIMEOUT)?;
        raw.set_prepared_statement_cache_capacity(STATEMENTS);
        raw.pragma_update(None, "cache_size", CACHE_KIB)?;
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

    /// For the next statement of anybody, or, with something left behind in it, of the same connection.
    fn give_back(&self, session: Session, held: &mut Held) {
        let is_clean =
            self.path.is_some() && session.raw.is_autocommit() && !session.altered.load(Ordering::Relaxed);
        if !is_clean {
            held.session = Some(session);
            return;
        }
        let mut idle = lock(&self.idle);
        if idle.len() < MOST_IDLE {
            idle.push(session);
        }
    }

    /// Whether it is the statement's turn to write, from now on if it was not.
    fn has_turn(&self, turn: &mut Option<Turn>) -> bool {
        if turn.is_none() {
            *turn = self.writer.clone().try_lock_owned().ok();
        }
        turn.is_some()
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
        lock(&self.0.held).changed.last_rowid
    }

    /// How many rows the last statement that writes changed.
    pub fn changes(&self) -> u64 {
        lock(&self.0.held).changed.rows
    }

    /// Runs a statement, or gives it up at once where it is not its turn or the file is locked.
    ///
    /// A change that is no part of a transaction goes over the connection that all such changes share: SQLite forgets what it
    /// read of a file that another connection changed, and reads dozens of pages again for each small write.
    fn try_query(&self, sql: &str, parameters: Vec<Value>, turn: &mut Option<Turn>) -> Attempt {
        let database = &*self.0.database;
        let Ok(mut held) = self.0.held.try_lock() else {
            return Attempt::Busy(parameters);
        };
        let is_alone = held.session.is_none() && is_change(sql);
        if is_alone && !database.has_turn(turn) {
            return Attempt::Queued(parameters);
        }
        let kept = match turn.as_deref_mut() {
            Some(writer) if is_alone => writer.take().map_or_else(|| database.connect(), Ok),
            _ => held.session.take().map_or_else(|| database.session(), Ok),
        };
        let session = match kept {
            Ok(session) => session,
            Err(error) => return Attempt::Done(Outcome::failed(error)),
        };
        let attempt = attempt(database, &session, sql, parameters, turn, &mut held.changed);
        match turn.as_deref_mut() {
            Some(writer) if is_alone => *writer = Some(session),
            _ => database.give_back(session, &mut held),
        }
        attempt
    }

    /// Runs a statement, waiting for locks.
    fn wait_query(&self, sql: &str, parameters: &[Value]) -> Outcome {
        let database = &*self.0.database;
        let mut held = lock(&self.0.held);
        let session = match held.session.take().map_or_else(|| database.session(), Ok) {
            Ok(session) => session,
            Err(error) => return Outcome::failed(error),
        };
        let outcome = match Prepared::new(&session.raw, sql) {
            Ok(mut prepared) => run(&session, &mut prepared, parameters, &mut held.changed).0,
            Err(error) => Outcome::failed(error),
        };
        database.give_back(session, &mut held);
        outcome
    }
}

/// Runs a statement without waiting for locks. A write takes a turn, but not inside a transaction: there the lock is already held in
/// SQLite, and queueing behind those who wait for it would be a deadlock.
fn attempt(
    database: &Database,
    session: &Session,
    sql: &str,
    parameters: Vec<Value>,
    turn: &mut Option<Turn>,
    changed: &mut Changed,
) -> Attempt {
    // Once for both questions: whether it writes, and what it answers.
    let mut prepared = match Prepared::new(&session.raw, sql) {
        Ok(prepared) => prepared,
        Err(error) => return Attempt::Done(Outcome::failed(error)),
    };
    if prepared.writes() && session.raw.is_autocommit() && !database.has_turn(turn) {
        return Attempt::Queued(parameters);
    }
    let _ = session.raw.busy_timeout(Duration::ZERO);
    let (outcome, is_locked) = run(session, &mut prepared, &parameters, changed);
    let _ = session.raw.busy_timeout(BUSY_TIMEOUT);
    if is_locked && outcome.rows.is_empty() { Attempt::Busy(parameters) } else { Attempt::Done(outcome) }
}

/// Runs a statement, notes what it changed, and says whether it failed at a lock.
fn run(
    session: &Session,
    prepared: &mut Prepared<'_>,
    parameters: &[Value],
    changed: &mut Changed,
) -> (Outcome, bool) {
    let ran = prepared.run(parameters);
    if prepared.writes() {
        *changed = Changed { rows: session.raw.changes(), last_rowid: session.raw.last_insert_rowid() };
    }
    ran
}

/// A panic elsewhere leaves nothing half done behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(name: &str) -> Arc<Database> {
        let path = std::env::temp_dir().join(format!("host-{name}-{}.db", std::process::id()));
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
        Arc::new(Database::new(Some(path), false))
    }

    async fn run(connection: &Connection, sql: &str) -> Vec<Vec<Value>> {
        let outcome = connection.query(sql.to_owned(), Vec::new()).await;
        outcome.result.unwrap();
        outcome.rows
    }

    #[tokio::test]
    async fn many_connections_of_components_are_few_of_sqlite() {
        let database = database("few");
        let connections: Vec<Connection> = (0..40).map(|_| database.open().unwrap()).collect();
        run(&connections[0], "create table t (id integer primary key)").await;
        for connection in &connections {
            run(connection, "insert into t default values").await;
            run(connection, "select count(*) from t").await;
        }
        assert_eq!(run(&connections[0], "select count(*) from t").await, [[Value::Integer(40)]]);
        assert_eq!(lock(&database.idle).len(), 1);
    }

    #[tokio::test]
    async fn a_transaction_has_a_connection_alone_and_gives_it_back() {
        let database = database("alone");
        let (one, other) = (database.open().unwrap(), database.open().unwrap());
        run(&one, "create table t (id integer primary key)").await;
        run(&one, "begin").await;
        run(&one, "insert into t values (7)").await;
        assert_eq!(run(&other, "select count(*) from t").await, [[Value::Integer(0)]]);
        assert_eq!(run(&one, "select count(*) from t").await, [[Value::Integer(1)]]);
        run(&one, "commit").await;
        assert_eq!(run(&other, "select count(*) from t").await, [[Value::Integer(1)]]);
        assert_eq!(lock(&database.idle).len(), 2);
        // What is not committed goes with who began it.
        run(&one, "begin").await;
        run(&one, "delete from t").await;
        drop(one);
        assert_eq!(run(&other, "select count(*) from t").await, [[Value::Integer(1)]]);
        run(&other, "delete from t").await;
        assert_eq!((other.changes(), lock(&database.idle).len()), (1, 1));
    }
}
