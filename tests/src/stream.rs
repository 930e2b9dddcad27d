//! A stream of events, read as it comes.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::client::Person;

/// How long an event may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A stream that is open.
pub struct Stream {
    socket: TcpStream,
    /// What came and is no whole chunk yet.
    raw: Vec<u8>,
    text: String,
    ended: bool,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number.
    pub id: Option<i64>,
    /// Its name; empty where it has none, as a comment.
    pub name: String,
    /// What it tells.
    pub data: Value,
}

impl Person {
    /// Opens `path` as a stream, as who has the event `last`.
    ///
    /// # Errors
    /// The status, where it is not opened.
    pub fn try_listen(&self, path: &str, last: Option<i64>) -> Result<Result<Stream, u16>> {
        let authority = self.url.trim_start_matches("http://");
        let mut socket = TcpStream::connect(authority)?;
        let token = match self.token.as_str() {
            "" => String::new(),
            token => format!("authorization: Bearer {token}\r\n"),
        };
        let last = last.map(|last| format!("last-event-id: {last}\r\n")).unwrap_or_default();
        write!(socket, "GET {path} HTTP/1.1\r\nhost: {authority}\r\n{token}{last}\r\n")?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        if status != 200 {
            return Ok(Err(status));
        }
        for part in
            ["content-type: text/event-stream", "cache-control: no-store", "transfer-encoding: chunked"]
        {
            if !head.contains(part) {
                bail!("{part} is missing: {head}");
            }
        }
        Ok(Ok(Stream { socket, raw: Vec::new(), text: String::new(), ended: false }))
    }

    /// Opens a stream as who has the event `last`, and reads its opening.
    ///
    /// # Panics
    /// Where it is not opened.
    #[track_caller]
    pub fn listen(&self, last: Option<i64>) -> (Stream, Event) {
        let opened = self.try_listen("/realtime", last).unwrap_or_else(|error| panic!("{error:#}"));
        let mut stream = opened.unwrap_or_else(|status| panic!("answered {status}"));
        let opening = stream.next_within(PATIENCE).unwrap_or_else(|| panic!("it ended at once"));
        (stream, opening)
    }
}

impl Stream {
    /// The next event, comments left out.
    ///
    /// # Panics
    /// Where none comes in time.
    #[track_caller]
    pub fn event(&mut self) -> Event {
        loop {
            let event = self.next_within(PATIENCE).unwrap_or_else(|| panic!("no event came"));
            if event.id.is_some() {
                return event;
            }
        }
    }

    /// The next event or comment; `None` where none comes in that time, or the stream ends.
    pub fn next_within(&mut self, limit: Duration) -> Option<Event> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (parse(block), rest.to_owned());
                self.text = rest;
                return Some(event);
            }
            if self.ended || !self.read(deadline) {
                return None;
            }
        }
    }

    /// Whether the stream ends within that time.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while !self.ended && self.read(deadline) {}
        self.ended
    }

    /// Reads what there is; false where nothing came until `deadline`.
    fn read(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || self.socket.set_read_timeout(Some(left)).is_err() {
            return false;
        }
        let mut buffer = [0; 16_384];
        match self.socket.read(&mut buffer) {
            Ok(0) => self.ended = true,
            Ok(length) => self.raw.extend_from_slice(&buffer[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return false;
            }
            Err(_) => self.ended = true,
        }
        while let Some((chunk, used)) = first_chunk(&self.raw) {
            self.ended |= chunk.is_empty();
            self.text.push_str(&chunk);
            self.raw.drain(..used);
        }
        true
    }
}

/// The first chunk of a body, and how many bytes it took; `None` where it is not whole yet.
fn first_chunk(raw: &[u8]) -> Option<(String, usize)> {
    let line = raw.windows(2).position(|two| two == b"\r\n")?;
    let size = usize::from_str_radix(std::str::from_utf8(&raw[..line]).ok()?, 16).ok()?;
    let chunk = raw.get(line + 2..line + 2 + size)?;
    raw.get(line + 2 + size..line + 4 + size)?;
    Some((String::from_utf8_lossy(chunk).into_owned(), line + 4 + size))
}

fn parse(block: &str) -> Event {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Event {
        id: field("id").and_then(|id| id.parse().ok()),
        name: field("event").unwrap_or_default().to_owned(),
        data: field("data").and_then(|data| serde_json::from_str(data).ok()).unwrap_or(Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_taken_when_they_are_whole() {
        assert_eq!(first_chunk(b"3\r\nabc\r\n2\r\nd"), Some(("abc".to_owned(), 8)));
        assert_eq!(first_chunk(b"2\r\nd"), None);
        assert_eq!(first_chunk(b"0\r\n\r\n"), Some((String::new(), 5)));
        let event = parse("id: 7\nevent: feed\ndata: {\"a\":1}");
        assert_eq!((event.id, event.name.as_str(), &event.data["a"]), (Some(7), "feed", &Value::from(1)));
    }
}
