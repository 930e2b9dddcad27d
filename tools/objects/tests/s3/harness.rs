//! A server of a test's own, and the addresses a service would give out.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rusty_s3::{Bucket, Credentials, Map, S3Action, UrlStyle};
use tempfile::TempDir;
use ureq::Agent;
use ureq::http::{HeaderMap, Method, Request};
use url::Url;

pub const BUCKET: &str = "pictures";
pub const HOUR: Duration = Duration::from_secs(3600);

/// The running program and its folder.
pub struct Server {
    pub address: String,
    pub folder: TempDir,
    pub credentials: Credentials,
    process: Child,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {}", self.headers, String::from_utf8_lossy(&self.body));
        self
    }

    /// The answer to what S3 refuses: its status and its code.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert!(answer.text().contains(&format!("<Code>{code}</Code>")), "{}", answer.text());
        answer
    }
}

impl Server {
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_scooterbooter-objects"))
            .args(["--listen", "127.0.0.1:0", "--bucket", BUCKET, "--folder"])
            // One that is not there yet.
            .arg(folder.path().join("objects"))
            .env("SCOOTERBOOTER_S3_ACCESS_KEY_ID", "alice")
            .env("SCOOTERBOOTER_S3_SECRET_ACCESS_KEY", "only alice knows")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("Serving http://").unwrap_or_else(|| panic!("it said {line:?}"));
        let credentials = Credentials::new("alice", "only alice knows");
        Self { address: url.to_owned(), folder, credentials, process }
    }

    pub fn bucket(&self) -> Bucket {
        self.bucket_at(&format!("http://{}", self.address), UrlStyle::Path)
    }

    pub fn bucket_at(&self, endpoint: &str, style: UrlStyle) -> Bucket {
        Bucket::new(endpoint.parse().unwrap(), style, BUCKET, "eu-central-1").unwrap()
    }

    /// The address of an upload of exactly this, as a service gives it out.
    pub fn upload_url(&self, key: &str, kind: &str, length: usize) -> Url {
        let (bucket, length) = (self.bucket(), length.to_string());
        let mut action = bucket.put_object(Some(&self.credentials), key);
        for (name, value) in
            [("content-length", length.as_str()), ("content-type", kind), ("if-none-match", "*")]
        {
            action.headers_mut().insert(name, value);
        }
        action.sign(HOUR)
    }

    pub fn upload(&self, key: &str, kind: &str, body: &[u8]) -> Answer {
        let headers = [("content-type", kind), ("if-none-match", "*")];
        send("PUT", &self.upload_url(key, kind, body.len()), &headers, body)
    }

    pub fn get_url(&self, key: &str) -> Url {
        self.bucket().get_object(Some(&self.credentials), key).sign(HOUR)
    }

    pub fn get(&self, key: &str) -> Answer {
        send("GET", &self.get_url(key), &[], b"")
    }

    pub fn head(&self, key: &str) -> Answer {
        send("HEAD", &self.bucket().head_object(Some(&self.credentials), key).sign(HOUR), &[], b"")
    }

    pub fn delete(&self, key: &str) -> Answer {
        send("DELETE", &self.bucket().delete_object(Some(&self.credentials), key).sign(HOUR), &[], b"")
    }

    /// A signed address as a client makes it that normalises nothing, which every library of URLs does.
    pub fn sign_raw(&self, method: &str, path: &str) -> String {
        let now = jiff::Timestamp::now();
        let (day, time) = (now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ"));
        let scope = format!("{day}/eu-central-1/s3/aws4_request");
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F{}&X-Amz-Date={time}&X-Amz-Expires=60\
             &X-Amz-SignedHeaders=host",
            self.credentials.key(),
            scope.replace('/', "%2F")
        );
        let canonical = format!("{method}\n{path}\n{query}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD", self.address);
        let hashed = hex(&hmac_sha256::Hash::hash(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}");
        let secret = format!("AWS4{}", self.credentials.secret());
        let mut key = hmac_sha256::HMAC::mac(day.to_string(), secret);
        for part in ["eu-central-1", "s3", "aws4_request", &to_sign] {
            key = hmac_sha256::HMAC::mac(part, key);
        }
        format!("{path}?{query}&X-Amz-Signature={}", hex(&key))
    }

    /// Sends bytes as they are; what came back until the server closed.
    pub fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Every file in the folder, but for the lock.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with(".lock") {
                    let path = path.strip_prefix(self.folder.path().join("objects")).unwrap_or(&path);
                    files.push(path.display().to_string());
                }
            }
        }
        files.sort();
        files
    }

    /// Asks it to stop, and waits; whether it ended well.
    pub fn stop(&mut self) -> bool {
        let process = self.process.id().to_string();
        Command::new("sh").args(["-c", "kill -TERM \"$1\"", "sh", &process]).status().unwrap();
        self.process.wait().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The signed address of `action` with one more query parameter.
pub fn with_query<'a, A: S3Action<'a>>(mut action: A, name: &'static str, value: &'static str) -> Url {
    let query: &mut Map<'a> = action.query_mut();
    query.insert(name, value);
    action.sign(HOUR)
}

/// One request; a status is an answer and no error.
pub fn send(method: &str, url: &Url, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    let agent = AGENT.get_or_init(|| {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .allow_non_standard_methods(true);
        config.build().into()
    });
    let mut request =
        Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(url.as_str());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = match method {
        "PUT" | "POST" => agent.run(request.body(body).unwrap()).unwrap(),
        _ => agent.run(request.body(()).unwrap()).unwrap(),
    };
    let body = response.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap();
    Answer { status: response.status().as_u16(), headers: response.headers().clone(), body }
}
