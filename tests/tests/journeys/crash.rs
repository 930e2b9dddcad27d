//! The runtime is killed; what it acknowledged is there, and nothing is there twice.
//!
//! `SCOOTERBOOTER_CRASH_MINUTES` (`cargo xtask test crash --crash-minutes 30`) makes the rounds of random kills go on
//! for so long, `SCOOTERBOOTER_CRASH_SEED` repeats those of an earlier run.

#![allow(clippy::unwrap_used, reason = "a test that cannot look into its state should stop")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use journeys::audit::{SERVICES, audit};
use journeys::{Person, Stack};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{setting, stack};

fn start() -> Stack {
    Stack::start(&[]).unwrap_or_else(|error| panic!("{error:#}"))
}

fn launch(stack: &Stack) {
    stack.launch().unwrap_or_else(|error| panic!("{error:#}"));
}

/// Waits until `holds`; the runtime answers slowly while somebody holds a lock.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 10 s: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[track_caller]
fn assert_sound(stack: &Stack, when: &str) {
    let faults = audit(stack);
    assert!(faults.is_empty(), "{when}: {faults:#?}");
}

/// What was acknowledged in a round.
#[derive(Default)]
struct Acknowledged {
    posts: Vec<String>,
    comments: Vec<String>,
    deleted: Vec<String>,
    /// Texts whose request had a key; the last may have died.
    keyed: Vec<String>,
    name: Option<u32>,
}

/// The people of a run and what they write.
struct Town {
    alice: Person,
    bob: Person,
    carla: Person,
    /// A post everybody comments on and reacts to.
    post: String,
    texts: AtomicU32,
}

impl Town {
    fn new(stack: &Stack) -> Self {
        let (alice, bob, carla) = (stack.person("alice"), stack.person("bob"), stack.person("carla"));
        bob.follow(&alice);
        let post = carla.publish("talk about this");
        Self { alice, bob, carla, post, texts: AtomicU32::new(0) }
    }

    fn text(&self) -> String {
        format!("text {}", self.texts.fetch_add(1, Ordering::Relaxed))
    }

    /// One kind of write after the other until the runtime is gone.
    fn write(&self, kind: usize) -> Acknowledged {
        let mut done = Acknowledged::default();
        loop {
            let goes_on = match kind {
                0 => self.publish(&mut done, ""),
                1 => self.publish(&mut done, "key "),
                2 => self.comment(&mut done),
                3 => self.react_and_follow(),
                4 => self.publish_and_delete(&mut done),
                _ => self.rename(&mut done),
            };
            if !goes_on {
                return done;
            }
        }
    }

    fn publish(&self, done: &mut Acknowledged, key: &str) -> bool {
        let text = self.text();
        let key = if key.is_empty() { String::new() } else { format!("{key}{text}") };
        if !key.is_empty() {
            done.keyed.push(text.clone());
        }
        let made = send(&self.alice, "POST", "/posts", &key, json!({ "text": text }));
        made.map(|post| done.posts.push(id(&post))).is_some()
    }

    fn comment(&self, done: &mut Acknowledged) -> bool {
        let path = format!("/comments/{}", self.post);
        let made = send(&self.bob, "POST", &path, "", json!({ "text": self.text() }));
        made.map(|comment| done.comments.push(id(&comment))).is_some()
    }

    fn react_and_follow(&self) -> bool {
        let whom = json!({ "userId": self.carla.id });
        let reaction = json!({ "type": "like" });
        send(&self.alice, "POST", &format!("/reactions/{}", self.post), "", reaction).is_some()
            && send(&self.alice, "POST", "/follow", "", whom.clone()).is_some()
            && send(&self.alice, "POST", "/unfollow", "", whom).is_some()
    }

    fn publish_and_delete(&self, done: &mut Acknowledged) -> bool {
        let Some(post) = send(&self.bob, "POST", "/posts", "", json!({ "text": self.text() })) else {
            return false;
        };
        let gone = send(&self.bob, "DELETE", &format!("/posts/{}", id(&post)), "", Value::Null);
        gone.map(|_| done.deleted.push(id(&post))).is_some()
    }

    fn rename(&self, done: &mut Acknowledged) -> bool {
        let next = self.texts.fetch_add(1, Ordering::Relaxed);
        let renamed = send(&self.carla, "PATCH", "/me", "", json!({ "displayName": next.to_string() }));
        renamed.map(|_| done.name = Some(next)).is_some()
    }

    /// Everything acknowledged is there; what was sent under a key and died is sent again.
    fn check(&self, stack: &Stack, done: &Acknowledged) {
        for post in &done.posts {
            assert_eq!(self.alice.get(&format!("/posts/{post}")).status, 200, "{post}");
        }
        for post in &done.deleted {
            assert_eq!(self.bob.get(&format!("/posts/{post}")).status, 404, "{post}");
        }
        let comments = self.carla.all(&format!("/comments/{}", self.post), 100);
        assert!(done.comments.iter().all(|comment| comments.contains(comment)));
        if let Some(name) = done.name {
            let now = self.carla.get("/me").body["displayName"].as_str().and_then(|name| name.parse().ok());
            assert!(now.is_some_and(|now: u32| now >= name), "{now:?} after {name}");
        }
        for text in done.keyed.iter().rev().take(3) {
            let again =
                || send(&self.alice, "POST", "/posts", &format!("key {text}"), json!({ "text": text }));
            // The claim of a request that died is in the way for 5 s at most.
            until("the retry is answered", || again().is_some());
            let made: i64 =
                stack.query("posts", &format!("select count(*) from posts where text = '{text}'")).unwrap();
            assert_eq!(made, 1, "{text}");
        }
    }
}

/// The body of a good answer; nothing where the runtime is gone or refuses.
fn send(who: &Person, method: &str, path: &str, key: &str, body: Value) -> Option<Value> {
    let mut headers = vec![("content-type", "application/json")];
    if !key.is_empty() {
        headers.push(("idempotency-key", key));
    }
    let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let answer = who.try_send(method, path, &headers, bytes).ok()?;
    (200..300).contains(&answer.status).then_some(answer.body)
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it_and_counted_once() {
    let seed = setting("SCOOTERBOOTER_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let end = Instant::now() + Duration::from_secs(60 * setting("SCOOTERBOOTER_CRASH_MINUTES").unwrap_or(0));
    println!("SCOOTERBOOTER_CRASH_SEED={seed}");
    let stack = start();
    let town = Town::new(&stack);
    let mut state = seed;
    let (mut rounds, mut acknowledged) = (0, 0);
    while rounds < 3 || Instant::now() < end {
        // Knuth's generator: any will do that can be run again.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let life = Duration::from_millis(100 + (state >> 33) % 700);
        let done: Vec<Acknowledged> = std::thread::scope(|scope| {
            let town = &town;
            let writers: Vec<_> = (0..6).map(|kind| scope.spawn(move || town.write(kind))).collect();
            std::thread::sleep(life);
            stack.kill();
            writers.into_iter().map(|writer| writer.join().unwrap_or_default()).collect()
        });
        launch(&stack);
        for done in &done {
            acknowledged += done.posts.len() + done.comments.len() + done.deleted.len();
            town.check(&stack, done);
        }
        assert_sound(&stack, &format!("round {rounds}, seed {seed}"));
        rounds += 1;
    }
    assert!(acknowledged > 30, "only {acknowledged} writes");
}

/// The write lock of a service's database, as a slow transaction of somebody else's would hold it.
fn hold(stack: &Stack, service: &str) -> Connection {
    let connection = Connection::open(stack.database(service)).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection.execute_batch("begin immediate").unwrap();
    connection
}

/// How far `subscriber` has applied what `source` told.
fn applied(stack: &Stack, source: &str, subscriber: &str) -> i64 {
    let sql = format!("select coalesce(max(seq), 0) from inbox_cursors where source = '{source}'");
    stack.query(subscriber, &sql).unwrap()
}

/// How far `source` has noted that `subscriber` applied.
fn marked(stack: &Stack, source: &str, subscriber: &str) -> i64 {
    let sql = format!("select coalesce(max(seq), 0) from outbox_cursors where subscriber = '{subscriber}'");
    stack.query(source, &sql).unwrap()
}

/// Kills the runtime after `slow` has applied what `write` makes `source` tell, and before `source` has noted it.
/// `other` hears of it too, which shows that the relay is on its way.
fn kill_between_relay_and_mark(
    stack: &Stack,
    source: &str,
    slow: &str,
    other: &str,
    write: impl Fn() + Sync,
) {
    assert_sound(stack, "before");
    let (before, other_before) = (applied(stack, source, slow), applied(stack, source, other));
    let subscriber = hold(stack, slow);
    std::thread::scope(|scope| {
        // Its answer may die with the runtime.
        scope.spawn(&write);
        until("the relay is on its way", || applied(stack, source, other) > other_before);
        let teller = hold(stack, source);
        drop(subscriber);
        until("it is applied", || applied(stack, source, slow) > before);
        stack.kill();
        assert_eq!(marked(stack, source, slow), before, "applied and not marked");
        drop(teller);
    });
    launch(stack);
    assert_sound(stack, &format!("from {source} to {slow}"));
}

#[test]
fn a_kill_between_relay_and_mark_applies_nothing_twice() {
    let stack = start();
    let (alice, bob) = (stack.person("alice"), stack.person("bob"));
    let follow = json!({ "userId": alice.id });
    kill_between_relay_and_mark(&stack, "social", "posts", "users", || {
        send(&bob, "POST", "/follow", "", follow.clone());
    });
    assert_eq!(alice.get("/me").body["counts"]["followers"], 1);
    assert_eq!(stack.query::<i64>("posts", "select count(*) from follows").unwrap(), 1);
    kill_between_relay_and_mark(&stack, "posts", "users", "social", || {
        send(&alice, "POST", "/posts", "", json!({ "text": "once" }));
    });
    assert_eq!(alice.get("/me").body["counts"]["posts"], 1);
}

/// What a service's database consists of.
fn schema(stack: &Stack, service: &str) -> String {
    let sql = "select group_concat(row, char(10)) from (
        select concat(type, ' ', name, ' ', sql) as row from sqlite_master where name not like 'sqlite_stat%' order by row)";
    stack.query(service, sql).unwrap()
}

#[test]
fn a_kill_while_the_schema_is_made_leaves_one_that_is_finished_at_the_next_start() {
    let steps = |stack: &Stack| stack.query::<i64>("posts", "select count(*) from schema_steps").unwrap_or(0);
    let whole = steps(stack());
    for after in [1, whole / 2, whole - 5] {
        let unfinished = Stack::prepare(&[]).unwrap_or_else(|error| panic!("{error:#}"));
        // A step waits for the lock, so the kill falls between two.
        unfinished.spawn().unwrap_or_else(|error| panic!("{error:#}"));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let nobody = unfinished.anonymous();
                // The first request makes the schema; it dies with the runtime.
                until("somebody listens", || nobody.try_send("GET", "/healthz", &[], Vec::new()).is_ok());
                let _ = nobody.try_send("GET", "/feed", &[], Vec::new());
            });
            until("so many steps are done", || steps(&unfinished) >= after);
            let held = hold(&unfinished, "posts");
            unfinished.kill();
            drop(held);
        });
        let done = steps(&unfinished);
        assert!((after..=whole).contains(&done), "{done} of {whole}");
        launch(&unfinished);
        for service in SERVICES {
            assert_eq!(
                schema(&unfinished, service),
                schema(stack(), service),
                "{service} after {done} steps"
            );
        }
        assert_eq!(steps(&unfinished), whole);
        unfinished.person("alice").publish("all is there");
        assert_sound(&unfinished, &format!("after {done} steps"));
    }
}
