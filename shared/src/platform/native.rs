//! rusqlite and tokio, for tests: every service in one process, talking through a [`Mesh`].

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use rusqlite::types::ValueRef;
use tokio::sync::mpsc;

use super::Value;

/// Where requests to a host of the test's own go.
pub type Mesh = Arc<Mutex<HashMap<String, axum::Router>>>;

/// The machine a test gives its services.
#[derive(Clone, Default)]
pub struct Platform {
    /// Folder of the databases, one file per label.
    pub folder: PathBuf,
    /// Variables by name.
    pub variables: HashMap<String, String>,
    /// Services by authority (`users.spin.internal`).
    pub mesh: Mesh,
    kv: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

/// An open SQLite connection.
pub struct Connection(rusqlite::Connection);

impl Platform {
    /// A machine with its databases in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), ..Self::default() }
    }

    /// Opens the database of `label`.
    pub async fn open(&self, label: &str) -> Result<Connection, String> {
        let open = || {
            let connection = rusqlite::Connection::open(self.folder.join(format!("{label}.db")))?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "off")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.busy_timeout(Duration::from_secs(5))?;
            Ok(Connection(connection))
        };
        open().map_err(|error: rusqlite::Error| error.to_string())
    }

    /// The variable `name`.
    pub async fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    /// The value of `key`.
    pub async fn kv_get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(lock(&self.kv).get(key).cloned())
    }

    /// Sets `key`.
    pub async fn kv_set(&self, key: &str, value: &[u8]) -> Result<(), String> {
        lock(&self.kv).insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    /// Deletes `key`.
    pub async fn kv_delete(&self, key: &str) -> Result<(), String> {
        lock(&self.kv).remove(key);
        Ok(())
    }

    /// Every key.
    pub async fn kv_keys(&self) -> Result<Vec<String>, String> {
        Ok(lock(&self.kv).keys().cloned().collect())
    }

    /// Sends one request to the service of that authority.
    pub async fn send(
        &self,
        request: http::Request<Bytes>,
        limit: usize,
    ) -> Result<http::Response<Bytes>, String> {
        let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let service = lock(&self.mesh).get(&authority).cloned();
        let mut service = service.ok_or_else(|| format!("no service at {authority}"))?;
        let request = request.map(axum::body::Body::from);
        let response =
            tower_service::Service::call(&mut service, request).await.map_err(|error| error.to_string())?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, limit).collect().await.map_err(|e| e.to_string())?.to_bytes();
        Ok(http::Response::from_parts(parts, body))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    /// Runs one statement to its end and answers with every row of it.
    pub async fn execute(&mut self, sql: &str, params: Vec<Value>) -> Result<Vec<Vec<Value>>, String> {
        let run = || {
            let mut statement = self.0.prepare_cached(sql)?;
            let columns = statement.column_count();
            let mut rows = statement.query(rusqlite::params_from_iter(params.iter().map(parameter)))?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let values = (0..columns).map(|column| Ok(value(row.get_ref(column)?)));
                all.push(values.collect::<rusqlite::Result<Vec<_>>>()?);
            }
            Ok(all)
        };
        run().map_err(|error: rusqlite::Error| match error {
            rusqlite::Error::SqliteFailure(_, Some(text)) => text,
            other => other.to_string(),
        })
    }
}

fn parameter(value: &Value) -> rusqlite::types::Value {
    match value.clone() {
        Value::Null => rusqlite::types::Value::Null,
        Value::Integer(integer) => integer.into(),
        Value::Real(real) => real.into(),
        Value::Text(text) => text.into(),
        Value::Blob(blob) => blob.into(),
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
    }
}

/// Goes on after the answer.
pub fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}

/// Waits.
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Lets everything else go on for a turn.
pub async fn turn() {
    tokio::task::yield_now().await;
}

/// The writing end of an answer that goes on.
pub struct Outlet(mpsc::Sender<Bytes>);

impl Outlet {
    /// Writes until all is taken; `None` where nobody reads any more.
    pub async fn send(self, bytes: Vec<u8>) -> Option<Self> {
        self.0.send(bytes.into()).await.is_ok().then_some(self)
    }
}

/// An answer that goes on for as long as its outlet is kept.
pub fn stream() -> (Outlet, Response) {
    // One chunk may wait, so that a client that does not read is one whose outlet does not write.
    let (sender, receiver) = mpsc::channel(1);
    let chunks = futures_util::stream::unfold(receiver, async |mut receiver| {
        let chunk = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(chunk), receiver))
    });
    (Outlet(sender), Response::new(Body::from_stream(chunks)))
}
