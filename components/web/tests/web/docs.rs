//! `/docs`: the explorer and its files.

use std::io::Read;

use http::Method;
use serde_json::{Value, json};
use shared::testing::{Answer, World};

async fn world() -> World {
    World::start(&[&web::SERVICE], &[]).await
}

async fn fetch(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    world.call("web", Method::GET, path, "", headers, Value::Null).await
}

/// What the page refers to, of this server.
fn references(page: &str) -> Vec<String> {
    let quoted = page.split('"').skip(1).step_by(2);
    quoted.filter(|text| text.starts_with("/docs/")).map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn the_page_and_each_file_it_refers_to_answer() {
    let world = world().await;
    let page = fetch(&world, "/docs", &[]).await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let page = String::from_utf8(page.bytes.to_vec()).unwrap();
    let files = references(&page);
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let answer = fetch(&world, &file, &[]).await;
        assert_eq!(answer.status, 200, "{file}");
        assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable", "{file}");
        assert!(answer.headers.get("content-encoding").is_none() && !answer.bytes.is_empty(), "{file}");
        let packed = fetch(&world, &file, &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(packed.headers["content-encoding"], "gzip", "{file}");
        assert_ne!(packed.headers["etag"], answer.headers["etag"], "{file}");
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(packed.bytes.as_ref()).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, answer.bytes, "{file}");
        let unversioned = fetch(&world, file.split('?').next().unwrap(), &[]).await;
        assert_eq!(unversioned.headers["cache-control"], "public, no-cache", "{file}");
    }
}

#[tokio::test]
async fn nothing_comes_from_elsewhere_and_no_script_stands_in_the_page() {
    let page = fetch(&world().await, "/docs", &[]).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
    assert!(!policy.contains("http"), "{policy}");
    let page = String::from_utf8(page.bytes.to_vec()).unwrap();
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"));
    assert_eq!(page.matches("<script").count(), page.matches("<script src=\"/docs/").count());
}

#[tokio::test]
async fn who_has_a_file_gets_304() {
    let world = world().await;
    for path in ["/docs", "/docs/explorer.js"] {
        let first = fetch(&world, path, &[]).await;
        let tag = first.headers["etag"].to_str().unwrap();
        let again = fetch(&world, path, &[("if-none-match", tag)]).await;
        assert_eq!((again.status, again.bytes.len()), (304, 0), "{path}");
        assert_eq!(again.headers["vary"], "Accept-Encoding", "{path}");
    }
}

#[tokio::test]
async fn what_is_no_file_of_the_explorer_is_404() {
    let world = world().await;
    for path in ["/docs/unknown", "/docs/explorer.html", "/docs/", "/docs/x/y", "/docs/..%2fCargo.toml"] {
        let answer = fetch(&world, path, &[]).await;
        assert_eq!((answer.status, &answer.body["code"]), (404, &json!("not_found")), "{path}");
    }
    let answer = world.call("web", Method::HEAD, "/docs", "", &[], Value::Null).await;
    assert_eq!((answer.status, answer.bytes.len()), (200, 0));
}
