//! Scoops of alice, seen by bob, who follows her, and not by carla, who does not; with the real object store and worker.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect should stop")]

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use journeys::client::{Person, fetch};
use journeys::objects::Transcoder;
use journeys::stack::eventually_within;
use journeys::{Stack, fixtures};
use serde_json::{Value, json};

use crate::keys;
use crate::media::{WORK, ended, upload_as};

/// A tick, and what it sets off in another service.
const SWEEP: Duration = Duration::from_secs(10);

/// A stack with a worker, which most of these journeys share.
fn stack() -> &'static Stack {
    static STACK: OnceLock<(Stack, Transcoder)> = OnceLock::new();
    &STACK.get_or_init(|| start(&[])).0
}

fn start(variables: &[(&str, &str)]) -> (Stack, Transcoder) {
    let stack = Stack::start(variables).unwrap_or_else(|error| panic!("{error:#}"));
    let worker = stack.start_transcoder(&[]).unwrap_or_else(|error| panic!("{error:#}"));
    (stack, worker)
}

/// alice; bob, who follows her; and carla.
fn three(stack: &Stack) -> [Person; 3] {
    let people = ["alice", "bob", "carla"].map(|name| stack.person(name));
    people[1].follow(&people[0]);
    people
}

/// A scoop of a photo, once it is ready.
#[track_caller]
fn photo_scoop(who: &Person, more: Value) -> Value {
    let key = upload_as(who, "image/jpeg", &fixtures::photo_with_place().unwrap());
    let mut body = json!({ "mediaKey": key });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let made = who.post("/scoops", body).expect(201);
    let path = path_of(&made.body);
    assert_eq!(made.header("location"), path);
    // Where the machine is busy the worker may take longer than the answer waits.
    let mut scoop = made.body;
    eventually_within(WORK, "the photo is ready", || {
        scoop = who.get(&path).expect(200).body;
        scoop["media"]["status"] == "ready"
    });
    scoop
}

fn path_of(scoop: &Value) -> String {
    format!("/scoops/{}", scoop["id"].as_str().unwrap())
}

/// Whose scoops are in the feed, with how many.
fn feed(who: &Person) -> Vec<(String, usize)> {
    let page = who.get("/scoops/feed").expect(200);
    let group = |group: &Value| {
        let author = group["user"]["id"].as_str().unwrap().to_owned();
        (author, group["scoops"].as_array().unwrap().len())
    };
    page.items().iter().map(group).collect()
}

/// Objects of the media of a scoop.
fn objects_of(stack: &Stack, who: &Person, scoop: &Value) -> usize {
    let prefix = format!("{}/{}/", who.id, scoop["media"]["key"].as_str().unwrap());
    stack.objects.keys().unwrap().iter().filter(|object| object.starts_with(&prefix)).count()
}

fn status_of(link: &Value) -> u16 {
    fetch("GET", link.as_str().unwrap_or_else(|| panic!("no link: {link}")), &[], b"").unwrap().status
}

#[test]
fn a_photo_is_seen_by_followers_looked_at_and_gone_with_its_objects_when_deleted() {
    let [alice, bob, carla] = three(stack());
    let made = photo_scoop(&alice, json!({ "caption": "Look!" }));
    let path = path_of(&made);
    eventually_within(SWEEP, "it is in his feed", || feed(&bob) == [(alice.id.clone(), 1)]);
    let seen = bob.get("/scoops/feed").items()[0]["scoops"][0].clone();
    assert_eq!(
        keys(&seen),
        ["audience", "author", "caption", "createdAt", "expiresAt", "id", "media", "viewCount", "viewed"]
    );
    assert_eq!(
        (&seen["caption"], &seen["viewed"], &seen["viewCount"]),
        (&json!("Look!"), &json!(false), &Value::Null)
    );
    assert_eq!(fixtures::play(seen["media"]["url"].as_str().unwrap()).unwrap(), (1200, 1600));
    // By its key the media is its owner's alone.
    let media = format!("/media/{}", seen["media"]["key"].as_str().unwrap());
    bob.get(&media).expect_problem(404, "not_found");
    for _ in 0..2 {
        bob.post(&format!("{path}/view"), json!({})).expect(204);
    }
    assert_eq!(bob.get("/scoops/feed").items()[0]["hasUnseen"], false);
    assert_eq!(alice.get(&path).expect(200).body["viewCount"], 1);
    let viewers = alice.get(&format!("{path}/viewers")).expect(200);
    assert_eq!(viewers.items()[0]["user"]["id"], bob.id.as_str());
    bob.get(&format!("{path}/viewers")).expect_problem(403, "not_author");
    // To carla there is no such thing, on any route.
    assert!(feed(&carla).is_empty());
    carla.get(&path).expect_problem(404, "not_found");
    carla.get(&format!("{path}/viewers")).expect_problem(404, "not_found");
    carla.post(&format!("{path}/view"), json!({})).expect_problem(404, "not_found");
    carla.delete(&path).expect_problem(404, "not_found");
    let report = json!({ "targetType": "scoop", "targetId": made["id"], "reason": "spam" });
    carla.post("/report", report.clone()).expect_problem(404, "not_found");
    bob.post("/report", report.clone()).expect(201);
    alice.post("/report", report).expect(422);
    assert!(carla.get(&format!("/scoops/user/{}", alice.id)).items().is_empty());
    bob.delete(&path).expect_problem(403, "not_author");
    assert_eq!(objects_of(stack(), &alice, &made), 3);
    alice.delete(&path).expect(204);
    for person in [&alice, &bob] {
        person.get(&path).expect_problem(404, "not_found");
    }
    assert!(feed(&bob).is_empty());
    eventually_within(SWEEP, "its objects are gone", || objects_of(stack(), &alice, &made) == 0);
    assert_eq!(status_of(&seen["media"]["url"]), 404);
    alice.get(&media).expect_problem(404, "not_found");
}

#[test]
fn a_video_is_its_authors_alone_until_it_is_ready() {
    let [alice, bob, _] = three(stack());
    let key = upload_as(&alice, "video/quicktime", &fixtures::phone_video(4).unwrap());
    let made = alice.post("/scoops", json!({ "mediaKey": key })).expect(201).body;
    assert_eq!((&made["media"]["url"], &made["media"]["kind"]), (&Value::Null, &json!("video")));
    let path = path_of(&made);
    bob.get(&path).expect_problem(404, "not_found");
    assert!(feed(&bob).is_empty());
    assert_eq!(ended(&alice, &key)["status"], "ready");
    eventually_within(SWEEP, "it is out", || bob.get(&path).status == 200);
    assert_eq!(feed(&bob), [(alice.id.clone(), 1)]);
    let media = bob.get(&path).body["media"].clone();
    for link in ["url", "hlsUrl"] {
        fixtures::play(media[link].as_str().unwrap_or_else(|| panic!("{media}"))).unwrap();
    }
    alice.delete(&path).expect(204);
    eventually_within(SWEEP, "its objects are gone", || objects_of(stack(), &alice, &made) == 0);
    assert_eq!(status_of(&media["hlsUrl"]), 404);
}

#[test]
fn a_video_that_is_none_stays_with_its_author_who_sees_why() {
    let [alice, bob, _] = three(stack());
    let whole = fixtures::video(4).unwrap();
    let key = upload_as(&alice, "video/mp4", &whole[..whole.len() / 2]);
    let made = alice.post("/scoops", json!({ "mediaKey": key })).expect(201).body;
    ended(&alice, &key);
    let mut shown = Value::Null;
    eventually_within(SWEEP, "she is told", || {
        shown = alice.get(&path_of(&made)).expect(200).body;
        shown["media"]["status"] == "failed"
    });
    assert_eq!(shown["media"]["error"]["code"], "truncated");
    bob.get(&path_of(&made)).expect_problem(404, "not_found");
    alice.post("/scoops", json!({ "mediaKey": key })).expect_problem(422, "truncated");
    bob.post("/scoops", json!({ "mediaKey": key })).expect_problem(422, "media_not_found");
}

#[test]
fn close_friends_see_what_others_do_not() {
    let [alice, bob, carla] = three(stack());
    carla.follow(&alice);
    let friend = format!("/close-friends/{}", bob.id);
    for _ in 0..2 {
        alice.send("PUT", &friend, &[], Value::Null).expect(204);
    }
    assert_eq!(alice.get("/close-friends").expect(200).items()[0]["id"], bob.id.as_str());
    let made = photo_scoop(&alice, json!({ "audience": "close_friends", "expiresInHours": 1 }));
    bob.get(&path_of(&made)).expect(200);
    carla.get(&path_of(&made)).expect_problem(404, "not_found");
    assert_eq!((feed(&bob).len(), feed(&carla).len()), (1, 0));
    // A block ends it, and unblocking does not bring it back.
    bob.post("/block", json!({ "userId": alice.id })).expect(200);
    bob.get(&path_of(&made)).expect_problem(404, "not_found");
    alice.send("PUT", &friend, &[], Value::Null).expect_problem(404, "not_found");
    bob.post("/unblock", json!({ "userId": alice.id })).expect(200);
    bob.follow(&alice);
    bob.get(&path_of(&made)).expect_problem(404, "not_found");
    assert!(alice.get("/close-friends").items().is_empty());
}

#[test]
fn an_ended_scoop_is_gone_in_its_second_and_its_links_with_it() {
    let (stack, _worker) = start(&[("scoop_archive_days", "0")]);
    let [alice, bob, _] = three(&stack);
    let made = photo_scoop(&alice, json!({ "expiresInHours": 1 }));
    let path = path_of(&made);
    eventually_within(SWEEP, "he sees it", || bob.get(&path).status == 200);
    let now = || u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    // Nobody waits for an hour.
    let end = now() + 4_000;
    let database = rusqlite::Connection::open(stack.database("scoops")).unwrap();
    database.busy_timeout(Duration::from_secs(5)).unwrap();
    database.execute("update scoops set expires_ms = ?1", [i64::try_from(end).unwrap()]).unwrap();
    let link = bob.get(&path).expect(200).body["media"]["url"].clone();
    assert_eq!(status_of(&link), 200);
    loop {
        let before = now();
        let status = bob.get(&path).status;
        let after = now();
        match status {
            200 => assert!(before < end, "seen {} ms after the end", before - end),
            404 => {
                assert!(after >= end, "gone {} ms before the end", end - after);
                break;
            }
            other => panic!("{other}"),
        }
    }
    assert!(feed(&bob).is_empty());
    alice.get(&path).expect_problem(404, "not_found");
    assert!(alice.get("/scoops/me?archived=true").items().is_empty(), "there is no archive here");
    let deadline = Instant::now() + Duration::from_secs(2);
    while status_of(&link) == 200 {
        assert!(Instant::now() < deadline, "the link outlives its scoop");
    }
    eventually_within(SWEEP, "its objects are gone", || objects_of(&stack, &alice, &made) == 0);
}

#[test]
fn who_leaves_takes_their_scoops_along() {
    let [alice, bob, _] = three(stack());
    let made = photo_scoop(&alice, json!({}));
    eventually_within(SWEEP, "it is in his feed", || !feed(&bob).is_empty());
    bob.post(&format!("{}/view", path_of(&made)), json!({})).expect(204);
    let export = alice.get("/me/export").expect(200).body;
    assert_eq!(export["scoops"]["scoops"][0]["id"], made["id"], "{export}");
    let answer = alice.delete("/me").expect(202);
    assert!(feed(&bob).is_empty());
    bob.get(&path_of(&made)).expect_problem(404, "not_found");
    let receipt = format!("/me/deletion/{}", answer.body["deletionId"].as_str().unwrap());
    let nobody = stack().anonymous();
    eventually_within(SWEEP, "the receipt is complete", || nobody.get(&receipt).body["status"] == "done");
    assert_eq!(nobody.get(&receipt).body["services"]["scoops"]["rows"], 2, "herself and the scoop");
    assert_eq!(objects_of(stack(), &alice, &made), 0, "done is done");
}
