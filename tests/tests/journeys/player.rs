//! A stream in a browser: hls.js in headless Chromium plays what was uploaded, from another origin.
//!
//! `cargo xtask test` installs hls.js and names its file in `SCOOTERBOOTER_PLAYER`.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect should stop")]

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use journeys::stack::root;
use journeys::{Stack, fixtures};
use serde_json::{Value, json};

use crate::media::{ended, upload_as};

const NEEDS: &str = "SCOOTERBOOTER_PLAYER is not set: run `cargo xtask test player`";
/// A browser takes seconds to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Serves the page and hls.js on a port of its own; where, and what the page tells.
fn serve_page() -> (String, mpsc::Receiver<Value>) {
    let player = std::fs::read(std::env::var_os("SCOOTERBOOTER_PLAYER").expect(NEEDS)).unwrap();
    let page = std::fs::read(root().join("tests/player/player.html")).unwrap();
    let server = tiny_http::Server::http("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.server_addr().to_ip().unwrap());
    let (told, results) = mpsc::channel();
    std::thread::spawn(move || {
        for mut request in server.incoming_requests() {
            let path = request.url().split('?').next().unwrap_or_default().to_owned();
            let (kind, body) = match path.as_str() {
                "/" => ("text/html", page.clone()),
                "/hls.js" => ("text/javascript", player.clone()),
                "/result" => {
                    let result = serde_json::from_reader(request.as_reader()).unwrap_or(Value::Null);
                    let _ = told.send(result);
                    ("text/plain", Vec::new())
                }
                _ => ("text/plain", Vec::new()),
            };
            let header = tiny_http::Header::from_bytes("content-type", kind).unwrap();
            let _ = request.respond(tiny_http::Response::from_data(body).with_header(header));
        }
    });
    (url, results)
}

#[test]
#[ignore = "needs the player that cargo xtask test installs"]
fn a_phones_video_plays_in_a_browser_after_one_upload() {
    let stack = Stack::start(&[]).unwrap();
    let _worker = stack.start_transcoder(&["--kinds", "video"]).unwrap();
    let alice = stack.person("alice");
    let key = upload_as(&alice, "video/quicktime", &fixtures::phone_video(4).unwrap());
    alice.post("/process-video", json!({ "key": key })).expect(202);
    let media = ended(&alice, &key);
    let stream = media["hlsUrl"].as_str().unwrap_or_else(|| panic!("{media}"));
    let (page, results) = serve_page();
    let query: String = stream.replace('?', "%3F").replace('&', "%26");
    let profile = tempfile::TempDir::with_prefix("scooterbooter-browser-").unwrap();
    let mut browser = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--mute-audio",
        ])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("{page}/?stream={query}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let result = results.recv_timeout(PATIENCE);
    let _ = browser.kill();
    let _ = browser.wait();
    let result = result.expect("the page tells how it went");
    assert_eq!(result["error"], Value::Null, "{result}");
    assert_eq!((&result["width"], &result["height"]), (&json!(360), &json!(640)), "{result}");
    assert!(result["seconds"].as_f64().unwrap() > 3.0 && result["frames"].as_u64().unwrap() > 30, "{result}");
}
