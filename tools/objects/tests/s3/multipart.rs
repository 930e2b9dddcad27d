//! Uploads in parts.

use rusty_s3::S3Action as _;
use rusty_s3::actions::{CreateMultipartUpload, ListParts};

use crate::harness::{Answer, HOUR, Server, send};

const PART: usize = 5 << 20;

struct Upload<'a> {
    server: &'a Server,
    key: &'a str,
    id: String,
}

impl<'a> Upload<'a> {
    fn begin(server: &'a Server, key: &'a str) -> Self {
        let bucket = server.bucket();
        let mut action = bucket.create_multipart_upload(Some(&server.credentials), key);
        action.headers_mut().insert("content-type", "video/mp4");
        let answer = send("POST", &action.sign(HOUR), &[("content-type", "video/mp4")], b"").expect(200);
        let id = CreateMultipartUpload::parse_response(answer.text()).unwrap().upload_id().to_owned();
        Self { server, key, id }
    }

    fn put(&self, number: u16, body: &[u8]) -> Answer {
        let bucket = self.server.bucket();
        let url = bucket.upload_part(Some(&self.server.credentials), self.key, number, &self.id).sign(HOUR);
        send("PUT", &url, &[], body)
    }

    fn etag(&self, number: u16, body: &[u8]) -> String {
        self.put(number, body).expect(200).header("etag").to_owned()
    }

    fn parts(&self) -> Answer {
        let bucket = self.server.bucket();
        send(
            "GET",
            &bucket.list_parts(Some(&self.server.credentials), self.key, &self.id).sign(HOUR),
            &[],
            b"",
        )
    }

    fn complete(&self, etags: &[&str]) -> Answer {
        let bucket = self.server.bucket();
        let action = bucket.complete_multipart_upload(
            Some(&self.server.credentials),
            self.key,
            &self.id,
            etags.iter().copied(),
        );
        let url = action.sign(HOUR);
        send("POST", &url, &[], action.body().as_bytes())
    }

    fn abort(&self) -> Answer {
        let bucket = self.server.bucket();
        let action = bucket.abort_multipart_upload(Some(&self.server.credentials), self.key, &self.id);
        send("DELETE", &action.sign(HOUR), &[], b"")
    }
}

#[test]
fn an_object_is_put_together_from_its_parts() {
    let server = Server::start();
    let upload = Upload::begin(&server, "alice/1/original");
    // Out of order, and the first one twice: that is how bad networks are.
    let second = upload.etag(2, b"the end");
    upload.etag(1, &vec![9; PART]);
    let first = upload.etag(1, &vec![7; PART]);
    let told = upload.parts().expect(200);
    let told = ListParts::parse_response(told.text()).unwrap();
    let told: Vec<_> = told.parts.iter().map(|part| (part.number, part.etag.as_str(), part.size)).collect();
    assert_eq!(told, [(1, first.as_str(), PART as u64), (2, second.as_str(), 7)]);
    server.head("alice/1/original").expect(404);
    let done = upload.complete(&[&first, &second]).expect(200);
    assert!(done.text().contains("-2&quot;") || done.text().contains("-2\""), "{}", done.text());
    let got = server.get("alice/1/original").expect(200);
    assert_eq!((got.body.len(), got.header("content-type")), (PART + 7, "video/mp4"));
    assert!(got.body.starts_with(&[7; 100]) && got.body.ends_with(b"7the end".get(1..).unwrap()));
    assert!(got.header("etag").ends_with("-2\""));
    assert_eq!(server.files(), ["pictures/alice/1/original"]);
}

#[test]
fn parts_that_are_not_as_they_are_named_are_refused() {
    let server = Server::start();
    let upload = Upload::begin(&server, "a");
    let small = upload.etag(1, b"small");
    let last = upload.etag(2, b"the end");
    upload.complete(&[&last, &small]).expect_error(400, "InvalidPart");
    upload.complete(&[&small, &last, &last]).expect_error(400, "InvalidPart");
    upload.complete(&[&small, &last]).expect_error(400, "EntityTooSmall");
    upload.complete(&[]).expect_error(400, "MalformedXML");
    // None of it cost a part: the upload goes on.
    let first = upload.etag(1, &vec![7; PART]);
    upload.complete(&[&first, &last]).expect(200);
    upload.complete(&[&first, &last]).expect_error(404, "NoSuchUpload");
}

#[test]
fn an_upload_belongs_to_its_key() {
    let server = Server::start();
    let upload = Upload::begin(&server, "a");
    let part = upload.etag(1, b"all of it");
    let other = Upload { server: &server, key: "b", id: upload.id.clone() };
    other.put(1, b"x").expect_error(404, "NoSuchUpload");
    other.complete(&[&part]).expect_error(404, "NoSuchUpload");
    for id in ["", "..", "../pictures", "0123456789abcdef0123456789abcdef"] {
        let wrong = Upload { server: &server, key: "a", id: id.to_owned() };
        assert!(matches!(wrong.parts().status, 400 | 404), "{id}");
        assert!(matches!(wrong.abort().status, 400 | 404), "{id}");
    }
    upload.complete(&[&part]).expect(200);
}

#[test]
fn an_upload_that_is_aborted_leaves_nothing() {
    let server = Server::start();
    let upload = Upload::begin(&server, "a");
    let part = upload.etag(1, b"all of it");
    upload.abort().expect(204);
    upload.put(2, b"late").expect_error(404, "NoSuchUpload");
    upload.complete(&[&part]).expect_error(404, "NoSuchUpload");
    upload.parts().expect_error(404, "NoSuchUpload");
    assert_eq!(server.files(), Vec::<String>::new());
}
