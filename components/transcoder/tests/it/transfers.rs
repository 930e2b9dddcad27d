//! The object store at its worst: connections that are cut, servers in trouble, files of another size.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use crate::support::Work;
use transcoder::control::{Control, Stop};
use transcoder::failure::Outcome;
use transcoder::log::Log;
use transcoder::store::Store;

/// What came in on a connection: the head in small letters, and the body.
type Asked = (String, Vec<u8>);

/// A server that gives each connection the next answer, byte for byte, and hangs up.
fn server(answers: Vec<Vec<u8>>) -> (String, JoinHandle<Vec<Asked>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/bucket/object?X-Amz-Signature=s3cr3t", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        answers
            .into_iter()
            .map(|answer| {
                let (stream, _) = listener.accept().unwrap();
                let asked = read(&stream);
                (&stream).write_all(&answer).unwrap();
                asked
            })
            .collect()
    });
    (url, thread)
}

fn read(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

fn answer(status: u16, length: usize, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} So\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn bytes() -> Vec<u8> {
    (0..3_000_000_u32).map(|at| (at / 7) as u8).collect()
}

fn download(work: &Work, url: &str, size: u64) -> Outcome<()> {
    Store::default().download(url, size, &work.path("got"), &Control::default(), &Log::new(false), &|_| ())
}

fn upload(work: &Work, url: &str) -> Outcome<()> {
    Store::default().upload(
        url,
        &work.path("made"),
        "video/mp4",
        &Control::default(),
        &Log::new(false),
        &|_| (),
    )
}

#[test]
fn a_download_that_is_cut_goes_on_where_it_was() {
    let (work, bytes) = (Work::new(), bytes());
    let (url, server) = server(vec![
        answer(503, 0, b""),
        answer(200, bytes.len(), &bytes[..1_000_000]),
        answer(206, 2_000_000, &bytes[1_000_000..1_500_000]),
        answer(206, 1_500_000, &bytes[1_500_000..]),
    ]);
    download(&work, &url, bytes.len() as u64).unwrap();
    assert!(work.read("got") == bytes);
    let asked = server.join().unwrap();
    let ranges: Vec<_> =
        asked.iter().map(|(head, _)| head.lines().find_map(|line| line.strip_prefix("range: "))).collect();
    assert_eq!(ranges, [None, None, Some("bytes=1000000-"), Some("bytes=1500000-")]);
}

#[test]
fn a_store_without_ranges_sends_all_of_it_again() {
    let (work, bytes) = (Work::new(), bytes());
    let (url, server) =
        server(vec![answer(200, bytes.len(), &bytes[..1_000_000]), answer(200, bytes.len(), &bytes)]);
    download(&work, &url, bytes.len() as u64).unwrap();
    assert!(work.read("got") == bytes);
    server.join().unwrap();
}

#[test]
fn a_file_larger_than_declared_is_not_read_to_its_end() {
    let (work, bytes) = (Work::new(), bytes());
    let (url, _server) = server(vec![answer(200, bytes.len(), &bytes)]);
    let failure = download(&work, &url, 1_000_000).unwrap_err();
    assert_eq!(failure.code.as_str(), "size_mismatch");
    assert!(work.read("got").len() <= 1_000_000);
}

#[test]
fn an_upload_is_tried_again_with_its_length_and_kind() {
    let (work, bytes) = (Work::new(), bytes());
    work.write("made", &bytes);
    let (url, server) = server(vec![answer(500, 0, b""), answer(200, 0, b"")]);
    upload(&work, &url).unwrap();
    for (head, body) in server.join().unwrap() {
        assert!(
            head.starts_with("put /bucket/object?") && head.contains("\r\ncontent-type: video/mp4\r\n"),
            "{head}"
        );
        assert!(
            head.contains("\r\ncontent-length: 3000000\r\n") && !head.contains("transfer-encoding"),
            "{head}"
        );
        assert!(body == bytes);
    }
}

#[test]
fn a_url_past_its_time_is_not_asked_again_and_not_told() {
    let work = Work::new();
    work.write("made", "x");
    let (url, server) = server(vec![answer(403, 0, b"")]);
    let failure = upload(&work, &url).unwrap_err();
    assert!(!failure.code.is_permanent(), "a new lease has a new URL");
    assert!(!format!("{failure:?}").contains("s3cr3t"), "{failure:?}");
    assert_eq!(server.join().unwrap().len(), 1);
}

#[test]
fn a_server_that_is_gone_is_not_told_by_its_url() {
    let work = Work::new();
    let (url, server) = server(vec![]);
    server.join().unwrap();
    let control = Control::default();
    let failure = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(900));
            control.stop(Stop::Unwanted);
        });
        Store::default()
            .download(&url, 5, &work.path("got"), &control, &Log::new(false), &|_| ())
            .unwrap_err()
    });
    assert_eq!(failure.code.as_str(), "cancelled");
}
