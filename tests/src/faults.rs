//! A bad network on demand: a proxy in front of a server that can be told to refuse, to dawdle or to break off. It
//! passes bytes on as they are, so that a signed `Host` stays what it was.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;

use crate::process::lock;

/// What is passed on at once.
const CHUNK: usize = 16 << 10;

/// How bad the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Everything passes.
    Pass,
    /// Connections are closed at once, and open ones at their next byte.
    Refuse,
    /// Every 16 KiB, either way, take so long.
    Slow(Duration),
    /// A connection breaks off after so many bytes, both ways together, counted from this setting on.
    CutAfter(usize),
}

/// The proxy. Takes no more connections when dropped.
pub struct Proxy {
    /// Where it listens, as `http://127.0.0.1:1234`.
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// The setting, and how many there were before it.
    fault: Mutex<(usize, Fault)>,
    connections: AtomicUsize,
    stopped: AtomicBool,
}

impl Proxy {
    /// Listens on a port of its own in front of `url`.
    ///
    /// # Errors
    /// Where no port is to be had.
    pub fn start(url: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let own = format!("http://{}", listener.local_addr()?);
        let behind = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let shared = Arc::new(Shared {
            fault: Mutex::new((0, Fault::Pass)),
            connections: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let seen = shared.clone();
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                if seen.stopped.load(Ordering::Acquire) {
                    break;
                }
                seen.connections.fetch_add(1, Ordering::AcqRel);
                if lock(&seen.fault).1 == Fault::Refuse {
                    continue;
                }
                // A server that is not there is a connection that closes.
                if let Ok(server) = TcpStream::connect(&behind) {
                    let _ = connect(&seen, client, server);
                }
            }
        });
        Ok(Self { url: own, shared })
    }

    /// From here on the network is so.
    pub fn set(&self, fault: Fault) {
        let mut now = lock(&self.shared.fault);
        *now = (now.0 + 1, fault);
    }

    /// How many connections came so far, refused ones included.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Acquire)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

/// Two threads that pass on what comes, one for each way.
fn connect(shared: &Arc<Shared>, client: TcpStream, server: TcpStream) -> std::io::Result<()> {
    let passed = Arc::new(Mutex::new((0, 0)));
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
        let (shared, passed) = (shared.clone(), passed.clone());
        std::thread::spawn(move || {
            if pass_on(&shared, &passed, &from, &to).is_err() {
                // Broken off: both ways, both ends.
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            }
        });
    }
    Ok(())
}

/// Until one side is done sending; an error where the connection is to break off.
fn pass_on(
    shared: &Shared,
    passed: &Mutex<(usize, usize)>,
    mut from: &TcpStream,
    mut to: &TcpStream,
) -> std::io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = from.read(&mut chunk)?;
        if length == 0 {
            return to.shutdown(Shutdown::Write);
        }
        let (setting, fault) = *lock(&shared.fault);
        let mut length_let_through = length;
        match fault {
            Fault::Pass => {}
            Fault::Refuse => return Err(std::io::ErrorKind::ConnectionReset.into()),
            Fault::Slow(time) => std::thread::sleep(time),
            Fault::CutAfter(most) => {
                let mut passed = lock(passed);
                if passed.0 != setting {
                    *passed = (setting, 0);
                }
                length_let_through = length.min(most - passed.1.min(most));
                passed.1 += length;
            }
        }
        to.write_all(&chunk[..length_let_through])?;
        if length_let_through < length {
            return Err(std::io::ErrorKind::ConnectionReset.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// A server that gives back what it gets, and a proxy in front of it.
    fn echo() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let mut back = stream.try_clone().unwrap();
                    let _ = std::io::copy(&mut stream, &mut back);
                    let _ = back.shutdown(Shutdown::Write);
                });
            }
        });
        Proxy::start(&url).unwrap()
    }

    fn open(proxy: &Proxy) -> TcpStream {
        let stream = TcpStream::connect(proxy.url.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    /// Sends all and reads until the end; what came.
    fn exchange(proxy: &Proxy, sent: &[u8]) -> Vec<u8> {
        let mut stream = open(proxy);
        let mut sending = stream.try_clone().unwrap();
        let bytes = sent.to_vec();
        let sender = std::thread::spawn(move || {
            let _ = sending.write_all(&bytes);
            let _ = sending.shutdown(Shutdown::Write);
        });
        let mut came = Vec::new();
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut piece) {
            came.extend_from_slice(&piece[..length]);
        }
        sender.join().unwrap();
        came
    }

    #[test]
    fn a_good_network_passes_every_byte_on_as_it_is() {
        let proxy = echo();
        let sent: Vec<u8> = (0..1_000_000u32).map(|number| (number % 251) as u8).collect();
        assert!(exchange(&proxy, &sent) == sent);
        let head = b"GET / HTTP/1.1\r\nHost: somewhere.example:9000\r\n\r\n";
        assert_eq!(exchange(&proxy, head), head);
        assert_eq!(proxy.connections(), 2);
    }

    #[test]
    fn a_refusing_network_answers_nobody_until_it_is_good_again() {
        let proxy = echo();
        let mut kept = open(&proxy);
        kept.write_all(b"a").unwrap();
        kept.read_exact(&mut [0]).unwrap();
        proxy.set(Fault::Refuse);
        assert_eq!(exchange(&proxy, b"hello"), b"");
        // What was open is closed too, at its next byte.
        kept.write_all(b"b").unwrap();
        assert!(!matches!(kept.read(&mut [0]), Ok(1..)));
        proxy.set(Fault::Pass);
        assert_eq!(exchange(&proxy, b"hello"), b"hello");
    }

    #[test]
    fn a_slow_network_takes_its_time_for_every_chunk() {
        let proxy = echo();
        proxy.set(Fault::Slow(Duration::from_millis(50)));
        let start = Instant::now();
        let sent = vec![7; 4 * CHUNK];
        assert!(exchange(&proxy, &sent) == sent);
        // Four chunks there; those that come back are under way meanwhile.
        assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
    }

    #[test]
    fn a_network_that_cuts_lets_so_many_bytes_through() {
        let proxy = echo();
        proxy.set(Fault::CutAfter(10));
        assert_eq!(exchange(&proxy, b"hello"), b"hello");
        let came = exchange(&proxy, b"hello world");
        assert!(came.len() <= 10 && b"hello world".starts_with(&came), "{came:?}");
        // A new setting counts anew, on connections that are open already too.
        let mut kept = open(&proxy);
        for _ in 0..2 {
            proxy.set(Fault::CutAfter(10));
            kept.write_all(b"hello").unwrap();
            let mut back = [0; 5];
            kept.read_exact(&mut back).unwrap();
            assert_eq!(&back, b"hello");
        }
        kept.write_all(b"more").unwrap();
        assert!(!matches!(kept.read(&mut [0]), Ok(1..)));
    }

    #[test]
    fn a_server_that_is_gone_is_a_connection_that_closes() {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let proxy = Proxy::start(&format!("http://{gone}")).unwrap();
        assert_eq!(exchange(&proxy, b"hello"), b"");
    }
}
