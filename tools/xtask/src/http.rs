//! Just enough HTTP to ask an application on this machine: plain HTTP/1.1, one request a connection.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Answers larger than this are of no interest.
const LARGEST: u64 = 4 << 20;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let of = |line: &'_ str| line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
        self.head
            .lines()
            .find(|line| of(line))
            .and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim())
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// `GET url`.
pub fn get(url: &str, limit: Duration) -> Result<Answer> {
    send("GET", url, "", b"", limit)
}

/// `GET url` with a bearer token.
pub fn get_as(url: &str, token: &str, limit: Duration) -> Result<Answer> {
    send("GET", url, &format!("Authorization: Bearer {token}\r\n"), b"", limit)
}

/// `POST url` without a body, with a bearer token.
pub fn post(url: &str, token: &str, limit: Duration) -> Result<Answer> {
    send("POST", url, &format!("Authorization: Bearer {token}\r\n"), b"", limit)
}

/// `POST url` with a JSON body.
pub fn post_json(url: &str, body: &serde_json::Value, limit: Duration) -> Result<Answer> {
    send("POST", url, "Content-Type: application/json\r\n", body.to_string().as_bytes(), limit)
}

/// [`post_json`] with a bearer token.
pub fn post_json_as(url: &str, token: &str, body: &serde_json::Value, limit: Duration) -> Result<Answer> {
    let headers = format!("Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n");
    send("POST", url, &headers, body.to_string().as_bytes(), limit)
}

/// `PUT url`, with headers as they go over the wire, each ending its line.
pub fn put(url: &str, headers: &str, body: &[u8], limit: Duration) -> Result<Answer> {
    send("PUT", url, headers, body, limit)
}

fn send(method: &str, url: &str, headers: &str, body: &[u8], limit: Duration) -> Result<Answer> {
    let Some(rest) = url.strip_prefix("http://") else {
        bail!("only http:// can be asked here, not {url}");
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let with_port = if authority.rsplit(']').next().is_some_and(|end| end.contains(':')) {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let address = with_port.to_socket_addrs()?.next().context("no such host")?;
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.take(LARGEST).read_to_end(&mut bytes)?;
    parse(&String::from_utf8_lossy(&bytes)).context("that is no HTTP")
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let mut answer = Answer { status, head: head.to_owned(), body: body.to_owned() };
    if answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        answer.body = unchunk(body)?;
    }
    Some(answer)
}

fn unchunk(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.push_str(after.get(..size)?);
        rest = after.get(size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole_or_in_chunks() {
        let whole = parse("HTTP/1.1 200 OK\r\nX-Request-Id: a\r\n\r\n{\"a\":1}").unwrap();
        assert_eq!((whole.status, whole.header("x-request-id")), (200, Some("a")));
        assert_eq!(whole.json()["a"], 1);
        let chunked =
            parse("HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                .unwrap();
        assert_eq!((chunked.status, chunked.body.as_str()), (503, "abcde"));
        assert!(parse("SSH-2.0-OpenSSH").is_none());
    }
}
