//! `bench`: what the application bears, against the floor, in one run on one machine.
//!
//! The floor is a component with one statement and nothing else (tools/floor), on the same runtime with
//! the same load, measured in turn with the application, so that a slow moment of the machine
//! falls on both. Ratios are compared with the bars; requests per second are told beside them.

mod gamification;
mod media;
mod realtime;
mod scoops;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use serde_json::json;

use crate::http;
use crate::objects::Objects;
use crate::options::{BenchOptions, Runtime};
use crate::project::{Manifest, host, root};
use crate::stack::{Plan, REUSE, Stack, free_address, local_url};
use crate::state::State;
use crate::steps::{build_components, ensure_wasm_target, prepare_runtime, run, say};

/// People who are signed in and ask; so many that no cache of tokens is flattered.
const CALLERS: usize = 1_000;
/// People there are.
const PEOPLE: usize = 10_000;
/// Authors each follows.
const FOLLOWED: usize = 200;
/// Sizes of the table of posts.
const POSTS: [usize; 2] = [10_000, 1_000_000];
/// How often each measure is taken.
const ROUNDS: usize = 3;

/// Fresh instances measured.
const FRESH: usize = 9;
/// Idle for longer than this, an instance is gone.
const GONE: Duration = Duration::from_millis(1_300);
/// Above any plausible run, so that the tokens of the first stack serve to the end.
const TOKEN_MINUTES: &str = "120";

/// What the worker of the bench shows.
const WORKER_TOKEN: &str = "bench-worker-token";

/// One line of the result.
struct Line {
    name: String,
    /// What was measured, with its unit.
    value: String,
    /// What is asked for, and how it was kept.
    bar: Option<Bar>,
}

struct Bar {
    asked: String,
    reached: String,
    holds: bool,
}

impl Line {
    /// A rate, and no less than `least` of `floor` for it.
    fn rate(name: String, rate: f64, floor: Option<(&str, f64, f64)>) -> Self {
        let bar = floor.map(|(floor, floor_rate, least)| {
            let ratio = rate / floor_rate;
            let (asked, reached) = (format!(">= {least} of {floor}"), format!("{ratio:.2}"));
            Bar { asked, reached, holds: ratio >= least }
        });
        Self { name, value: format!("{rate:.0}/s"), bar }
    }

    /// A figure that no bar is set for.
    fn plain(name: String, value: String) -> Self {
        Self { name, value, bar: None }
    }

    /// A number that may be at most `most`.
    fn at_most(name: String, number: f64, most: f64, unit: &str) -> Self {
        let bar = Bar { asked: format!("<= {most} {unit}"), reached: String::new(), holds: number <= most };
        Self { name, value: format!("{number:.2} {unit}"), bar: Some(bar) }
    }
}

/// Runs everything, prints the table and writes it to `docs/benchmarks.md`. False where a bar is missed.
pub fn bench(options: &BenchOptions) -> Result<bool> {
    let manifest = Manifest::read()?;
    ensure_wasm_target()?;
    ensure_wrk()?;
    prepare_runtime(Runtime::Embedded)?;
    build_components(&manifest, &["floor"])?;
    let folder = tempfolder()?;
    let state = State::create(&folder)?;
    let floor = Floor::start(&folder)?;
    let objects = Objects::start(&state, "127.0.0.1".parse()?)?;
    let bench =
        Bench { manifest: &manifest, state: &state, store: &objects.url, memory: folder.join("memory.json") };
    let mut lines = Vec::new();
    let mut feeds = Vec::new();
    let sizes = if options.quick { &POSTS[..1] } else { &POSTS[..] };
    let callers = bench.with_stack(register)?;
    write_scripts(&folder, &callers)?;
    // Before the rest: a clock that has much to catch up on ticks for longer than a thousand streams cost.
    let streams = bench.with_process(|url, process| realtime::measure(url, process, &callers))?;
    for posts in sizes {
        say(&format!("==> making {posts} posts"));
        seed(&state, *posts)?;
        let work = |url: &str| measure(&folder, &floor.url, url, *posts, &state);
        let (feed, measured) = bench.with_stack(work)?;
        feeds.push(feed);
        lines.extend(measured);
    }
    let rounds = if options.quick { 1 } else { ROUNDS };
    scoops::seed(&state)?;
    lines.extend(bench.with_stack(|url| scoops::measure(&folder, &floor.url, url, &state, &callers))?);
    gamification::seed(&state)?;
    lines.extend(bench.with_stack(|url| {
        let mut counted = gamification::measure_board(&folder, &floor.url, url, &state, &callers)?;
        counted.extend(gamification::measure_events(url, &state, rounds)?);
        Ok(counted)
    })?);
    drop(floor);
    let memories = sizes_of_memories(&bench.memory)?;
    if let [small, large] = feeds[..] {
        let name = "GET /feed, 10,000 posts over 1,000,000".to_owned();
        lines.push(Line::at_most(name, small / large, 1.3, "times"));
    }
    say("==> fresh instances");
    lines.extend(bench.with_stack(|url| fresh(url, &folder))?);
    lines.extend(bench.with_stack(|url| media::measure(&folder, url, rounds))?);
    lines.extend(streams);
    objects.stop();
    lines.extend(sizes_of_components(&manifest)?);
    lines.extend(memories);
    let table = table(&lines);
    std::fs::remove_dir_all(&folder).context("removing the state of the bench")?;
    println!("{table}");
    write_document(&table)?;
    Ok(!table.contains("missed"))
}

fn ensure_wrk() -> Result<()> {
    if Command::new("wrk").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok() {
        return Ok(());
    }
    run("installing wrk", Command::new("apt-get").args(["install", "-y", "-qq", "wrk"]))
        .context("the load generator `wrk` is missing: install the package wrk")
}

fn tempfolder() -> Result<std::path::PathBuf> {
    let folder = std::env::temp_dir().join(format!("scooterbooter-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The floor components, on a port of their own.
struct Floor {
    process: std::process::Child,
    url: String,
}

impl Floor {
    fn start(folder: &Path) -> Result<Self> {
        let listen = free_address("127.0.0.1:0".parse()?)?;
        let config = folder.join("floor.toml");
        let database = folder.join("floor.db").display().to_string();
        std::fs::write(&config, format!("[sqlite_database.floor]\ntype = \"spin\"\npath = {database:?}\n"))?;
        let process = Command::new(host())
            .arg("--from")
            .arg(root().join("tools/floor/spin.toml"))
            .arg("--runtime-config-file")
            .arg(&config)
            .args(["--max-instance-reuse-count", REUSE, "--listen", &listen.to_string(), "--state-dir"])
            .arg(folder.join("floor"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let floor = Self { process, url: local_url(listen) };
        let deadline = Instant::now() + Duration::from_secs(60);
        while http::get(&format!("{}/setup", floor.url), Duration::from_secs(20)).is_err() {
            if Instant::now() > deadline {
                bail!("the floor does not answer");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(floor)
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the application of a bench runs on.
struct Bench<'a> {
    manifest: &'a Manifest,
    state: &'a State,
    /// Where the object store answers.
    store: &'a str,
    /// Where the host leaves how much memory instances took.
    memory: std::path::PathBuf,
}

impl Bench<'_> {
    /// Runs the application for as long as `work` takes.
    fn with_stack<T>(&self, work: impl FnOnce(&str) -> Result<T>) -> Result<T> {
        self.with_process(|url, _| work(url))
    }

    /// [`Bench::with_stack`] with the number of its process.
    fn with_process<T>(&self, work: impl FnOnce(&str, u32) -> Result<T>) -> Result<T> {
        let listen = free_address("127.0.0.1:0".parse()?)?;
        let url = local_url(listen);
        let config = self.state.write_runtime_config(self.manifest)?;
        // The same origin at every start, since the tokens of the first serve to the end.
        let fixed = [
            ("rate_limits", "off"),
            ("public_url", "http://bench.invalid"),
            ("access_token_minutes", TOKEN_MINUTES),
            ("worker_token", WORKER_TOKEN),
            ("s3_endpoint", self.store),
        ];
        let mut variables = self.state.secrets()?;
        variables.retain(|(name, _)| name != "worker_token");
        variables.extend(fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let plan = Plan {
            runtime: Runtime::Embedded,
            listen,
            state: self.state.folder(),
            config: &config,
            variables: &variables,
            memory_file: Some(&self.memory),
        };
        let mut stack = Stack::start(&plan)?;
        let done = match stack.wait_until_ready(&url) {
            Ok(true) => ticking(&url, || work(&url, stack.process())),
            Ok(false) => Err(anyhow::anyhow!("stopped")),
            Err(error) => Err(error),
        };
        stack.stop();
        done
    }
}

/// Runs `work` while the clock ticks, as it does under `up`.
fn ticking<T>(url: &str, work: impl FnOnce() -> T) -> T {
    let (done, over) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while over.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                // One that fails is followed by another.
                let _ = http::post(&format!("{url}/worker/tick"), WORKER_TOKEN, Duration::from_secs(60));
            }
        });
        let worked = work();
        drop(done);
        worked
    })
}

/// Registers the callers; their access tokens.
fn register(url: &str) -> Result<Vec<String>> {
    say(&format!("==> registering {CALLERS} people"));
    let one = |number: usize| -> Result<String> {
        let body = json!({ "email": format!("p{number}@example.com"), "password": "correct horse battery",
                           "handle": format!("person_{number}") });
        let answer = http::post_json(&format!("{url}/auth/register"), &body, Duration::from_secs(30))?;
        let token = answer.json()["accessToken"].as_str().map(ToOwned::to_owned);
        token.with_context(|| format!("registering answered {}", answer.status))
    };
    std::thread::scope(|scope| {
        let half = CALLERS / 2;
        let other = scope.spawn(move || (half..CALLERS).map(one).collect::<Result<Vec<_>>>());
        let mut tokens = (0..half).map(one).collect::<Result<Vec<_>>>()?;
        tokens.extend(other.join().map_err(|_| anyhow::anyhow!("a thread ended"))??);
        Ok(tokens)
    })
}

/// A script of wrk for each request: each call of it takes the next token.
fn write_scripts(folder: &Path, tokens: &[String]) -> Result<()> {
    let body = json!({ "text": "a text of the length of a short post" }).to_string();
    let upload = json!({ "contentType": "image/jpeg", "size": 123_456 }).to_string();
    for (name, method, path, body) in [
        ("hello", "GET", "/hello", ""),
        ("read", "GET", "/read", ""),
        ("insert", "POST", "/insert", ""),
        ("me", "GET", "/me", ""),
        ("feed", "GET", "/feed", ""),
        ("post", "POST", "/posts", body.as_str()),
        ("upload", "POST", "/upload-url", upload.as_str()),
    ] {
        std::fs::write(folder.join(format!("{name}.lua")), script(tokens, method, path, body))?;
    }
    Ok(())
}

fn script(tokens: &[String], method: &str, path: &str, body: &str) -> String {
    let list: Vec<String> = tokens.iter().map(|token| format!("{token:?}")).collect();
    format!(
        "local tokens = {{{}}}\nlocal n = 0\nrequest = function()\n  n = n % #tokens + 1\n  local headers = {{ \
         [\"Authorization\"] = \"Bearer \" .. tokens[n], [\"Content-Type\"] = \"application/json\" }}\n  return \
         wrk.format({method:?}, {path:?}, headers, {body:?})\nend\n",
        list.join(",")
    )
}

/// Brings the databases of `posts` and `users` to their size, without their triggers, whose work is
/// done by statement at the end.
fn seed(state: &State, posts: usize) -> Result<()> {
    let people = format!(
        "with recursive n(i) as (select (select count(*) from people) + 1 union all select i + 1 from n where i < {PEOPLE})
         insert into people (id, handle, status, created_at, rev)
         select printf('0199b7a0-0000-7000-8000-%012x', i), 'made_' || i, 'active', '2026-01-01T00:00:00.000Z', 1
         from n where i <= {PEOPLE}"
    );
    let users = bulk(state, "users")?;
    users.execute_batch(&people)?;
    let database = bulk(state, "posts")?;
    let follows = format!(
        "with recursive k(j) as (select 1 union all select j + 1 from k where j < {FOLLOWED})
         insert into follows (follower, followee, created_at)
         select p.pk, (p.pk + j * 47 - 1) % {PEOPLE} + 1, '2026-01-01T00:00:00.000Z' from people as p, k where true
         on conflict do nothing"
    );
    let made = format!(
        "with recursive n(i) as (select (select count(*) from posts) + 1 union all select i + 1 from n where i < {posts})
         insert into posts (id, author, text, visibility, status, created_at)
         select printf('0199b7a1-0000-7000-8000-%012x', i), i * 7919 % {PEOPLE} + 1,
             'post ' || i || ', a text of the length of a short post, as people write them', 'public', 'published',
             '2026-01-02T00:00:00.000Z'
         from n where i <= {posts}"
    );
    let counted = "insert into author_latest (author, post) select author, max(pk) from posts where true group by author
            on conflict (author) do update set post = excluded.post;
        update people set
            followers = (select count(*) from follows where followee = people.pk),
            following = (select count(*) from follows where follower = people.pk),
            posts = (select count(*) from posts where author = people.pk);";
    for sql in [people.as_str(), &follows, &made, counted] {
        database.execute_batch(&format!("begin; {sql}; commit;"))?;
    }
    // Naming a column fires the triggers that keep JSON beside a row.
    let rendered = "update posts set visibility = visibility where opening is null;
        update people set private = private where card is null";
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
    database.execute_batch(&format!("begin; {rendered}; commit;"))?;
    database.execute_batch("pragma wal_checkpoint(truncate)")?;
    Ok(())
}

fn bulk(state: &State, service: &str) -> Result<Connection> {
    let connection = Connection::open(state.database(service))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    Ok(connection)
}

/// The rate of the feed, and a line of each measure.
fn measure(folder: &Path, floor: &str, url: &str, posts: usize, state: &State) -> Result<(f64, Vec<Line>)> {
    // Reads first: tens of thousands of posts by the readers themselves are another data set than was made.
    let reads = ["hello", "read", "me", "feed"];
    let [hello, read, me, feed] = rounds(folder, floor, url, &format!("{posts} posts, reads"), reads, state)?;
    let native = fan_out_on_read(state)?;
    let writes = ["insert", "post", "upload"];
    let [insert, post, upload] =
        rounds(folder, floor, url, &format!("{posts} posts, writes"), writes, state)?;
    let sized = |name: &str| format!("{name}, {posts} posts");
    let mut lines = vec![
        Line::rate(sized("hello (floor)"), hello, None),
        Line::rate(sized("one read (floor)"), read, None),
        Line::rate(sized("one insert (floor)"), insert, None),
        Line::rate(sized("GET /me"), me, Some(("one read", read, 0.7))),
        Line::rate(sized("GET /feed"), feed, Some(("one read", read, 0.5))),
        Line::rate(sized("POST /posts"), post, Some(("one insert", insert, 0.4))),
        Line::plain(
            sized("POST /upload-url"),
            format!("{upload:.0}/s, {:.2} of one insert", upload / insert),
        ),
    ];
    let native_floor = ("fan-out on read, natively", native, 1.0);
    lines.push(Line::rate(sized("fan-out on read, natively"), native, None));
    if posts == POSTS[1] {
        lines.push(Line::rate(sized("GET /feed"), feed, Some(native_floor)));
    }
    Ok((feed, lines))
}

/// Pages of the feed a second by fan-out on read, as a native server would read them: the ids of the newest posts
/// of everybody followed from a covering index, then the posts. Threads as many as there are cores, nothing but
/// the statement: no HTTP, no tokens, so more than such a server can reach.
fn fan_out_on_read(state: &State) -> Result<f64> {
    const PAGE: &str =
        "select json_group_array(json_object('id', p.id, 'text', p.text, 'createdAt', p.created_at,
            'author', json_object('id', a.id, 'handle', a.handle), 'comments', p.comments, 'views', p.views))
        from (select q.pk from posts as q
            where q.author in (select followee from follows where follower = ?1) and q.status = 'published'
            order by q.pk desc limit 20) as page
        cross join posts as p cross join people as a where p.pk = page.pk and a.pk = p.author";
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let path = state.database("posts");
    let pages = |first: usize| -> Result<usize> {
        let connection = Connection::open(&path)?;
        let mut statement = connection.prepare(PAGE)?;
        let (start, mut pages) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_secs(3) {
            let reader = i64::try_from((first + pages * cores) % CALLERS + 1)?;
            let _: String = statement.query_row([reader], |row| row.get(0))?;
            pages += 1;
        }
        Ok(pages)
    };
    let counts = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|first| scope.spawn(move || pages(first))).collect();
        let ended =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread ended")));
        ended.collect::<Result<Vec<_>>>()
    })?;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand pages")]
    Ok(counts.iter().sum::<usize>() as f64 / 3.0)
}

/// The first answer of a fresh instance: all instances are idle for so long that none is left, then one request.
fn fresh(url: &str, folder: &Path) -> Result<Vec<Line>> {
    let script = std::fs::read_to_string(folder.join("me.lua"))?;
    let token = script.split('"').nth(1).context("the script has no token")?;
    let mut lines = Vec::new();
    for path in ["/me", "/feed"] {
        let mut times = Vec::new();
        for _ in 0..FRESH {
            std::thread::sleep(GONE);
            let start = Instant::now();
            let answer = http::get_as(&format!("{url}{path}"), token, Duration::from_secs(5))?;
            times.push(start.elapsed().as_secs_f64() * 1_000.0);
            if answer.status != 200 {
                bail!("{path} answered {}", answer.status);
            }
        }
        lines.push(Line::at_most(format!("first GET {path} of a fresh instance"), median(times), 10.0, "ms"));
    }
    Ok(lines)
}

fn sizes_of_components(manifest: &Manifest) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (name, source) in manifest.built() {
        let bytes =
            std::fs::metadata(&source).with_context(|| format!("{} is missing", source.display()))?.len();
        lines.push(Line::at_most(format!("component {name}"), megabytes(bytes), 3.0, "MB"));
    }
    Ok(lines)
}

/// The largest memory an instance had, as the host left it in `file`.
fn sizes_of_memories(file: &Path) -> Result<Vec<Line>> {
    let text = std::fs::read_to_string(file).context("the host left no sizes of memories")?;
    let sizes: std::collections::BTreeMap<String, u64> = serde_json::from_str(&text)?;
    let line = |(name, bytes): (&String, &u64)| {
        Line::at_most(format!("memory of an instance of {name}"), megabytes(*bytes), 16.0, "MB")
    };
    Ok(sizes.iter().filter(|(_, bytes)| **bytes > 0).map(line).collect())
}

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The rates of `names`, the median of some rounds, in each of which all take their turn.
fn rounds<const N: usize>(
    folder: &Path,
    floor: &str,
    url: &str,
    what: &str,
    names: [&str; N],
    state: &State,
) -> Result<[f64; N]> {
    let mut rates = [const { Vec::new() }; N];
    for round in 1..=ROUNDS {
        say(&format!("==> {what}, round {round} of {ROUNDS}"));
        for (rates, name) in rates.iter_mut().zip(names) {
            let at = if matches!(name, "hello" | "read" | "insert") { floor } else { url };
            if name == "upload" {
                media::close_uploads(state)?;
            }
            rates.push(load(folder, at, name)?);
        }
    }
    Ok(rates.map(median))
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(0.0)
}

/// Requests a second by wrk, 16 connections for 5 s. An error of any answer is an error of the bench.
fn load(folder: &Path, url: &str, name: &str) -> Result<f64> {
    let script = folder.join(format!("{name}.lua"));
    // The quota of all callers together is used up in little more than that.
    let time = if name == "upload" { "-d2s" } else { "-d5s" };
    let output = Command::new("wrk").args(["-t1", "-c16", time, "-s"]).arg(script).arg(url).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    if let Some(errors) = said.lines().find(|line| line.contains("Non-2xx") || line.contains("Socket errors"))
    {
        bail!("{name}: {}", errors.trim());
    }
    let rate = said.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    rate.and_then(|rate| rate.trim().parse().ok()).with_context(|| format!("wrk said: {said}"))
}

fn table(lines: &[Line]) -> String {
    let mut table = String::from("| measure | measured | bar | |\n|---|---|---|---|\n");
    for Line { name, value, bar } in lines {
        let (asked, verdict) = match bar {
            None => (String::new(), String::new()),
            Some(Bar { asked, reached, holds }) => {
                let holds = if *holds { "holds" } else { "**missed**" };
                let reached = if reached.is_empty() { String::new() } else { format!("{reached}, ") };
                (asked.clone(), format!("{reached}{holds}"))
            }
        };
        table.push_str(&format!("| {name} | {value} | {asked} | {verdict} |\n"));
    }
    table
}

/// Puts the table where `docs/benchmarks.md` has the last one; what people wrote around it stays.
fn write_document(table: &str) -> Result<()> {
    const MARKS: (&str, &str) = ("<!-- measured -->\n", "<!-- /measured -->");
    let path = root().join("docs/benchmarks.md");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (before, rest) = text.split_once(MARKS.0).context("docs/benchmarks.md lost its first mark")?;
    let (_, after) = rest.split_once(MARKS.1).context("docs/benchmarks.md lost its second mark")?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let date = Command::new("date").arg("+%Y-%m-%d").output()?.stdout;
    let date = String::from_utf8_lossy(&date).trim().to_owned();
    let head = format!(
        "{date}, {}, {cores} cores shared with the load generator. wrk, 16 connections, 5 s, median of {ROUNDS}.\n\n",
        processor()
    );
    std::fs::write(&path, format!("{before}{}{head}{table}{}{after}", MARKS.0, MARKS.1))?;
    say(&format!(
        "written to docs/benchmarks.md; {} callers, {PEOPLE} people, {FOLLOWED} followed each",
        CALLERS
    ));
    Ok(())
}

fn processor() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| "unknown processor".to_owned(), |(_, name)| name.trim().to_owned())
}
