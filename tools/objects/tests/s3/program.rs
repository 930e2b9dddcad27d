//! The program around the server, and the server without it.

use std::process::Command;

use bytes::Bytes;
use http::{Request, StatusCode};
use objects::Objects;
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};

use crate::harness::{HOUR, Server};

#[test]
fn it_stops_when_it_is_asked_and_keeps_what_it_has() {
    let mut server = Server::start();
    server.upload("a", "image/png", b"a picture").expect(200);
    assert!(server.stop());
    assert_eq!(server.files(), ["pictures/a"]);
    let again = Objects::open(&server.folder.path().join("objects"), "pictures", "alice", "x");
    assert!(again.is_ok());
}

#[test]
fn a_mistake_is_told_in_one_line() {
    let run = |arguments: &[&str], secret: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_scooterbooter-objects"))
            .args(arguments)
            .env("SCOOTERBOOTER_S3_ACCESS_KEY_ID", "alice")
            .env("SCOOTERBOOTER_S3_SECRET_ACCESS_KEY", secret)
            .output()
            .unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        String::from_utf8(output.stderr).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let held = Objects::open(folder.as_ref(), "pictures", "alice", "x").unwrap();
    for (arguments, secret, named) in [
        (&["--bucket", "pictures"][..], "x", "--folder"),
        (&["--bucket", "pictures", "--folder", folder], "", "SCOOTERBOOTER_S3_SECRET_ACCESS_KEY"),
        (&["--bucket", "No Bucket", "--folder", folder], "x", "`No Bucket`"),
        (&["--bucket", "pictures", "--folder", folder], "x", "another process"),
        (&["--bucket", "pictures", "--folder", "/dev/null/x"], "x", "/dev/null/x"),
    ] {
        let said = run(arguments, secret);
        assert!(said.starts_with("error: ") && said.contains(named) && said.lines().count() == 1, "{said}");
    }
    drop(held);
}

#[tokio::test]
async fn a_test_asks_it_without_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let objects = Objects::open(folder.path(), "pictures", "alice", "secret").unwrap();
    let endpoint = "http://objects.test".parse().unwrap();
    let bucket = Bucket::new(endpoint, UrlStyle::Path, "pictures", "eu-central-1").unwrap();
    let credentials = Credentials::new("alice", "secret");
    let mut action = bucket.put_object(Some(&credentials), "a/b");
    action.headers_mut().insert("content-length", "9");
    let url = action.sign(HOUR);
    let put = |body: &'static str| {
        let request = Request::put(url.as_str()).header("content-type", "text/plain");
        objects.answer(request.body(Bytes::from(body)).unwrap())
    };
    assert_eq!(put("too long for it").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(put("a picture").await.status(), StatusCode::OK);
    // As a router has it: the path alone, and the host in its header.
    let url = bucket.get_object(Some(&credentials), "a/b").sign(HOUR);
    let request = Request::get(&url[url::Position::BeforePath..]).header("host", "objects.test");
    let got = objects.answer(request.body(Bytes::new()).unwrap()).await;
    assert_eq!(
        (got.status(), got.headers()["content-type"].as_bytes()),
        (StatusCode::OK, &b"text/plain"[..])
    );
    assert_eq!(got.headers()["access-control-allow-origin"], "*");
    assert_eq!(got.into_body(), "a picture");
    let request = Request::get(url.as_str().replace("/a/b", "/a/c"));
    let refused = objects.answer(request.body(Bytes::new()).unwrap()).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}
