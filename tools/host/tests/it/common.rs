//! Starts the host on a free port with the fixture under two names, and speaks HTTP to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// The manifest of the tests: `one` may do everything, `two` only chain nowhere and keep keys.
pub const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "host-tests"

[variables]
greeting = { default = "hello" }
token = { required = true, secret = true }
upstream = { default = "" }

[[trigger.http]]
route = "/one/..."
component = "one"

[[trigger.http]]
route = "/people/:name/..."
component = "one"

[[trigger.http]]
route = { private = true }
component = "two"

[component.one]
source = "FIXTURE"
sqlite_databases = ["default"]
key_value_stores = ["default"]
allowed_outbound_hosts = ["http://two.spin.internal", "http://nobody.spin.internal", "http://self", "{{ upstream }}"]
[component.one.variables]
greeting = "{{ greeting }}, you"
token = "{{ token }}"
[component.one.build]
command = "cargo build --release --target wasm32-wasip2"

[component.two]
source = "FIXTURE"
key_value_stores = ["default"]
"#;

/// A running host; ends with the value.
pub struct Host {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// Its directory, with the manifest and the state.
    pub dir: PathBuf,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// A fresh directory for one test.
pub fn fresh_dir(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn fixture() -> PathBuf {
    // The temporary directory of tests lies in the target directory, wherever that is.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let fixture = target.join("wasm32-wasip2/release/host_fixture.wasm");
    assert!(
        fixture.is_file(),
        "build the fixture first: cargo build --release --target wasm32-wasip2 -p host-fixture"
    );
    fixture
}

/// Writes a manifest into `dir`, naming the fixture where it says `FIXTURE`.
pub fn write_manifest(dir: &Path, manifest: &str) {
    let manifest = manifest.replace("FIXTURE", fixture().to_str().unwrap());
    std::fs::write(dir.join("spin.toml"), manifest).unwrap();
}

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("host-cache");
    let mut command = Command::new(env!("CARGO_BIN_EXE_scooterbooter-host"));
    command
        .current_dir(dir)
        .args(["--listen", "127.0.0.1:0", "--cache-dir"])
        .arg(cache)
        .args(arguments)
        .env_remove("SPIN_VARIABLE_TOKEN")
        .stdin(Stdio::null());
    command
}

/// Starts a host that is expected to refuse, and answers with its sentence.
pub fn refusal(dir: &Path, arguments: &[&str]) -> String {
    let Output { status, stderr, .. } = command(dir, arguments).output().unwrap();
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(status.code(), Some(1), "{said}");
    // On a slow machine the log may tell before it that another component took long to compile.
    let sentences: Vec<&str> = said.lines().filter(|line| !line.starts_with("[host] compiled ")).collect();
    assert_eq!(sentences.len(), 1, "not one sentence: {said}");
    sentences.concat()
}

impl Host {
    /// Starts the host with the tests' manifest in a directory of its own.
    pub fn start(name: &str) -> Self {
        let dir = fresh_dir(name);
        write_manifest(&dir, MANIFEST);
        Self::start_in(dir, &[])
    }

    /// Starts the host in a directory that is ready.
    pub fn start_in(dir: PathBuf, arguments: &[&str]) -> Self {
        let log = std::fs::File::create(dir.join("log")).unwrap();
        let mut child = command(&dir, arguments)
            .env("SPIN_VARIABLE_TOKEN", "s3cr3t-token")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(address) = line.trim().strip_prefix("Serving http://") else {
            panic!("the host did not start: {}", std::fs::read_to_string(dir.join("log")).unwrap());
        };
        Self { child, address: address.to_owned(), dir }
    }

    /// A connection with a request sent on it.
    pub fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n\
             content-length: {length}\r\n{headers}\r\n{body}"
        )
        .unwrap();
        stream
    }

    /// A request and its answer.
    pub fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        read_answer(self.send(method, path, headers, body))
    }

    /// A GET of the component `one`.
    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", &format!("/one{path}"), "", "")
    }

    /// A POST to the component `one`.
    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.request("POST", &format!("/one{path}"), "", body)
    }

    /// What the host and its components have said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap()
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for the end, and answers with the exit code.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Reads an answer to the end of the connection.
pub fn read_answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    Answer { status, body: if chunked { unchunk(body) } else { body.to_owned() } }
}

fn unchunk(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        body += &after[..size];
        rest = &after[size + 2..];
    }
    body
}

/// Asks again until the answer fits or ten seconds are over.
pub fn eventually(what: &str, fits: impl Fn() -> bool) {
    for _ in 0..200 {
        if fits() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("never came: {what}");
}
