//! `spin:key-value`: stores of bytes by key, in a SQLite file.
//!
//! One connection for each file, behind a lock: an operation takes microseconds, and nobody else writes there. So
//! what was read or written last is remembered beside it.

use super::Ctx;
use super::bindings::spin::key_value::key_value::{Error, Host, HostStore, HostStoreWithStore};
use crate::database::prepare_file;
use rusqlite::OptionalExtension as _;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::Result;
use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

/// How many stores an instance may have open, as in Spin.
const MOST_STORES: usize = 256;

/// The table of Spin's own store, so that either host reads what the other wrote.
const CREATE: &str = "create table if not exists spin_key_value \
    (store text not null, key text not null, value blob not null, primary key (store, key))";
const GET: &str = "select value from spin_key_value where store = ?1 and key = ?2";
const SET: &str = "insert into spin_key_value (store, key, value) values (?1, ?2, ?3) \
    on conflict (store, key) do update set value = excluded.value";
const DELETE: &str = "delete from spin_key_value where store = ?1 and key = ?2";
const KEYS: &str = "select key from spin_key_value where store = ?1";

/// Values remembered of a file, and the largest of them.
const REMEMBERED: usize = 4_096;
const LARGEST_REMEMBERED: usize = 4 << 10;

/// A file of stores.
pub struct StoreFile(Mutex<Kept>);

struct Kept {
    connection: rusqlite::Connection,
    /// By label and key.
    recent: HashMap<String, HashMap<String, Vec<u8>>>,
}

impl Kept {
    fn recall(&self, label: &str, key: &str) -> Option<&Vec<u8>> {
        self.recent.get(label)?.get(key)
    }

    fn remember(&mut self, label: &str, key: &str, value: &[u8]) {
        if !self.recent.contains_key(label) {
            self.recent.insert(label.to_owned(), HashMap::new());
        }
        let Some(recent) = self.recent.get_mut(label) else { return };
        if value.len() > LARGEST_REMEMBERED {
            recent.remove(key);
            return;
        }
        if recent.len() >= REMEMBERED && !recent.contains_key(key) {
            recent.clear();
        }
        recent.insert(key.to_owned(), value.to_owned());
    }

    fn forget(&mut self, label: &str, key: &str) {
        if let Some(recent) = self.recent.get_mut(label) {
            recent.remove(key);
        }
    }
}

/// One labelled store in a file.
#[derive(Clone)]
pub struct Store {
    file: Arc<StoreFile>,
    label: String,
}

impl StoreFile {
    /// Opens or makes the file; without a path the stores live in memory.
    pub fn open(path: Option<&Path>) -> rusqlite::Result<Arc<Self>> {
        let connection = match path {
            Some(path) => rusqlite::Connection::open(path)?,
            None => rusqlite::Connection::open_in_memory()?,
        };
        prepare_file(&connection, path)?;
        connection.execute(CREATE, [])?;
        Ok(Arc::new(Self(Mutex::new(Kept { connection, recent: HashMap::new() }))))
    }
}

impl Store {
    /// The store `label` in `file`.
    pub fn new(file: Arc<StoreFile>, label: &str) -> Self {
        Self { file, label: label.to_owned() }
    }

    fn with<R>(&self, work: impl FnOnce(&mut Kept) -> rusqlite::Result<R>) -> Result<R, Error> {
        let mut kept = self.file.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut kept).map_err(|error| Error::Other(error.to_string()))
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.with(|kept| {
            if let Some(value) = kept.recall(&self.label, key) {
                return Ok(Some(value.clone()));
            }
            let mut statement = kept.connection.prepare_cached(GET)?;
            let value: Option<Vec<u8>> =
                statement.query_row((&self.label, key), |row| row.get(0)).optional()?;
            drop(statement);
            if let Some(value) = &value {
                kept.remember(&self.label, key, value);
            }
            Ok(value)
        })
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.with(|kept| {
            kept.connection.prepare_cached(SET)?.execute((&self.label, key, value))?;
            kept.remember(&self.label, key, value);
            Ok(())
        })
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.with(|kept| {
            kept.connection.prepare_cached(DELETE)?.execute((&self.label, key))?;
            kept.forget(&self.label, key);
            Ok(())
        })
    }

    fn keys(&self) -> Result<Vec<String>, Error> {
        self.with(|kept| {
            kept.connection.prepare_cached(KEYS)?.query_map((&self.label,), |row| row.get(0))?.collect()
        })
    }
}

impl Host for Ctx {}

impl Ctx {
    fn store(&self, handle: &Resource<Store>) -> Result<Store> {
        Ok(self.table.get(handle)?.clone())
    }
}

impl HostStore for Ctx {
    async fn drop(&mut self, handle: Resource<Store>) -> Result<()> {
        self.table.delete(handle)?;
        self.open_stores -= 1;
        Ok(())
    }
}

impl<T: 'static> HostStoreWithStore<T> for HasSelf<Ctx> {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> Result<Result<Resource<Store>, Error>> {
        accessor.with(|mut access| {
            let ctx = access.get();
            let Some(store) = ctx.env.stores.get(&label).cloned() else {
                return Ok(Err(Error::AccessDenied));
            };
            if ctx.open_stores >= MOST_STORES {
                return Ok(Err(Error::StoreTableFull));
            }
            ctx.open_stores += 1;
            Ok(Ok(ctx.table.push(store)?))
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        handle: Resource<Store>,
        key: String,
    ) -> Result<Result<Option<Vec<u8>>, Error>> {
        Ok(accessor.with(|mut access| access.get().store(&handle))?.get(&key))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        handle: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Result<(), Error>> {
        Ok(accessor.with(|mut access| access.get().store(&handle))?.set(&key, &value))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        handle: Resource<Store>,
        key: String,
    ) -> Result<Result<(), Error>> {
        Ok(accessor.with(|mut access| access.get().store(&handle))?.delete(&key))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        handle: Resource<Store>,
        key: String,
    ) -> Result<Result<bool, Error>> {
        let store = accessor.with(|mut access| access.get().store(&handle))?;
        Ok(store.get(&key).map(|value| value.is_some()))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        handle: Resource<Store>,
    ) -> Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let store = accessor.with(|mut access| access.get().store(&handle))?;
        let (keys, result) = match store.keys() {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let result = FutureReader::new(&mut access, async move { wasmtime::error::Ok(result) })?;
            Ok((keys, result))
        })
    }
}
