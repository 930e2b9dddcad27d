//! What a browser asks and reads, which is another origin always.

use crate::harness::{Server, send};

#[test]
fn a_browser_may_ask_for_every_method_and_header() {
    let server = Server::start();
    let asked = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "content-type,if-none-match"),
    ];
    // Without a signature, since a browser sends none with this question.
    let answer = send("OPTIONS", &server.bucket().object_url("a/b"), &asked, b"").expect(204);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-headers"), "content-type,if-none-match");
    assert!(!answer.header("access-control-max-age").is_empty());
    for method in ["GET", "HEAD", "PUT", "POST", "DELETE"] {
        assert!(answer.header("access-control-allow-methods").split(", ").any(|known| known == method));
    }
}

#[test]
fn a_browser_may_read_every_answer() {
    let server = Server::start();
    let put = server.upload("a", "image/png", b"a picture").expect(200);
    let refused = server.upload("a", "image/png", b"a picture").expect(412);
    let missing = server.get("b").expect(404);
    let unsigned = send("GET", &server.bucket().object_url("a"), &[], b"").expect(403);
    let part = send("GET", &server.get_url("a"), &[("range", "bytes=0-1")], b"").expect(206);
    for answer in [put, refused, missing, unsigned, part] {
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{}", answer.status);
        let exposed = answer.header("access-control-expose-headers");
        for name in ["ETag", "Content-Range", "Accept-Ranges", "Content-Length", "Content-Type"] {
            assert!(exposed.split(", ").any(|known| known == name), "{name}: {exposed}");
        }
    }
}
