//! The runtime is killed; what it acknowledged is there.

use journeys::{Person, Stack, eventually};
use serde_json::json;

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it_and_counted_once() {
    let stack = Stack::start(&[]).unwrap_or_else(|error| panic!("{error:#}"));
    let (alice, bob) = (stack.person("alice"), stack.person("bob"));
    bob.follow(&alice);
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    scope.spawn({
                        let alice = &alice;
                        move || write_until_refused(alice, round * 10 + writer)
                    })
                })
                .collect();
            std::thread::sleep(std::time::Duration::from_millis(400));
            stack.kill();
            for writer in writers {
                acknowledged.extend(writer.join().unwrap_or_default());
            }
        });
        stack.launch().unwrap_or_else(|error| panic!("{error:#}"));
    }
    assert!(acknowledged.len() > 20, "only {} writes", acknowledged.len());
    let feed = bob.all("/feed", 100);
    for id in &acknowledged {
        assert_eq!(feed.iter().filter(|seen| *seen == id).count(), 1, "{id}");
    }
    // A write that was made but not acknowledged counts as well.
    let made: i64 = stack.query("posts", "select count(*) from posts").unwrap();
    assert_eq!(made, i64::try_from(feed.len()).unwrap());
    eventually("every event was applied once", || alice.get("/me").body["counts"]["posts"] == made);
    for service in ["auth", "users", "posts", "social"] {
        let check: String = stack.query(service, "pragma integrity_check").unwrap();
        assert_eq!(check, "ok", "{service}");
    }
}

fn write_until_refused(alice: &Person, writer: u32) -> Vec<String> {
    let json = [("content-type", "application/json")];
    let mut ids = Vec::new();
    for number in 0..10_000 {
        let body = json!({ "text": format!("post {writer}.{number}") }).to_string().into_bytes();
        match alice.try_send("POST", "/posts", &json, body) {
            Ok(answer) if answer.status == 201 => {
                ids.extend(answer.body["id"].as_str().map(ToOwned::to_owned))
            }
            _ => break,
        }
    }
    ids
}

#[test]
fn a_retry_with_its_key_after_a_kill_makes_nothing_twice() {
    let stack = Stack::start(&[]).unwrap_or_else(|error| panic!("{error:#}"));
    let alice = stack.person("alice");
    let json = |key: String| [("content-type", "application/json".to_owned()), ("idempotency-key", key)];
    let send = |number: u32| {
        let headers = json(format!("key-{number}"));
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = json!({ "text": format!("post {number}") }).to_string().into_bytes();
        alice.try_send("POST", "/posts", &headers, body).ok().filter(|answer| answer.status == 201)
    };
    let stopped_at = std::thread::scope(|scope| {
        let writer = scope.spawn(|| (0..10_000).find(|number| send(*number).is_none()).unwrap_or(10_000));
        std::thread::sleep(std::time::Duration::from_millis(500));
        stack.kill();
        writer.join().unwrap_or_default()
    });
    stack.launch().unwrap_or_else(|error| panic!("{error:#}"));
    // The claim of a request that died is in the way for 5 s at most.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while send(stopped_at).is_none() {
        assert!(std::time::Instant::now() < deadline, "the retry is refused for ever");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let made: u32 = stack.query("posts", "select count(*) from posts").unwrap();
    assert_eq!(made, stopped_at + 1);
}
