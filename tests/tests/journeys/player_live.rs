//! Two browsers: a like on the page of one shows on the page of the other within a second. Both are of another origin than the
//! application.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect should stop")]

use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use journeys::Stack;
use journeys::stack::root;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A browser takes seconds to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Serves the page on a port of its own; where, and what pages tell.
fn serve_page() -> (String, mpsc::Receiver<Value>) {
    let page = std::fs::read(root().join("tests/player/live.html")).unwrap();
    let server = tiny_http::Server::http("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.server_addr().to_ip().unwrap());
    let (told, results) = mpsc::channel();
    std::thread::spawn(move || {
        for mut request in server.incoming_requests() {
            let mut body = Vec::new();
            if request.url() == "/result" {
                let _ = told.send(serde_json::from_reader(request.as_reader()).unwrap_or(Value::Null));
            } else if request.url().starts_with("/?") {
                body.clone_from(&page);
            }
            let header = tiny_http::Header::from_bytes("content-type", "text/html").unwrap();
            let _ = request.respond(tiny_http::Response::from_data(body).with_header(header));
        }
    });
    (url, results)
}

/// A browser at an address, until dropped.
struct Browser(Child, #[expect(dead_code, reason = "goes with the browser")] TempDir);

impl Browser {
    fn open(address: &str) -> Self {
        let profile = TempDir::with_prefix("scooterbooter-browser-").unwrap();
        let child = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--remote-debugging-port=0", &format!("--user-data-dir={}", profile.path().display())])
            .arg(address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child, profile)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs the browser that cargo xtask test looks for"]
fn a_like_on_one_page_shows_on_another_within_a_second() {
    let stack = Stack::start(&[]).unwrap();
    let (alice, bob) = (stack.person("alice"), stack.person("bob"));
    let post = alice.publish("like me");
    let (page, results) = serve_page();
    let address = |token: &str| format!("{page}/?url={}&token={token}", stack.url);
    let next = |what: &str| {
        let told = results.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no page tells: {what}"));
        assert_eq!(told["error"], Value::Null, "{told}");
        told
    };
    let _alices = Browser::open(&address(&alice.token));
    assert_eq!(next("open")["open"], true);
    let _bobs = Browser::open(&format!("{}&post={post}", address(&bob.token)));
    let (one, other) = (next("liked or heard"), next("liked or heard"));
    let (liked, heard) = if one["liked"].is_null() { (other, one) } else { (one, other) };
    assert_eq!((&liked["liked"], &heard["id"]), (&json!(200), &json!("1")));
    assert_eq!(heard["heard"]["actors"][0]["id"], json!(bob.id));
    let took = heard["at"].as_i64().unwrap() - liked["at"].as_i64().unwrap();
    println!("heard {took} ms after the like was answered");
    assert!(took < 1_000, "{took} ms");
}
