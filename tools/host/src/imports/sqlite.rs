//! `spin:sqlite`: a component opens its databases by label and runs statements.
//!
//! Results are held whole and handed over as the stream the interface wants: a page of a feed is small, and a
//! reader who stops half-way must not keep the connection busy.

use super::Ctx;
use super::bindings::spin::sqlite::sqlite::{
    Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};
use crate::database::Outcome;
pub use crate::database::{Connection, Database};
use rusqlite::types::Value as SqlValue;
use wasmtime::Result;
use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

/// How many connections an instance may have open, as in Spin.
const MOST_CONNECTIONS: usize = 256;

/// What `execute-async` answers.
type Streamed = (Vec<String>, StreamReader<RowResult>, FutureReader<Result<(), Error>>);

impl Host for Ctx {}

impl Ctx {
    fn open_database(&mut self, label: &str) -> Result<Result<Resource<Connection>, Error>> {
        // A label outside the component's list is refused whether or not it exists.
        let Some(database) = self.env.databases.get(label) else {
            return Ok(Err(Error::AccessDenied));
        };
        if self.open_connections >= MOST_CONNECTIONS {
            return Ok(Err(Error::Io("too many connections opened".to_owned())));
        }
        match database.open() {
            Ok(connection) => {
                self.open_connections += 1;
                Ok(Ok(self.table.push(connection)?))
            }
            Err(message) => Ok(Err(Error::Io(message))),
        }
    }

    fn connection(&self, handle: &Resource<Connection>) -> Result<Connection> {
        Ok(self.table.get(handle)?.clone())
    }
}

impl HostConnection for Ctx {
    async fn open(&mut self, label: String) -> Result<Result<Resource<Connection>, Error>> {
        self.open_database(&label)
    }

    async fn execute(
        &mut self,
        handle: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<Result<QueryResult, Error>> {
        let connection = self.connection(&handle)?;
        let outcome = connection.query(statement, to_sql(parameters)).await;
        Ok(match outcome.result {
            Ok(()) => Ok(QueryResult { columns: outcome.columns, rows: to_rows(outcome.rows) }),
            Err(message) => Err(Error::Io(message)),
        })
    }

    async fn last_insert_rowid(&mut self, handle: Resource<Connection>) -> Result<i64> {
        Ok(self.connection(&handle)?.last_insert_rowid())
    }

    async fn changes(&mut self, handle: Resource<Connection>) -> Result<u64> {
        Ok(self.connection(&handle)?.changes())
    }

    async fn drop(&mut self, handle: Resource<Connection>) -> Result<()> {
        self.table.delete(handle)?;
        self.open_connections -= 1;
        Ok(())
    }
}

impl<T: 'static> HostConnectionWithStore<T> for HasSelf<Ctx> {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> Result<Result<Resource<Connection>, Error>> {
        accessor.with(|mut access| access.get().open_database(&label))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<Result<Streamed, Error>> {
        let connection = accessor.with(|mut access| access.get().connection(&handle))?;
        let Outcome { columns, rows, result } = connection.query(statement, to_sql(parameters)).await;
        let (rows, result) = accessor.with(|mut access| {
            let result = result.map_err(Error::Io);
            let rows = StreamReader::new(&mut access, to_rows(rows))?;
            let result = FutureReader::new(&mut access, async move { wasmtime::error::Ok(result) })?;
            wasmtime::error::Ok((rows, result))
        })?;
        Ok(Ok((columns, rows, result)))
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
    ) -> Result<i64> {
        accessor.with(|mut access| Ok(access.get().connection(&handle)?.last_insert_rowid()))
    }

    async fn changes_async(accessor: &Accessor<T, Self>, handle: Resource<Connection>) -> Result<u64> {
        accessor.with(|mut access| Ok(access.get().connection(&handle)?.changes()))
    }
}

fn to_sql(parameters: Vec<Value>) -> Vec<SqlValue> {
    parameters
        .into_iter()
        .map(|value| match value {
            Value::Null => SqlValue::Null,
            Value::Integer(integer) => SqlValue::Integer(integer),
            Value::Real(real) => SqlValue::Real(real),
            Value::Text(text) => SqlValue::Text(text),
            Value::Blob(blob) => SqlValue::Blob(blob),
        })
        .collect()
}

fn to_rows(rows: Vec<Vec<SqlValue>>) -> Vec<RowResult> {
    let value = |value| match value {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(integer) => Value::Integer(integer),
        SqlValue::Real(real) => Value::Real(real),
        SqlValue::Text(text) => Value::Text(text),
        SqlValue::Blob(blob) => Value::Blob(blob),
    };
    rows.into_iter().map(|row| RowResult { values: row.into_iter().map(value).collect() }).collect()
}
