//! The host as a component and its clients see it.

use crate::common::{self, Host, eventually, read_answer};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn a_component_sees_its_route_and_its_client() {
    let host = Host::start("routes");
    let said = host.request("GET", "/people/bob/headers?a=b", "spin-client-addr: 6.6.6.6:6\r\n", "").body;
    for line in [
        "GET http://example.test/people/bob/headers?a=b",
        "spin-path-info: /headers",
        "spin-full-url: http://example.test/people/bob/headers?a=b",
        "spin-matched-route: /people/:name/...",
        "spin-raw-component-route: /people/:name/...",
        "spin-component-route: /people/:name",
        "spin-base-path: /",
        "spin-path-match-name: bob",
    ] {
        assert!(said.lines().any(|said| said == line), "{line} is not in\n{said}");
    }
    let addresses: Vec<_> = said.lines().filter(|line| line.starts_with("spin-client-addr")).collect();
    assert_eq!(addresses.len(), 2, "{said}");
    assert!(addresses[1].starts_with("spin-client-addr: 127.0.0.1:"), "the host's is the last: {said}");
    assert_eq!(host.request("GET", "/two/hello", "", "").status, 404, "a private component has no route");
    assert_eq!(host.request("GET", "/.well-known/spin/health", "", "").body, "OK");
}

#[test]
fn bodies_go_both_ways() {
    let host = Host::start("bodies");
    let large = "0123456789abcdef".repeat(256 * 1024);
    let answer = host.post("/echo", &large);
    assert_eq!(answer.status, 200);
    assert!(answer.body == large, "{} bytes of {}", answer.body.len(), large.len());
}

#[test]
fn sqlite_runs_the_first_statement_and_says_its_errors() {
    let host = Host::start("sqlite");
    assert_eq!(host.post("/sql", "create table t (id integer primary key, name text unique, x)").status, 200);
    let inserted = host
        .post("/sql", "insert into t (name, x) values ('a', x'00ff') returning id, name, x; drop table t");
    assert_eq!(inserted.body, "id|name|x\nValue::Integer(1)|Value::Text(\"a\")|Value::Blob([0, 255])\n");
    let twice = host.post("/sql", "insert into t (name) values ('a')");
    assert_eq!(twice.body, "Error::Io(\"UNIQUE constraint failed: t.name\")");
    assert_eq!(host.post("/sql", "select * from nowhere").body, "Error::Io(\"no such table: nowhere\")");
    assert_eq!(host.post("/sql?elsewhere", "select 1").body, "Error::AccessDenied");
    assert_eq!(host.post("/sql", "attach '/tmp/other.db' as other").body, "Error::Io(\"not authorized\")");
    assert_eq!(host.post("/sql", "pragma foreign_keys").body, "foreign_keys\nValue::Integer(1)\n");
    assert_eq!(host.post("/sql", "pragma journal_mode").body, "journal_mode\nValue::Text(\"wal\")\n");
    let in_one = host.post("/transaction", "begin\ninsert into t (name) values ('b')\ncommit");
    assert!(in_one.body.ends_with("1 2"), "changes and rowid: {}", in_one.body);
}

#[test]
fn a_change_by_itself_is_counted_for_who_made_it() {
    let host = Host::start("changes");
    host.post("/sql", "create table t (id integer primary key, name text)");
    let counted = |lines: &str| {
        let said = host.post("/transaction", lines).body;
        said.rsplit_once('\n').map_or(String::new(), |(_, counted)| counted.to_owned())
    };
    assert_eq!(counted("insert into t (name) values ('a'), ('b')\nselect 1"), "2 2");
    // The last one counts, in a transaction or not.
    let then_in_one = "insert into t (name) values ('c')\nbegin\nupdate t set name = name || '!'\ncommit";
    assert!(counted(then_in_one).starts_with("3 "));
    assert_eq!(counted("begin\nupdate t set name = 'x'\ncommit\ninsert into t (name) values ('d')"), "1 4");
    // What only its own connection has is changed there.
    let mine = "create temp table mine (id integer)\ninsert into mine values (1), (2), (3)\nselect count(*) from mine";
    assert_eq!(counted(mine), "3 3");
}

#[test]
fn many_writers_lose_nothing() {
    let host = Host::start("writers");
    host.post("/sql", "create table t (id integer primary key)");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let answer = host.post("/sql", "insert into t default values");
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    let both = "begin immediate\ninsert into t default values\ncommit";
                    assert_eq!(host.post("/transaction", both).status, 200);
                }
            });
        }
    });
    assert_eq!(host.post("/sql", "select count(*) from t").body, "count(*)\nValue::Integer(400)\n");
}

#[test]
fn what_was_written_survives_a_kill() {
    let mut host = Host::start("kill");
    host.post("/sql", "create table t (id integer primary key)");
    assert_eq!(host.post("/sql", "insert into t default values").status, 200);
    assert_eq!(host.post("/set?key", "value").status, 200);
    host.signal("KILL");
    host.wait();
    let host = Host::start_in(host.dir.clone(), &[]);
    assert_eq!(host.post("/sql", "select count(*) from t").body, "count(*)\nValue::Integer(1)\n");
    assert_eq!(host.post("/sql", "pragma integrity_check").body, "integrity_check\nValue::Text(\"ok\")\n");
    assert_eq!(host.post("/get?key", "").body, "value");
}

#[test]
fn an_altered_connection_is_not_used_again() {
    let host = Host::start("altered");
    host.post("/transaction", "create temp table mine (id)\nselect 1");
    assert_eq!(host.post("/sql", "select * from mine").body, "Error::Io(\"no such table: mine\")");
    host.post("/sql", "create table t (id)");
    host.post("/transaction", "begin\ninsert into t values (1)");
    assert_eq!(host.post("/sql", "select count(*) from t").body, "count(*)\nValue::Integer(0)\n");
}

#[test]
fn stores_keep_bytes_by_key() {
    let host = Host::start("stores");
    assert_eq!(host.post("/get?a", "").body, "none");
    host.post("/set?a", "1");
    host.post("/set?b", "2");
    host.post("/set?a", "3");
    assert_eq!(host.post("/get?a", "").body, "3");
    assert_eq!(host.post("/keys?default", "").body, "a b");
    assert_eq!(host.post("/get?elsewhere/a", "").body, "Error::AccessDenied");
}

#[test]
fn variables_are_templates_over_the_applications() {
    let host = Host::start("variables");
    assert_eq!(host.post("/variable", "greeting").body, "hello, you");
    assert_eq!(host.post("/variable", "token").body, "s3cr3t-token");
    assert!(host.post("/variable", "upstream").body.starts_with("Error::Undefined"));
    assert!(host.post("/variable", "Greeting").body.starts_with("Error::InvalidName"));
}

#[test]
fn requests_leave_only_where_they_may() {
    let host = Host::start("outbound");
    assert_eq!(host.post("/fetch", "http://two.spin.internal/hello").body, "200 hello");
    assert_eq!(host.post("/fetch", "http://two.spin.internal/echo\nto two").body, "200 to two");
    assert!(
        host.post("/fetch", "http://two.spin.internal/headers").body.contains("spin-client-addr: 0.0.0.0:0")
    );
    assert_eq!(host.post("/fetch", "http://self.alt/one/hello").body, "200 hello");
    assert_eq!(host.post("/fetch", "http://example.com/").body, "ErrorCode::HttpRequestDenied");
    assert_eq!(host.post("/fetch", "http://one.spin.internal/").body, "ErrorCode::HttpRequestDenied");
    assert_eq!(host.post("/fetch", "http://nobody.spin.internal/").body, "ErrorCode::DestinationNotFound");
    assert!(host.log().contains("[one] a request to http://example.com was refused"), "{}", host.log());
    // A client cannot pose as a chained call.
    let mut stream = TcpStream::connect(&host.address).unwrap();
    stream
        .write_all(b"GET /one/hello HTTP/1.1\r\nhost: two.spin.internal\r\nconnection: close\r\n\r\n")
        .unwrap();
    assert_eq!(read_answer(stream).status, 400);
}

#[test]
fn a_template_opens_the_way_to_an_upstream() {
    let upstream = Host::start("upstream");
    let dir = common::fresh_dir("downstream");
    common::write_manifest(&dir, common::MANIFEST);
    let variable = format!("upstream=http://{}", upstream.address);
    let host = Host::start_in(dir, &["--variable", &variable]);
    let fetched = host.post("/fetch", &format!("http://{}/one/hello", upstream.address));
    assert_eq!(fetched.body, "200 hello");
    drop(upstream);
    let refused = host.post("/fetch", variable.trim_start_matches("upstream="));
    assert_eq!(refused.body, "ErrorCode::ConnectionRefused");
}

#[test]
fn a_trap_ends_its_instance_and_no_other() {
    let host = Host::start("trap");
    assert_eq!(host.get("/trap").status, 500);
    assert_eq!(host.get("/hello").body, "hello");
    assert!(host.post("/fetch", "http://two.spin.internal/trap").body.starts_with("500"));
    assert_eq!(host.get("/hello").body, "hello");
    assert!(host.log().contains("[one] told to"), "the panic's message: {}", host.log());
}

#[test]
fn work_goes_on_after_the_response() {
    let host = Host::start("afterwards");
    assert_eq!(host.get("/afterwards?later").status, 200);
    assert_eq!(host.post("/get?later", "").body, "none");
    eventually("the key", || host.post("/get?later", "").body == "done");
}

#[test]
fn a_client_that_leaves_is_noticed() {
    let host = Host::start("leaving");
    let mut stream = host.send("GET", "/one/ticks?left", "", "");
    let mut first = [0; 512];
    assert!(stream.read(&mut first).unwrap() > 0);
    drop(stream);
    eventually("the end of the stream", || host.post("/get?left", "").body == "ended");
    assert_eq!(host.get("/hello").body, "hello");
}

#[test]
fn a_component_that_computes_lets_others_answer() {
    let host = Host::start("burning");
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(host.get("/burn?3000").status, 200));
        }
        std::thread::sleep(Duration::from_millis(200));
        let start = Instant::now();
        assert_eq!(host.get("/hello").body, "hello");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    });
}

#[test]
fn stopping_finishes_what_is_in_flight() {
    let mut host = Host::start("stopping");
    let slow = host.send("GET", "/one/sleep?1000", "", "");
    assert_eq!(host.get("/afterwards?late").status, 200);
    std::thread::sleep(Duration::from_millis(100));
    host.signal("TERM");
    assert_eq!(read_answer(slow).status, 200);
    assert_eq!(host.wait(), Some(0));
    let host = Host::start_in(host.dir.clone(), &[]);
    assert_eq!(host.post("/get?late", "").body, "done", "spawned work was finished");
}

#[test]
fn stopping_cuts_off_a_stream_that_would_go_on() {
    let mut host = Host::start("cutting");
    let mut stream = host.send("GET", "/one/ticks?cut", "", "");
    let mut first = [0; 512];
    assert!(stream.read(&mut first).unwrap() > 0);
    let start = Instant::now();
    host.signal("TERM");
    assert_eq!(host.wait(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[test]
fn lines_carry_the_components_name_and_no_secret() {
    let host = Host::start("lines");
    host.get("/print?a-s3cr3t-token-b");
    eventually("the lines", || host.log().contains("[one] err a-[secret]-b"));
    assert!(host.log().contains("[one] out a-[secret]-b"));
    assert!(!host.log().contains("s3cr3t"));
}

#[test]
fn slow_headers_are_cut_off() {
    let host = Host::start("slow");
    let mut stream = TcpStream::connect(&host.address).unwrap();
    stream.write_all(b"GET /one/hello HTTP/1.1\r\nhost:").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let start = Instant::now();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
