//! Workers that die, and an object store that refuses, crawls and breaks off: everything arrives in the end, once.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect should stop")]

use std::time::Duration;

use journeys::client::{fetch, upload};
use journeys::faults::Fault;
use journeys::stack::eventually_within;
use journeys::{Stack, fixtures};
use serde_json::json;

use crate::media::{WORK, ended, upload_as};

/// Lets every lease end now, as it would after a minute without a sign of life.
fn end_leases(stack: &Stack) {
    let database = rusqlite::Connection::open(stack.database("media")).unwrap();
    database.busy_timeout(Duration::from_secs(10)).unwrap();
    database.execute("update jobs set due_at = 0 where state = 'leased'", []).unwrap();
}

#[test]
fn a_worker_killed_in_the_middle_is_followed_by_another_and_one_that_is_stopped_hands_back() {
    let stack = Stack::start(&[]).unwrap();
    let alice = stack.person("alice");
    let video = fixtures::video(45).unwrap();
    let key = upload_as(&alice, "video/mp4", &video);
    alice.post("/process-video", json!({ "key": key })).expect(202);
    let first = stack.start_transcoder(&["--kinds", "video", "--jobs", "1"]).unwrap();
    let status = || alice.get(&format!("/media/{key}")).body["status"].clone();
    eventually_within(WORK, "it is processed", || status() == "processing");
    first.kill();
    end_leases(&stack);
    // Two at once: one of them gets it.
    let second = stack.start_transcoder(&["--kinds", "video", "--jobs", "1"]).unwrap();
    let third = stack.start_transcoder(&["--kinds", "video", "--jobs", "1"]).unwrap();
    let attempt = "select attempt from jobs";
    eventually_within(WORK, "another has it", || stack.query::<i64>("media", attempt).unwrap() == 2);
    // Whoever it is hands it back when asked to stop, without a count.
    for worker in [&second, &third] {
        worker.terminate().unwrap();
    }
    eventually_within(WORK, "it waits", || status() == "queued");
    assert_eq!(stack.query::<i64>("media", attempt).unwrap(), 1);
    let _fourth = stack.start_transcoder(&["--kinds", "video"]).unwrap();
    let media = ended(&alice, &key);
    assert_eq!(media["status"], "ready", "{media}");
    assert_eq!(fixtures::play(media["url"].as_str().unwrap()).unwrap(), (320, 240));
    assert_eq!(stack.query::<i64>("media", "select count(*) from jobs").unwrap(), 1);
    eventually_within(WORK, "told once", || {
        stack.query::<i64>("media", "select count(*) from outbox where type = 'media.ready'").unwrap() == 1
    });
    // What the others left goes with the completion.
    let prefixes: std::collections::BTreeSet<String> = stack
        .objects
        .keys()
        .unwrap()
        .iter()
        .filter_map(|object| object.rsplit_once('/').map(|(prefix, _)| prefix.to_owned()))
        .collect();
    assert_eq!(prefixes.len(), 2, "the original and one attempt: {prefixes:?}");
}

#[test]
fn a_store_that_refuses_crawls_or_breaks_off_only_delays() {
    let stack = Stack::start_behind_faults(&[]).unwrap();
    let worker = stack.start_transcoder(&[]).unwrap();
    let alice = stack.person("alice");
    let photo = fixtures::photo_with_place().unwrap();
    let faults = stack.faults();
    faults.set(Fault::Refuse);
    let admitted =
        alice.post("/upload-url", json!({ "contentType": "image/jpeg", "size": photo.len() })).expect(201);
    // People reach the store by another way.
    upload(&admitted.body, &photo).unwrap().expect(200);
    let key = admitted.body["key"].as_str().unwrap();
    assert_eq!(alice.get(&format!("/media/{key}")).expect(200).body["status"], "pending");
    let post = json!({ "text": "a", "media": [{ "key": key }] });
    alice.post("/posts", post.clone()).expect_problem(503, "unavailable");
    let parts = json!({ "contentType": "video/mp4", "size": 9 });
    alice.post("/upload-url/multipart", parts).expect_problem(503, "unavailable");
    assert!(alice.get("/feed").expect(200).items().is_empty(), "nothing was half done");
    faults.set(Fault::CutAfter(60_000));
    assert_eq!(
        alice.get(&format!("/media/{key}")).expect(200).body["status"],
        "queued",
        "a few bytes come through"
    );
    let made = alice.post("/posts", post).expect(201).body;
    assert_eq!(made["status"], "pending_media", "the worker cannot read the photo");
    faults.set(Fault::Slow(Duration::from_millis(5)));
    let end_waits = || {
        let database = rusqlite::Connection::open(stack.database("media")).unwrap();
        database.busy_timeout(Duration::from_secs(10)).unwrap();
        database.execute("update jobs set due_at = 0 where state = 'waiting'", []).unwrap();
    };
    eventually_within(WORK, "the post is out", || {
        end_waits();
        alice.get(&format!("/posts/{}", made["id"].as_str().unwrap())).body["status"] == "published"
    });
    assert!(worker.is_running(), "{}", worker.log());
    // What is deleted while the store is away goes when it is back.
    faults.set(Fault::Refuse);
    alice.delete(&format!("/media/{key}")).expect(204);
    assert!(!stack.objects.keys().unwrap().is_empty());
    faults.set(Fault::Pass);
    eventually_within(WORK, "its objects are gone", || stack.objects.keys().unwrap().is_empty());
}

#[test]
fn a_killed_runtime_loses_no_upload_and_no_job() {
    let stack = Stack::start(&[]).unwrap();
    let alice = stack.person("alice");
    let photo = fixtures::photo_with_place().unwrap();
    let admitted =
        alice.post("/upload-url", json!({ "contentType": "image/jpeg", "size": photo.len() })).expect(201);
    stack.kill();
    // The store is another machine: what was admitted still is.
    upload(&admitted.body, &photo).unwrap().expect(200);
    stack.launch().unwrap();
    let key = admitted.body["key"].as_str().unwrap();
    assert_eq!(alice.get(&format!("/media/{key}")).expect(200).body["status"], "queued");
    stack.kill();
    stack.launch().unwrap();
    let _worker = stack.start_transcoder(&["--kinds", "image"]).unwrap();
    let media = ended(&alice, key);
    assert_eq!(media["status"], "ready");
    fetch("GET", media["url"].as_str().unwrap(), &[], b"").unwrap().expect(200);
}
