//! Whole objects: who may write, read and remove them, and what is kept.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Credentials, S3Action as _, UrlStyle};
use url::Url;

use crate::harness::{HOUR, Server, send, with_query};

#[test]
fn what_was_signed_for_is_taken_and_given_back_with_its_type() {
    let server = Server::start();
    let etag = server.upload("alice/1/original", "image/png", b"a picture").expect(200);
    assert_eq!(etag.header("etag"), "\"101a0e3e2f58188b3e2ffc1057316c13\"");
    let got = server.get("alice/1/original").expect(200);
    assert_eq!(got.body, b"a picture");
    assert_eq!(got.header("content-type"), "image/png");
    assert_eq!(got.header("accept-ranges"), "bytes");
    assert_eq!(got.header("etag"), etag.header("etag"));
    let head = server.head("alice/1/original").expect(200);
    assert_eq!((head.header("content-length"), head.header("content-type")), ("9", "image/png"));
    assert_eq!((head.header("etag"), head.body.len()), (etag.header("etag"), 0));
    assert!(!head.header("last-modified").is_empty());
}

#[test]
fn a_body_of_another_size_is_refused() {
    let server = Server::start();
    let url = server.upload_url("a", "image/png", 9);
    let headers = [("content-type", "image/png"), ("if-none-match", "*")];
    for body in [&b"a picture!"[..], b"a", b"", &vec![b'x'; 3 << 20]] {
        send("PUT", &url, &headers, body).expect_error(403, "SignatureDoesNotMatch");
    }
    server.head("a").expect(404);
    assert_eq!(server.files(), Vec::<String>::new());
}

#[test]
fn a_body_without_a_length_is_refused() {
    let server = Server::start();
    let url = server.upload_url("a", "image/png", 9);
    let (host, target) = (server.address.clone(), &url[url::Position::BeforePath..]);
    let said = server.raw(
        format!(
            "PUT {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/png\r\nIf-None-Match: *\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n9\r\na picture\r\n0\r\n\r\n"
        )
        .as_bytes(),
    );
    assert!(said.starts_with("HTTP/1.1 403"), "{said}");
    server.head("a").expect(404);
}

#[test]
fn another_content_type_is_refused() {
    let server = Server::start();
    let url = server.upload_url("a", "image/png", 9);
    for kind in ["text/html", "image/jpeg", "image/png; charset=utf-8"] {
        let headers = [("content-type", kind), ("if-none-match", "*")];
        send("PUT", &url, &headers, b"a picture").expect_error(403, "SignatureDoesNotMatch");
    }
    send("PUT", &url, &[("content-type", "image/png")], b"a picture").expect(403);
    server.head("a").expect(404);
}

#[test]
fn a_second_upload_of_a_key_is_refused() {
    let server = Server::start();
    server.upload("a", "image/png", b"the first").expect(200);
    server.upload("a", "image/png", b"another 1").expect_error(412, "PreconditionFailed");
    assert_eq!(server.get("a").expect(200).body, b"the first");
}

#[test]
fn of_many_uploads_of_a_key_at_once_one_is_taken() {
    let server = Server::start();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let uploads: Vec<_> = (0..8u8)
            .map(|number| {
                let server = &server;
                scope.spawn(move || server.upload("a", "image/png", &[number; 100_000]).status)
            })
            .collect();
        uploads.into_iter().map(|upload| upload.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 412)), "{statuses:?}");
    let kept = server.get("a").expect(200).body;
    assert!(kept.len() == 100_000 && kept.iter().all(|byte| *byte == kept[0]));
    assert_eq!(server.files(), ["pictures/a"]);
}

#[test]
fn without_the_condition_an_object_is_replaced() {
    let server = Server::start();
    let url = server.bucket().put_object(Some(&server.credentials), "a").sign(HOUR);
    send("PUT", &url, &[("content-type", "text/plain")], b"one").expect(200);
    send("PUT", &url, &[("content-type", "text/css")], b"two and more").expect(200);
    let got = server.get("a").expect(200);
    assert_eq!((got.text(), got.header("content-type")), ("two and more", "text/css"));
    send("PUT", &url, &[("if-match", "\"1\"")], b"three").expect_error(501, "NotImplemented");
    send("PUT", &url, &[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], b"three")
        .expect_error(400, "BadDigest");
    assert_eq!(server.get("a").expect(200).text(), "two and more");
}

#[test]
fn nobody_reads_without_a_signature() {
    let server = Server::start();
    server.upload("a", "image/png", b"a picture").expect(200);
    let plain = server.bucket().object_url("a");
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        assert_eq!(send(method, &plain, &[], b"").status, 403, "{method}");
    }
    send("GET", server.bucket().base_url(), &[], b"").expect(403);
    let stranger = Credentials::new("alice", "a guess");
    let forged = server.bucket().get_object(Some(&stranger), "a").sign(HOUR);
    send("GET", &forged, &[], b"").expect_error(403, "SignatureDoesNotMatch");
    let unknown = Credentials::new("mallory", "only alice knows");
    let unknown = server.bucket().get_object(Some(&unknown), "a").sign(HOUR);
    send("GET", &unknown, &[], b"").expect(403);
}

#[test]
fn a_signature_holds_for_its_key_its_method_and_its_time() {
    let server = Server::start();
    server.upload("a", "image/png", b"a picture").expect(200);
    server.upload("b", "image/png", b"a picture").expect(200);
    let mut other = server.get_url("a");
    other.set_path("/pictures/b");
    send("GET", &other, &[], b"").expect_error(403, "SignatureDoesNotMatch");
    send("DELETE", &server.get_url("a"), &[], b"").expect_error(403, "SignatureDoesNotMatch");
    let bucket = server.bucket();
    let action = bucket.get_object(Some(&server.credentials), "a");
    let minute = Duration::from_secs(60);
    let past = action.sign_with_time(minute, &(Timestamp::now() - Duration::from_secs(61)));
    send("GET", &past, &[], b"").expect_error(403, "AccessDenied");
    let almost = action.sign_with_time(minute, &(Timestamp::now() - Duration::from_secs(30)));
    send("GET", &almost, &[], b"").expect(200);
    let longer: Url = past.as_str().replace("X-Amz-Expires=60", "X-Amz-Expires=6000").parse().unwrap();
    send("GET", &longer, &[], b"").expect_error(403, "SignatureDoesNotMatch");
}

#[test]
fn a_range_is_answered_with_its_bytes() {
    let server = Server::start();
    let body: Vec<u8> = (0..1_000_000u32).map(|number| (number % 251) as u8).collect();
    server.upload("a", "video/mp4", &body).expect(200);
    for (range, bytes, told) in [
        ("bytes=0-0", 0..1, "bytes 0-0/1000000"),
        ("bytes=300000-700000", 300_000..700_001, "bytes 300000-700000/1000000"),
        ("bytes=999990-", 999_990..1_000_000, "bytes 999990-999999/1000000"),
        ("bytes=-10", 999_990..1_000_000, "bytes 999990-999999/1000000"),
        ("bytes=999999-2000000", 999_999..1_000_000, "bytes 999999-999999/1000000"),
    ] {
        let got = send("GET", &server.get_url("a"), &[("range", range)], b"").expect(206);
        assert_eq!(got.header("content-range"), told);
        assert_eq!(got.header("content-length"), bytes.len().to_string());
        assert!(got.body == body[bytes], "{range}");
        assert_eq!(got.header("content-type"), "video/mp4");
    }
    let beyond = send("GET", &server.get_url("a"), &[("range", "bytes=1000000-")], b"");
    beyond.expect_error(416, "InvalidRange");
    assert!(server.get("a").expect(200).body == body);
}

#[test]
fn what_a_client_has_is_not_sent_again() {
    let server = Server::start();
    let etag = server.upload("a", "image/png", b"a picture").header("etag").to_owned();
    let asked = |name, value: &str| send("GET", &server.get_url("a"), &[(name, value)], b"");
    assert!(asked("if-none-match", &etag).expect(304).body.is_empty());
    asked("if-none-match", "\"another\"").expect(200);
    asked("if-match", "\"another\"").expect(412);
    asked("if-match", &etag).expect(200);
}

#[test]
fn an_object_that_is_deleted_is_gone_and_its_key_free() {
    let server = Server::start();
    server.upload("alice/1/original", "image/png", b"a picture").expect(200);
    server.delete("alice/1/original").expect(204);
    server.get("alice/1/original").expect_error(404, "NoSuchKey");
    server.delete("alice/1/original").expect(204);
    assert_eq!(server.files(), Vec::<String>::new());
    server.upload("alice/1/original", "image/gif", b"another").expect(200);
    assert_eq!(server.get("alice/1/original").expect(200).header("content-type"), "image/gif");
}

#[test]
fn objects_are_listed_by_prefix_and_page() {
    let server = Server::start();
    let names = ["alice/1/a", "alice/1/b", "alice/2/ä &+", "bob/1/a"];
    for name in names {
        server.upload(name, "text/plain", name.as_bytes()).expect(200);
    }
    let bucket = server.bucket();
    let list = |change: &dyn Fn(&mut ListObjectsV2<'_>)| {
        let mut action = bucket.list_objects_v2(Some(&server.credentials));
        change(&mut action);
        let answer = send("GET", &action.sign(HOUR), &[], b"").expect(200);
        ListObjectsV2::parse_response(answer.text()).unwrap()
    };
    let all = list(&|_| {});
    assert_eq!(all.contents.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), names);
    assert_eq!(all.contents[3].size, Some(7));
    assert_eq!(all.contents[3].etag.as_deref(), Some(server.head("bob/1/a").header("etag")));
    let mut told = Vec::new();
    let mut token = None;
    loop {
        let page = list(&|action| {
            action.with_prefix("alice/");
            action.with_max_keys(2);
            if let Some(token) = token.clone() {
                action.with_continuation_token(token);
            }
        });
        assert!(page.contents.len() <= 2);
        told.extend(page.contents.into_iter().map(|object| object.key));
        token = page.next_continuation_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(told, names[..3]);
    let groups = list(&|action| action.with_delimiter("/"));
    let groups: Vec<String> = groups.common_prefixes.into_iter().map(|group| group.prefix).collect();
    assert_eq!(groups, ["alice/", "bob/"]);
    assert!(list(&|action| action.with_prefix("../")).contents.is_empty());
}

#[test]
fn no_key_leaves_the_folder() {
    let server = Server::start();
    std::fs::write(server.folder.path().join("outside"), "secret").unwrap();
    server.upload("inside", "text/plain", b"x").expect(200);
    let ask = |method: &str, key: &str, body: &str| {
        let (target, length) = (server.sign_raw(method, &format!("/pictures/{key}")), body.len());
        let host = &server.address;
        server.raw(
            format!(
                "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        )
    };
    assert!(ask("GET", "inside", "").starts_with("HTTP/1.1 200"), "{}", ask("GET", "inside", ""));
    for key in ["../../outside", "../.lock", "a/../../../outside", "..", "/etc/passwd", "a//b", "./inside"] {
        for (method, body) in [("GET", ""), ("HEAD", ""), ("PUT", "evil"), ("DELETE", "")] {
            let said = ask(method, key, body);
            assert!(said.starts_with("HTTP/1.1 400"), "{method} {key}: {said}");
        }
    }
    assert_eq!(server.files().len(), 2, "{:?}", server.files());
    assert_eq!(std::fs::read_to_string(server.folder.path().join("outside")).unwrap(), "secret");
}

#[test]
fn an_upload_that_is_cut_off_leaves_nothing() {
    let server = Server::start();
    let url = server.upload_url("a", "image/png", 3_000_000);
    let (host, target) = (server.address.clone(), &url[url::Position::BeforePath..]);
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/png\r\nIf-None-Match: *\r\n\
         Content-Length: 3000000\r\n\r\n"
    );
    let mut stream = TcpStream::connect(&host).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![1; 1_500_000]).unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    // It is there while it comes, under a name of its own.
    while server.files().is_empty() {
        assert!(Instant::now() < deadline, "nothing is written");
    }
    server.head("a").expect(404);
    drop(stream);
    while !server.files().is_empty() {
        assert!(Instant::now() < deadline, "{:?} is left", server.files());
    }
    server.head("a").expect(404);
    send("PUT", &url, &[("content-type", "image/png"), ("if-none-match", "*")], &vec![2; 3_000_000])
        .expect(200);
    assert_eq!(server.head("a").header("content-length"), "3000000");
}

#[test]
fn what_an_earlier_run_left_unfinished_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join(".temporary")).unwrap();
    std::fs::write(folder.path().join(".temporary/7"), "half").unwrap();
    let _server = objects::Objects::open(folder.path(), "pictures", "alice", "secret").unwrap();
    assert!(!folder.path().join(".temporary/7").exists());
}

#[test]
fn the_bucket_may_be_in_the_host() {
    let server = Server::start();
    server.upload("a/b", "image/png", b"a picture").expect(200);
    for host in ["objects.example:9000", "localhost"] {
        for style in [UrlStyle::VirtualHost, UrlStyle::Path] {
            let bucket = server.bucket_at(&format!("http://{host}"), style);
            let url = bucket.get_object(Some(&server.credentials), "a/b").sign(HOUR);
            let target = &url[url::Position::BeforePath..];
            let host = &url[url::Position::BeforeHost..url::Position::BeforePath];
            let mut stream = TcpStream::connect(&server.address).unwrap();
            write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
            let mut said = String::new();
            stream.read_to_string(&mut said).unwrap();
            assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("a picture"), "{host}: {said}");
        }
    }
}

#[test]
fn a_link_may_choose_how_it_is_shown() {
    let server = Server::start();
    server.upload("a", "image/png", b"a picture").expect(200);
    let bucket = server.bucket();
    let action = bucket.get_object(Some(&server.credentials), "a");
    let url = with_query(action, "response-content-disposition", "attachment");
    let got = send("GET", &url, &[], b"").expect(200);
    assert_eq!(got.header("content-disposition"), "attachment");
}
