//! Streams of events, read as a client reads them.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use serde_json::Value as Json;

use super::{Answer, World};

/// How long a test waits for what should come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A stream that is open.
pub struct Stream {
    /// Headers of the answer.
    pub headers: HeaderMap,
    body: Body,
    text: String,
}

/// What stands between two empty lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number.
    pub id: Option<i64>,
    /// Its name; empty where there is none, as in a comment.
    pub name: String,
    /// What it tells; null where it tells nothing.
    pub data: Json,
}

impl World {
    /// `GET path` of a stream.
    ///
    /// # Errors
    /// What is answered where it is not opened.
    ///
    /// # Panics
    /// Where what is answered is not what the document says.
    pub async fn open(
        &self,
        service: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
    ) -> Result<Stream, Answer> {
        let response = self.respond(service, Method::GET, path, token, headers, &Json::Null).await;
        if response.status() != 200 {
            return Err(self.answer_of(service, &Method::GET, path, &Json::Null, response).await);
        }
        let (parts, body) = response.into_parts();
        let head =
            Answer { status: 200, headers: parts.headers.clone(), body: Json::Null, bytes: Bytes::new() };
        self.contracts[service].check(&Method::GET, path, &Json::Null, &head);
        Ok(Stream { headers: parts.headers, body, text: String::new() })
    }
}

impl Stream {
    /// The next event; `None` where the stream ends.
    ///
    /// # Panics
    /// Where nothing comes in time, or it is no event.
    pub async fn next(&mut self) -> Option<Event> {
        let next = tokio::time::timeout(PATIENCE, self.block()).await;
        next.unwrap_or_else(|_| panic!("nothing came within {PATIENCE:?}")).map(|block| parse(&block))
    }

    /// Whether nothing comes for so many milliseconds.
    pub async fn is_silent(&mut self, millis: u64) -> bool {
        tokio::time::timeout(Duration::from_millis(millis), self.block()).await.is_err()
    }

    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let chunk = self.body.frame().await?.ok()?.into_data().ok()?;
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
    }
}

fn parse(block: &str) -> Event {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let data = field("data").map(|data| serde_json::from_str(data).unwrap_or_else(|_| panic!("{data}")));
    Event {
        id: field("id").map(|id| id.parse().unwrap_or_else(|_| panic!("{block}"))),
        name: field("event").unwrap_or_default().to_owned(),
        data: data.unwrap_or(Json::Null),
    }
}
