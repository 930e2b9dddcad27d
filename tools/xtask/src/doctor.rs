//! `doctor`: what is wrong, and how to mend it.

mod media;

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use rusqlite::{Connection, OpenFlags};

use crate::http;
use crate::options::DoctorOptions;
use crate::project::{Manifest, WASM, root};
use crate::state::{Running, SECRETS, State};

const LIMIT: Duration = Duration::from_secs(10);
/// A clock further from this machine's than this is wrong, or moved on purpose.
const CLOCK_TOLERANCE: i64 = 5_000;
/// Events that wait longer than this are stuck: the clock ticks every second, a CronJob every minute.
const STUCK_AFTER: Duration = Duration::from_secs(120);

/// What was looked at, and what was found.
#[derive(Default)]
struct Findings {
    wrong: usize,
}

impl Findings {
    fn ok(&self, what: &str) {
        println!("ok     {what}");
    }

    /// Worth knowing, and not wrong.
    fn warn(&self, what: &str, remedy: &str) {
        println!("warn   {what}\n       {remedy}");
    }

    fn wrong(&mut self, what: &str, remedy: &str) {
        self.wrong += 1;
        println!("WRONG  {what}\n       {remedy}");
    }
}

/// Looks at everything; whether nothing is wrong.
pub fn doctor(options: &DoctorOptions) -> Result<bool> {
    let manifest = Manifest::read()?;
    let state = State::at(&options.state);
    let noted = state.running().unwrap_or_default();
    let url = options.url.clone().filter(|url| !url.is_empty()).unwrap_or_else(|| noted.url.clone());
    let url = if url.is_empty() { "http://127.0.0.1:3000".to_owned() } else { url };
    let url = url.trim_end_matches('/');
    let mut findings = Findings::default();
    check_tools(&mut findings);
    media::check_tools(&mut findings);
    check_secrets(&mut findings, &state);
    check_databases(&mut findings, &manifest, &state);
    media::check_jobs(&mut findings, &state);
    if check_services(&mut findings, url) {
        check_clock(&mut findings, url);
        check_keys(&mut findings, url, &noted);
        check_tokens(&mut findings, &manifest, url);
        check_events(&mut findings, &state, url);
        media::check_objects(&mut findings, &noted, url);
    }
    println!();
    match findings.wrong {
        0 => println!("nothing is wrong"),
        1 => println!("one thing is wrong"),
        number => println!("{number} things are wrong"),
    }
    Ok(findings.wrong == 0)
}

fn check_tools(findings: &mut Findings) {
    let rustc = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM])
        .current_dir(root())
        .output();
    match rustc {
        Err(_) => findings.wrong("rustc is not found", "install Rust with rustup (https://rustup.rs)"),
        Ok(asked)
            if !asked.status.success()
                || !std::path::Path::new(String::from_utf8_lossy(&asked.stdout).trim()).is_dir() =>
        {
            findings.wrong(
                &format!("the target {WASM} is not installed"),
                &format!("run `rustup target add {WASM}`"),
            );
        }
        Ok(_) => findings.ok(&format!("Rust with the target {WASM}")),
    }
}

fn check_secrets(findings: &mut Findings, state: &State) {
    if !state.folder().is_dir() {
        return;
    }
    let known = state.known_secrets();
    match SECRETS.iter().find(|name| !known.iter().any(|(known, _)| known == *name)) {
        Some(name) => findings.warn(
            &format!("{} holds no {name}", state.folder().join("secrets.toml").display()),
            "`cargo xtask up` makes one at its next start",
        ),
        None => findings.ok("secrets of this state's own"),
    }
}

fn check_databases(findings: &mut Findings, manifest: &Manifest, state: &State) {
    if !state.folder().is_dir() {
        findings.warn(
            &format!("there is no state at {}", state.folder().display()),
            "`cargo xtask up` makes it; name another with --state",
        );
        return;
    }
    for label in &manifest.databases {
        let path = state.database(label);
        if !path.exists() {
            findings.warn(
                &format!("database {label}: not there yet"),
                "the service makes it at its first request",
            );
            continue;
        }
        match integrity(&path) {
            Ok(said) if said == "ok" => findings.ok(&format!("database {label}: sound")),
            Ok(said) => findings.wrong(
                &format!("database {label}: {said}"),
                &format!("stop the application and restore {} from a backup", path.display()),
            ),
            Err(error) => findings.wrong(
                &format!("database {label}: cannot be read: {error}"),
                &format!("check who owns {} and whether the disk is full", path.display()),
            ),
        }
    }
}

fn integrity(path: &std::path::Path) -> rusqlite::Result<String> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(LIMIT)?;
    let said: String = connection.query_row("pragma integrity_check(1)", [], |row| row.get(0))?;
    if said != "ok" {
        return Ok(said);
    }
    let dangling = connection.query_row("pragma foreign_key_check", [], |row| row.get::<_, String>(0));
    match dangling {
        Ok(table) => Ok(format!("rows of {table} refer to rows that are gone")),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(said),
        Err(error) => Err(error),
    }
}

/// Whether the application answers at all.
fn check_services(findings: &mut Findings, url: &str) -> bool {
    let answer = match http::get(&format!("{url}/readyz"), LIMIT) {
        Ok(answer) => answer,
        Err(error) => {
            let refused = error
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused);
            if refused {
                let remedy = "start it with `cargo xtask up`, or name another address with --url";
                findings.wrong(&format!("nothing listens at {url}"), remedy);
            } else {
                let remedy = "another program may have the port: stop it, or name another address with --url";
                findings.wrong(&format!("{url} does not answer as it should: {error:#}"), remedy);
            }
            return false;
        }
    };
    let told = answer.json();
    let Some(services) = told["services"].as_object() else {
        let remedy = "another program may have the port: stop it, or name another address with --url";
        findings.wrong(&format!("{url}/readyz answers {} and no services", answer.status), remedy);
        return false;
    };
    for (service, health) in services {
        if health["status"] == "ok" {
            findings.ok(&format!("service {service} and its database"));
        } else {
            let remedy = "its reason is in the log of `up`, in the line `not ready`";
            findings.wrong(&format!("service {service} is not ready"), remedy);
        }
    }
    true
}

/// The id the application gives a request is a UUIDv7, made from its own clock.
fn check_clock(findings: &mut Findings, url: &str) {
    let id = http::get(&format!("{url}/healthz"), LIMIT)
        .ok()
        .and_then(|answer| answer.header("x-request-id").map(ToOwned::to_owned));
    let theirs = id.as_deref().and_then(millis_of);
    let ours = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let Some((theirs, ours)) = theirs.zip(i64::try_from(ours).ok()) else {
        findings
            .warn("the clock cannot be seen", "a proxy in front sets X-Request-Id: give --url without it");
        return;
    };
    let apart = theirs - ours;
    if apart.abs() > CLOCK_TOLERANCE {
        findings.warn(
            &format!("the application's clock is {} s off this machine's", apart / 1000),
            "unset test_clock_offset_seconds; if it is not set, mend the time service of either machine",
        );
    } else {
        findings.ok("clock");
    }
}

/// The milliseconds in a UUIDv7.
fn millis_of(id: &str) -> Option<i64> {
    let hex: String = id.chars().filter(|c| *c != '-').collect();
    let is_v7 = hex.len() == 32 && hex.as_bytes().get(12) == Some(&b'7');
    i64::from_str_radix(hex.get(..12)?, 16).ok().filter(|_| is_v7)
}

fn check_keys(findings: &mut Findings, url: &str, noted: &Running) {
    let outside = noted.url == url && noted.has_outside_issuer;
    let answer = http::get(&format!("{url}/.well-known/jwks.json"), LIMIT);
    let keys = answer.as_ref().ok().and_then(|answer| answer.json()["keys"].as_array().map(Vec::len));
    match (keys, answer.map(|answer| answer.status)) {
        (Some(1..), _) => findings.ok("signing keys"),
        (_, Ok(404)) if outside => findings.ok("tokens of an outside issuer"),
        // Of an application somewhere else it is not known which issuer it has.
        (_, Ok(404)) if noted.url != url => findings.warn(
            "there are no signing keys at /.well-known/jwks.json",
            "right where auth_issuer names an outside issuer; else see the log of auth",
        ),
        (_, Ok(status)) => findings.wrong(
            &format!("the signing keys cannot be read ({status})"),
            "nobody can sign in: see the log of auth",
        ),
        (_, Err(error)) => findings.wrong(
            &format!("the signing keys cannot be read: {error:#}"),
            "nobody can sign in: see the log of auth",
        ),
    }
}

/// The defaults of `spin.toml` are known to everybody.
fn check_tokens(findings: &mut Findings, manifest: &Manifest, url: &str) {
    match http::post(&format!("{url}/worker/tick"), manifest.default_of("worker_token"), LIMIT) {
        Ok(answer) if answer.status == 200 => findings.wrong(
            "the worker token is the default of spin.toml, which everybody knows",
            "set SPIN_VARIABLE_WORKER_TOKEN and SPIN_VARIABLE_INTERNAL_TOKEN to long random texts",
        ),
        Ok(answer) if answer.status == 401 => findings.ok("the worker token is not the default"),
        Ok(answer) => findings.wrong(
            &format!("/worker/tick answers {}", answer.status),
            "the clock cannot tick: see the log of web",
        ),
        Err(error) => findings.wrong(
            &format!("/worker/tick does not answer: {error:#}"),
            "the clock cannot tick: see the log of web",
        ),
    }
}

/// Ticks once, and looks at what waits after it.
fn check_events(findings: &mut Findings, state: &State, url: &str) {
    let Some(token) = state.worker_token() else {
        findings.warn("events: not looked at", "set SPIN_VARIABLE_WORKER_TOKEN to the worker token");
        return;
    };
    let told = match http::post(&format!("{url}/worker/tick"), &token, LIMIT) {
        Ok(answer) if answer.status == 200 => answer.json(),
        Ok(answer) if answer.status == 401 => {
            let remedy = "set SPIN_VARIABLE_WORKER_TOKEN to the worker token of that application";
            findings.warn("events: not looked at, the worker token is another", remedy);
            return;
        }
        _ => return,
    };
    for (service, told) in told["services"].as_object().into_iter().flatten() {
        let waiting = told["waiting"].as_i64().unwrap_or(0);
        let oldest = told["oldest"].as_str().unwrap_or_default();
        if told["ok"] != true {
            findings.wrong(&format!("service {service} does not tick"), "see its lines in the log");
        } else if told["working"] == true {
            findings.warn(
                &format!("service {service} is still at its tick after 3 s"),
                "it catches up, or something it calls is slow: see its lines in the log",
            );
        } else if waiting > 0 && is_older(oldest, STUCK_AFTER) {
            findings.wrong(
                &format!("service {service}: {waiting} events wait since {oldest}"),
                "a subscriber does not take them: see the lines `events not delivered` in the log",
            );
        } else {
            findings.ok(&format!("events of {service}: {waiting} wait"));
        }
    }
}

/// Whether a time as the services write it is longer ago than `age`. SQLite reads it, since nothing
/// else here can.
fn is_older(time: &str, age: Duration) -> bool {
    let seconds = Connection::open_in_memory().and_then(|connection| {
        connection.query_row("select cast(strftime('%s', ?1) as integer)", [time], |row| row.get::<_, i64>(0))
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    seconds.is_ok_and(|then| u64::try_from(then).unwrap_or(0) + age.as_secs() < now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_in_a_request_id_is_read() {
        assert_eq!(millis_of("0199b7a0-0000-7000-8000-000000000001"), Some(0x0199_b7a0_0000));
        assert_eq!(millis_of("0199b7a0-0000-4000-8000-000000000001"), None);
        assert_eq!(millis_of("given-by-a-proxy"), None);
    }

    #[test]
    fn an_old_time_is_old() {
        assert!(is_older("2020-01-01T00:00:00.000Z", STUCK_AFTER));
        assert!(!is_older("2999-01-01T00:00:00.000Z", STUCK_AFTER));
        assert!(!is_older("", STUCK_AFTER));
    }

    #[test]
    fn a_sound_database_is_sound_and_a_torn_one_is_not() {
        let folder = std::env::temp_dir().join(format!("scooterbooter-doctor-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.db");
        let _ = std::fs::remove_file(&path);
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("create table a (b); insert into a select value from generate_series(1, 1)")
            .ok();
        connection.execute_batch("create table if not exists a (b)").unwrap();
        drop(connection);
        assert_eq!(integrity(&path).unwrap(), "ok");
        std::fs::write(&path, "no database at all, but long enough to be looked at").unwrap();
        assert!(integrity(&path).is_err());
    }
}
