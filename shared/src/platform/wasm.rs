//! Spin, through its SDK.

use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
pub use spin_sdk::wasip3::http::types;
use spin_sdk::wasip3::http_compat::{BodyResult, BodyWriter, IncomingRequestBody};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamWriter, yield_async};
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::{key_value, sqlite, variables};

use super::Value;
use crate::auth::Credentials;

/// The default key-value store, opened once in an instance.
static STORE: OnceLock<key_value::Store> = OnceLock::new();

async fn store() -> Result<&'static key_value::Store, String> {
    if let Some(store) = STORE.get() {
        return Ok(store);
    }
    let opened = key_value::Store::open_default().await.map_err(|error| error.to_string())?;
    Ok(STORE.get_or_init(|| opened))
}

/// Spin itself has no state of ours.
#[derive(Clone, Default)]
pub struct Platform;

/// An open SQLite connection. It serves one request at a time (see [`crate::db`]).
pub struct Connection(sqlite::Connection);

impl Platform {
    /// Opens the database the manifest grants under `label`.
    pub async fn open(&self, label: &str) -> Result<Connection, String> {
        sqlite::Connection::open(label).await.map(Connection).map_err(|error| error.to_string())
    }

    /// The variable `name`, or `None` where the manifest grants this component none of that name.
    pub async fn variable(&self, name: &str) -> Option<String> {
        variables::get(name).await.ok()
    }

    /// The value of `key` in the default key-value store.
    pub async fn kv_get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        store().await?.get(key).await.map_err(|e| e.to_string())
    }

    /// Sets `key` in the default key-value store.
    pub async fn kv_set(&self, key: &str, value: &[u8]) -> Result<(), String> {
        store().await?.set(key, value).await.map_err(|e| e.to_string())
    }

    /// Deletes `key` from the default key-value store.
    pub async fn kv_delete(&self, key: &str) -> Result<(), String> {
        store().await?.delete(key).await.map_err(|e| e.to_string())
    }

    /// Every key of the default key-value store.
    pub async fn kv_keys(&self) -> Result<Vec<String>, String> {
        store().await?.get_keys().await.collect().await.map_err(|e| e.to_string())
    }

    /// Sends one request and reads at most `limit` bytes of the answer.
    pub async fn send(
        &self,
        mut request: http::Request<Bytes>,
        limit: usize,
    ) -> Result<http::Response<Bytes>, String> {
        // Without it the body goes out chunked, which mail hooks and object stores may refuse.
        let length = http::HeaderValue::from(request.body().len());
        request.headers_mut().insert(http::header::CONTENT_LENGTH, length);
        let request = request.map(http_body_util::Full::new);
        let response = spin_sdk::http::send(request).await.map_err(|error| format!("{error:?}"))?;
        let (parts, body) = response.into_parts();
        let body = http_body_util::BodyExt::collect(http_body_util::Limited::new(body, limit))
            .await
            .map_err(|error| error.to_string())?
            .to_bytes();
        Ok(http::Response::from_parts(parts, body))
    }
}

impl Connection {
    /// Runs one statement to its end and answers with every row of it.
    pub async fn execute(&mut self, sql: &str, params: Vec<Value>) -> Result<Vec<Vec<Value>>, String> {
        let params = params.into_iter().map(sqlite::Value::from);
        let mut result = self.0.execute(sql, params).await.map_err(error_text)?;
        let mut rows = Vec::new();
        while let Some(row) = result.next().await {
            rows.push(row.values.into_iter().map(Value::from).collect());
        }
        // Errors of the last step arrive here and nowhere else.
        result.result().await.map_err(error_text)?;
        Ok(rows)
    }
}

fn error_text(error: sqlite::Error) -> String {
    match error {
        sqlite::Error::Io(text) => text,
        other => other.to_string(),
    }
}

impl From<Value> for sqlite::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => sqlite::Value::Null,
            Value::Integer(integer) => sqlite::Value::Integer(integer),
            Value::Real(real) => sqlite::Value::Real(real),
            Value::Text(text) => sqlite::Value::Text(text),
            Value::Blob(blob) => sqlite::Value::Blob(blob),
        }
    }
}

impl From<sqlite::Value> for Value {
    fn from(value: sqlite::Value) -> Self {
        match value {
            sqlite::Value::Null => Value::Null,
            sqlite::Value::Integer(integer) => Value::Integer(integer),
            sqlite::Value::Real(real) => Value::Real(real),
            sqlite::Value::Text(text) => Value::Text(text),
            sqlite::Value::Blob(blob) => Value::Blob(blob),
        }
    }
}

/// Goes on after the answer and dies with the instance: for promptness, never for durability.
pub fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    spin_sdk::wasip3::spawn(work);
}

/// Waits.
pub async fn sleep(duration: Duration) {
    spin_sdk::time::sleep(duration).await;
}

/// Lets everything else go on for a turn.
pub async fn turn() {
    yield_async().await;
}

/// The writing end of an answer that goes on. It belongs to no request: whoever has it writes, so one task serves all streams of
/// an instance. (The SDK's own has a task for each, and tasks of the component model may not wake each other.)
pub struct Outlet {
    writer: StreamWriter<u8>,
    // After the writer: an answer has ended well when its stream has, and who drops both says so.
    _result: FutureWriter<BodyResult>,
}

impl Outlet {
    /// Writes until all is taken; `None` where nobody reads any more.
    pub async fn send(mut self, bytes: Vec<u8>) -> Option<Self> {
        let left = self.writer.write_all(bytes).await;
        left.is_empty().then_some(self)
    }
}

/// The reading end, on its way through the layers around a handler to [`into_wasi`].
#[derive(Clone)]
struct Streamed(Arc<Mutex<Option<Ends>>>);

type Ends = (StreamReader<u8>, FutureReader<BodyResult>);

/// An answer that goes on for as long as its outlet is kept.
pub fn stream() -> (Outlet, Response) {
    let (writer, reader) = wit_stream::new();
    let (result, read) = wit_future::new::<BodyResult>(|| Ok(None));
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Streamed(Arc::new(Mutex::new(Some((reader, read))))));
    (Outlet { writer, _result: result }, response)
}

/// The request as axum takes it. The SDK's own conversion costs a short request a tenth: it looks at every byte of a token, and
/// brings along what nobody here asks for, as scheme, authority, and what Spin tells of the route.
pub fn from_wasi(request: types::Request) -> Result<Request, types::ErrorCode> {
    let refused = |error: http::Error| types::ErrorCode::InternalError(Some(error.to_string()));
    let (mut headers, mut credentials) = (HeaderMap::with_capacity(16), Credentials::default());
    for (name, value) in request.get_headers().copy_all() {
        if name.eq_ignore_ascii_case("authorization") {
            credentials.0.push(value);
        } else if name == "spin-client-addr" || !name.starts_with("spin-") {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| refused(error.into()))?;
            headers.append(name, HeaderValue::try_from(value).map_err(|error| refused(error.into()))?);
        }
    }
    let method = Method::try_from(request.get_method()).map_err(|error| refused(error.into()))?;
    let path = request.get_path_with_query().unwrap_or_else(|| "/".to_owned());
    let uri = Uri::try_from(path).map_err(|error| refused(error.into()))?;
    let body = match method {
        Method::GET | Method::HEAD => Body::empty(),
        _ => Body::new(IncomingRequestBody::new(request)?),
    };
    let mut taken = Request::new(body);
    (*taken.method_mut(), *taken.uri_mut(), *taken.headers_mut()) = (method, uri, headers);
    taken.extensions_mut().insert(credentials);
    Ok(taken)
}

/// The answer as the platform takes it, with the reading end of its stream as its body where it is one.
pub fn into_wasi(mut response: Response) -> Result<types::Response, types::ErrorCode> {
    let streamed = response.extensions_mut().remove::<Streamed>();
    let ends = streamed.and_then(|Streamed(ends)| ends.lock().unwrap_or_else(PoisonError::into_inner).take());
    let (mut parts, mut body) = response.into_parts();
    let (reader, result) = match ends {
        Some(ends) => {
            // axum told the length of the empty body that stood for the stream.
            parts.headers.remove(http::header::CONTENT_LENGTH);
            ends
        }
        None => {
            let (writer, reader, result) = BodyWriter::new();
            spawn(async move { drop(writer.send_http_body(&mut body).await) });
            (reader, result)
        }
    };
    let refused = |error: types::HeaderError| types::ErrorCode::InternalError(Some(format!("{error:?}")));
    let headers = parts.headers.try_into().map_err(refused)?;
    let (answer, _sent) = types::Response::new(headers, Some(reader), result);
    // Any status of `http` is one.
    let _ = answer.set_status_code(parts.status.as_u16());
    Ok(answer)
}
