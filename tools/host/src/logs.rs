//! What components print, line by line, with the component's name before it.
//!
//! Both streams of a component go to the host's standard error: standard output holds the one line that says
//! where the host listens. The values of secret variables are blotted out here, the last place before a
//! terminal or a log collector sees them.

use std::io::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// A line longer than this is broken, so that a component cannot fill the host's memory with one.
const LONGEST_LINE: usize = 16 * 1024;

/// Secrets shorter than this are left alone: blotting out every `1` would make a log unreadable.
const SHORTEST_SECRET: usize = 4;

/// Prints lines for one component.
pub struct LogSink {
    component: String,
    secrets: Vec<String>,
}

impl LogSink {
    /// A sink for `component` that hides `secrets`.
    pub fn new(component: &str, secrets: Vec<String>) -> Arc<Self> {
        let secrets = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST_SECRET).collect();
        Arc::new(Self { component: component.to_owned(), secrets })
    }

    /// One line as it is printed, or nothing for an empty one.
    pub fn format(&self, line: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if text.is_empty() {
            return None;
        }
        let hidden =
            self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[secret]"));
        Some(format!("[{}] {hidden}\n", self.component))
    }

    /// Prints a line; a closed standard error is nobody's fault here.
    pub fn print(&self, line: &[u8]) {
        if let Some(line) = self.format(line) {
            let _ = std::io::stderr().lock().write_all(line.as_bytes());
        }
    }
}

/// One instance's standard output or error: keeps the unfinished line.
#[derive(Clone)]
pub struct LogStream {
    sink: Arc<LogSink>,
    unfinished: Arc<Mutex<Vec<u8>>>,
}

impl LogStream {
    /// A fresh stream into `sink`.
    pub fn new(sink: Arc<LogSink>) -> Self {
        Self { sink, unfinished: Arc::default() }
    }

    fn write(&self, bytes: &[u8]) {
        let mut unfinished = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        for &byte in bytes {
            if byte == b'\n' || unfinished.len() >= LONGEST_LINE {
                self.sink.print(&unfinished);
                unfinished.clear();
            }
            if byte != b'\n' {
                unfinished.push(byte);
            }
        }
    }

    fn finish(&self) {
        let mut unfinished = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        self.sink.print(&unfinished);
        unfinished.clear();
    }
}

impl Drop for LogStream {
    fn drop(&mut self) {
        // The last clone goes with the instance: what it had not ended with a newline is still said.
        if Arc::strong_count(&self.unfinished) == 1 {
            self.finish();
        }
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for LogStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_component_and_no_secret() {
        let sink = LogSink::new("posts", vec!["hunter2-long".into(), "hunter2".into(), "abc".into()]);
        assert_eq!(
            sink.format(b"key=hunter2-long hunter2 abc\r").unwrap(),
            "[posts] key=[secret] [secret] abc\n"
        );
        assert_eq!(sink.format(b"  \r"), None);
        assert_eq!(sink.format(b"\xff!").unwrap(), "[posts] \u{fffd}!\n");
    }
}
