//! Pages: `?limit=` 1..=100 (20 unless told), `?cursor=` opaque.
//!
//! A cursor is the sort key of the last item, so paging while rows come and go neither repeats nor
//! skips a row that was there all along.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header;
use http::request::Parts;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::db::{PageOut, Value};
use crate::error::ApiError;
use crate::extract::Query;

/// The page a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many items at the most.
    pub limit: u32,
    /// Sort key of the last item of the page before.
    pub after: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// How many items at the most.
    #[param(value_type = u32, required = false, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// `nextCursor` of the page before; absent for the first.
    #[param(value_type = String, required = false)]
    cursor: Option<String>,
}

impl IntoParams for Page {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        PageQuery::into_params(place)
    }
}

/// Starts every cursor, so that one from elsewhere is told apart.
const MARK: &str = "1:";

impl Page {
    /// The cursor as a SQL parameter: text, or null at the start.
    pub fn after_text(&self) -> Value {
        self.after.clone().into()
    }

    /// The cursor as an integer key, or null at the start. 422 where it is none.
    pub fn after_integer(&self) -> Result<Value, ApiError> {
        match &self.after {
            None => Ok(Value::Null),
            Some(key) => key.parse::<i64>().map(Value::Integer).map_err(|_| invalid_cursor()),
        }
    }
}

/// 422 for a cursor this route never gave.
pub fn invalid_cursor() -> ApiError {
    ApiError::unprocessable("invalid_cursor", "The cursor is not one this route gave.")
        .field("cursor", "is not one this route gave")
}

fn decode(cursor: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix(MARK).map(ToOwned::to_owned)
}

fn encode(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{MARK}{key}"))
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(query) = Query::<PageQuery>::from_request_parts(parts, state).await?;
        let limit = match query.limit.as_deref() {
            None => 20,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=100).contains(limit))
                .ok_or_else(|| ApiError::invalid("limit", "must be 1 to 100"))?,
        };
        let after = match query.cursor.as_deref() {
            None => None,
            Some(cursor) => Some(decode(cursor).ok_or_else(invalid_cursor)?),
        };
        Ok(Self { limit, after })
    }
}

impl PageOut {
    /// `{items, nextCursor}` and, after them, the members of `more` (`,"unreadCount":3`).
    pub fn json(&self, more: &str) -> String {
        let next = match &self.next {
            Some(key) => format!("\"{}\"", encode(key)),
            None => "null".to_owned(),
        };
        format!("{{\"items\":{},\"nextCursor\":{next}{more}}}", self.items)
    }
}

impl IntoResponse for PageOut {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.json("")).into_response()
    }
}

/// Wraps a statement of a page: `page_sql!("select <json> as item, <sort key> as k from ...
/// order by ... limit ?2 + 1", "?2")`. The inner statement fetches one row more than the limit, in
/// order; the whole answers with `(items, next)` as [`crate::db::Db::page`] takes them.
#[macro_export]
macro_rules! page_sql {
    ($rows:expr, $limit:expr) => {
        concat!(
            "select json_group_array(json(item)) filter (where n <= ",
            $limit,
            "), ",
            "max(k) filter (where n = ",
            $limit,
            " and total > ",
            $limit,
            ") ",
            "from (select item, k, row_number() over () as n, count(*) over () as total from (",
            $rows,
            "))"
        )
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;

    const NUMBERS: &str = page_sql!(
        "select json_object('v', value) as item, value as k from json_each('[1,2,3,4,5]') where ?1 is null or value > ?1 order by value limit ?2 + 1",
        "?2"
    );

    #[tokio::test]
    async fn pages_join_without_a_gap_and_end_with_null() {
        let db = crate::testing::ties_database("page").await;
        let mut seen = Vec::new();
        let mut after = Value::Null;
        loop {
            let page = db.page(NUMBERS, params![after, 2]).await.unwrap();
            seen.push(page.items.clone());
            match page.next {
                Some(key) => after = Value::Integer(key.parse().unwrap()),
                None => break,
            }
        }
        assert_eq!(seen, [r#"[{"v":1},{"v":2}]"#, r#"[{"v":3},{"v":4}]"#, r#"[{"v":5}]"#]);
    }

    #[test]
    fn a_cursor_reads_back_and_a_foreign_one_does_not() {
        assert_eq!(decode(&encode("2026|x")).as_deref(), Some("2026|x"));
        assert_eq!(decode("bm9wZQ"), None);
        assert_eq!(decode("%%%"), None);
    }
}
