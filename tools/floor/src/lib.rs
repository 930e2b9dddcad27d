//! The floor of the benchmarks: the least a component can do for one answer, on the same runtime.
//!
//! `GET /hello` answers a text, `GET /read` one row of SQLite, `POST /insert` writes one. They use the
//! connection pool of the services and nothing else of theirs: no router, no token, no edge.

#[cfg(target_family = "wasm")]
mod entry {
    // The macro writes the export of the component, which is unsafe by nature.
    #![allow(unsafe_code)]

    use bytes::Bytes;
    use http::Response;
    use http_body_util::Full;
    use shared::db::{Db, DbError};
    use shared::params;
    use shared::platform::Platform;
    use spin_sdk::http::{IntoResponse, Request};
    use spin_sdk::http_service;

    static DB: std::sync::OnceLock<Db> = std::sync::OnceLock::new();

    #[http_service]
    async fn handle(request: Request) -> impl IntoResponse {
        let answered = match request.uri().path() {
            "/hello" => Ok("hello".to_owned()),
            "/read" => read().await,
            "/insert" => insert().await,
            "/setup" => setup().await,
            _ => Err(DbError::Failed("no such route".to_owned())),
        };
        let (status, body) = match answered {
            Ok(body) => (200, body),
            Err(error) => (500, error.to_string()),
        };
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        response
    }

    fn db() -> &'static Db {
        DB.get_or_init(|| Db::new(Platform, "floor"))
    }

    async fn read() -> Result<String, DbError> {
        let row = "select json_object('id', id, 'text', text) from rows where id = 500";
        Ok(db().read(row, params![]).await?.unwrap_or_default())
    }

    async fn insert() -> Result<String, DbError> {
        let row = "insert into rows (text) values ('a text of the length of a short post') returning json_object('id', id)";
        Ok(db().write(row, params![]).await?.unwrap_or_default())
    }

    async fn setup() -> Result<String, DbError> {
        db().rows("create table if not exists rows (id integer primary key, text text not null)", params![])
            .await?;
        for _ in 0..1000 {
            insert().await?;
        }
        Ok("ready".to_owned())
    }
}
