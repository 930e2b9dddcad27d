//! Objects, the programs of the transcoder, and the jobs that wait for it.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};

use super::{Findings, LIMIT};
use crate::http;
use crate::state::{Running, State};
use crate::transcoder::{HEIC_TOOL, VIDEO_TOOLS, is_installed};

/// Jobs that wait longer than this wait for a worker that is not there, or too slow.
const WAITS_LONG: Duration = Duration::from_secs(300);

/// The programs that process media; none is needed for the rest.
pub fn check_tools(findings: &mut Findings) {
    let missing: Vec<&str> = VIDEO_TOOLS.iter().copied().filter(|tool| !is_installed(tool)).collect();
    if missing.is_empty() {
        findings.ok(VIDEO_TOOLS.join(" and ").as_str());
    } else {
        let remedy =
            "videos wait until it is installed (apt-get install ffmpeg); start `cargo xtask up` after it";
        findings.warn(&format!("not installed: {}", missing.join(", ")), remedy);
    }
    if is_installed(HEIC_TOOL) {
        findings.ok(HEIC_TOOL);
    } else {
        let remedy = "pictures in HEIC cannot be read until it is (apt-get install libheif-examples)";
        findings.warn(&format!("not installed: {HEIC_TOOL}"), remedy);
    }
}

/// Whether the object store answers. What is noted is of the last `up`: where another runs, it says nothing.
pub fn check_objects(findings: &mut Findings, noted: &Running, url: &str) {
    let given = std::env::var("SPIN_VARIABLE_S3_ENDPOINT").ok().filter(|endpoint| !endpoint.is_empty());
    let noted = Some(&noted.objects).filter(|objects| noted.url == url && !objects.is_empty());
    let Some(endpoint) = given.as_ref().or(noted) else {
        let remedy = "set SPIN_VARIABLE_S3_ENDPOINT to the address of its object store";
        findings.warn("objects: not looked at", remedy);
        return;
    };
    match reach(endpoint) {
        Ok(()) => findings.ok(&format!("the object store at {endpoint} answers")),
        Err(error) => findings.wrong(
            &format!("the object store at {endpoint} does not answer: {error:#}"),
            "nothing can be uploaded or shown: start `cargo xtask up` again, or mend s3_endpoint",
        ),
    }
}

/// Any answer will do: without a signature it is a refusal. Of a store behind TLS no more than the port is asked.
fn reach(endpoint: &str) -> Result<()> {
    if endpoint.starts_with("http://") {
        http::get(endpoint, LIMIT)?;
        return Ok(());
    }
    let host = endpoint.split("://").last().unwrap_or_default().split('/').next().unwrap_or_default();
    let with_port = if host.contains(':') { host.to_owned() } else { format!("{host}:443") };
    let address = with_port.to_socket_addrs()?.next().context("no such host")?;
    TcpStream::connect_timeout(&address, LIMIT)?;
    Ok(())
}

/// How the jobs of the transcoder stand.
#[derive(Debug, Default, PartialEq, Eq)]
struct Jobs {
    waiting: i64,
    /// Of those, how many for long.
    waiting_long: i64,
    leased: i64,
    dead: i64,
}

/// Looks at the jobs of a state; passed over where there are none yet.
pub fn check_jobs(findings: &mut Findings, state: &State) {
    let path = state.database("media");
    if !path.exists() {
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let jobs = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .and_then(|connection| jobs(&connection, now));
    let Ok(Some(jobs)) = jobs else {
        findings.ok("jobs of the transcoder: none yet");
        return;
    };
    let Jobs { waiting, waiting_long, leased, dead } = jobs;
    if waiting_long > 0 {
        findings.warn(
            &format!("{waiting_long} of {waiting} waiting jobs of the transcoder wait for more than 5 minutes"),
            "no worker takes them, or too few do: see the lines of the transcoder in the log, and whether ffmpeg is there",
        );
    } else {
        findings.ok(&format!("jobs of the transcoder: {waiting} wait, {leased} are in work"));
    }
    if dead > 0 {
        findings.warn(
            &format!("{dead} jobs of the transcoder failed five times and wait for nobody"),
            "mend what its log says, then POST /internal/redrive of media with the internal token",
        );
    }
}

/// Nothing where the table is not there yet.
fn jobs(connection: &Connection, now: Duration) -> rusqlite::Result<Option<Jobs>> {
    connection.busy_timeout(LIMIT)?;
    if !connection.table_exists(None::<&str>, "jobs")? {
        return Ok(None);
    }
    // Times are milliseconds; a job that failed is due again later, and waits from then on.
    let long_ago = i64::try_from(now.saturating_sub(WAITS_LONG).as_millis()).unwrap_or(i64::MAX);
    let sql = "select count(*) filter (where state = 'waiting'), \
               count(*) filter (where state = 'waiting' and due_at < ?1), \
               count(*) filter (where state = 'leased'), count(*) filter (where state = 'dead') from jobs";
    let row = connection.query_row(sql, [long_ago], |row| {
        Ok(Jobs { waiting: row.get(0)?, waiting_long: row.get(1)?, leased: row.get(2)?, dead: row.get(3)? })
    })?;
    Ok(Some(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    #[test]
    fn jobs_that_wait_for_long_and_dead_ones_are_counted() {
        let connection = Connection::open_in_memory().unwrap();
        let now = Duration::from_secs(1_000_000);
        assert_eq!(jobs(&connection, now).unwrap(), None);
        connection.execute_batch("create table jobs (state text, due_at integer)").unwrap();
        assert_eq!(jobs(&connection, now).unwrap(), Some(Jobs::default()));
        for (state, age) in [
            ("waiting", 301),
            ("waiting", 299),
            ("waiting", -60),
            ("leased", 900),
            ("dead", 900),
            ("done", 900),
        ] {
            let due_at = 1_000_000_000 - age * 1000;
            connection.execute("insert into jobs values (?1, ?2)", (state, due_at)).unwrap();
        }
        let expected = Jobs { waiting: 3, waiting_long: 1, leased: 1, dead: 1 };
        assert_eq!(jobs(&connection, now).unwrap(), Some(expected));
    }

    #[test]
    fn the_migrations_of_media_have_what_is_asked_for() {
        let connection = Connection::open_in_memory().unwrap();
        // What every service has comes first: triggers of media are on it.
        let shared =
            ["core", "people", "ties", "ties_events"].map(|name| format!("shared/migrations/{name}.sql"));
        let mut files: Vec<_> = shared.iter().map(|file| crate::project::root().join(file)).collect();
        let own = std::fs::read_dir(crate::project::root().join("components/media/migrations")).unwrap();
        let mut own: Vec<_> = own.map(|file| file.unwrap().path()).collect();
        own.sort();
        files.extend(own);
        for file in files {
            connection.execute_batch(&std::fs::read_to_string(file).unwrap()).unwrap();
        }
        assert_eq!(jobs(&connection, WAITS_LONG).unwrap(), Some(Jobs::default()));
    }

    #[test]
    fn a_store_that_refuses_is_there_and_one_that_is_gone_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // All of it: what is unread when the connection closes takes the answer with it.
            let (mut head, mut piece) = (Vec::new(), [0; 1024]);
            while !head.ends_with(b"\r\n\r\n") {
                let length = stream.read(&mut piece).unwrap();
                head.extend_from_slice(&piece[..length]);
            }
            stream
                .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .unwrap();
        });
        reach(&format!("http://{address}")).unwrap();
        answering.join().unwrap();
        assert!(reach(&format!("http://{address}")).is_err());
        assert!(reach(&format!("https://{address}/")).is_err());
    }
}
