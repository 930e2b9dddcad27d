//! What happens, told as it happens: alice listens, bob and carla act.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect should stop")]

use std::time::{Duration, Instant};

use journeys::stream::{Event, Stream};
use journeys::{Person, Stack, eventually};
use serde_json::{Value, json};

use crate::{keys, stack};

/// A stream ends this long after what opened it, at the latest.
const ENDS: Duration = Duration::from_secs(30);

fn like(who: &Person, post: &str) {
    who.post(&format!("/reactions/{post}"), json!({ "type": "like" })).expect(200);
}

/// The next event of that name.
#[track_caller]
fn named(stream: &mut Stream, name: &str) -> Event {
    loop {
        let event = stream.event();
        if event.name == name {
            return event;
        }
    }
}

fn ticket(person: &Person) -> String {
    let answer = person.post("/realtime/ticket", json!({})).expect(200).body;
    assert_eq!((keys(&answer), &answer["expiresIn"]), (vec!["expiresIn", "ticket"], &json!(60)));
    answer["ticket"].as_str().unwrap().to_owned()
}

/// Waits until the services around know that alice follows bob.
fn follows(alice: &Person, bob: &Person, stack: &Stack) {
    alice.follow(bob);
    let sql = format!(
        "select count(*) from follows as f join people as a on a.pk = f.follower join people as b on b.pk = f.followee
            where a.id = '{}' and b.id = '{}'",
        alice.id, bob.id
    );
    eventually("the follow is known", || stack.query::<i64>("realtime", &sql).unwrap() == 1);
}

#[test]
fn a_like_of_bobs_arrives_at_alice_within_a_second_and_reading_it_on_her_other_device() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    let post = alice.publish("look");
    let (mut stream, opening) = alice.listen(None);
    assert_eq!((opening.id, opening.name.as_str()), (Some(0), ""));
    let liked = Instant::now();
    like(&bob, &post);
    let event = stream.event();
    assert_eq!((event.name.as_str(), &event.data["target"]["id"]), ("notification", &json!(post)));
    assert!(liked.elapsed() < Duration::from_secs(1), "{:?}", liked.elapsed());
    let listed = alice.get("/notifications").expect(200);
    assert!(listed.items().contains(&event.data), "{event:?}: {listed:?}");
    assert_eq!(event.data["actors"][0]["id"], json!(bob.id));
    let counted = stream.event();
    assert_eq!((counted.name.as_str(), &counted.data), ("unread", &json!({ "unreadCount": 1 })));
    assert!(counted.id > event.id, "{counted:?}");
    alice.post("/notifications/read", json!({})).expect(200);
    let event = stream.event();
    assert_eq!((event.name.as_str(), &event.data), ("unread", &json!({ "unreadCount": 0 })));
}

#[test]
fn posts_of_whom_one_follows_arrive_and_nothing_of_whom_one_mutes_or_blocks() {
    let stack = stack();
    let (alice, bob, carla) = (stack.person("alice"), stack.person("bob"), stack.person("carla"));
    follows(&alice, &bob, stack);
    follows(&alice, &carla, stack);
    let (mut stream, _) = alice.listen(None);
    let post = bob.publish("hello");
    assert_eq!(named(&mut stream, "feed").data, json!({ "postId": post, "authorId": bob.id }));
    let mutes = |number: i64| stack.query::<i64>("realtime", "select count(*) from mutes").unwrap() >= number;
    let before = stack.query::<i64>("realtime", "select count(*) from mutes").unwrap();
    alice.post("/mute", json!({ "userId": bob.id })).expect(200);
    eventually("the mute is known", || mutes(before + 1));
    bob.publish("unheard");
    let post = carla.publish("heard");
    assert_eq!(named(&mut stream, "feed").data, json!({ "postId": post, "authorId": carla.id }));
}

#[test]
fn reconnecting_at_random_while_bob_writes_loses_nothing_and_repeats_nothing() {
    let stack = stack();
    let (alice, bob) = (stack.person("alice"), stack.person("bob"));
    follows(&alice, &bob, stack);
    let (stream, opening) = alice.listen(None);
    drop(stream);
    let mut last = opening.id.unwrap();
    let writer =
        std::thread::spawn(move || (0..200).map(|n| bob.publish(&n.to_string())).collect::<Vec<_>>());
    let mut heard = Vec::new();
    let mut turn = 0;
    while heard.len() < 200 {
        turn += 1;
        let (mut stream, opening) = alice.listen(Some(last));
        assert_eq!((opening.id, opening.name.as_str()), (Some(last), ""));
        for _ in 0..(turn * 5) % 13 {
            if heard.len() == 200 {
                break;
            }
            let event = stream.event();
            assert_eq!(event.id, Some(last + 1), "{event:?}");
            last += 1;
            heard.push(event.data["postId"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(heard, writer.join().unwrap());
}

#[test]
fn a_number_never_given_is_reset_and_one_of_bobs_shows_nothing_of_his() {
    let stack = stack();
    let (alice, bob) = (stack.person("alice"), stack.person("bob"));
    follows(&bob, &alice, stack);
    let (mut bobs, _) = bob.listen(None);
    for _ in 0..3 {
        alice.publish("to bob");
    }
    assert_eq!((bobs.event().id, bobs.event().id), (Some(1), Some(2)));
    for never in [2, 999] {
        let (mut stream, opening) = alice.listen(Some(never));
        assert_eq!((opening.name.as_str(), &opening.data), ("reset", &json!({})));
        assert!(stream.next_within(Duration::from_millis(300)).is_none(), "of her own posts she is not told");
    }
}

#[test]
fn a_ticket_opens_one_stream_and_nothing_else() {
    let alice = stack().person("alice");
    let nobody = stack().anonymous();
    let path = format!("/realtime?ticket={}", ticket(&alice));
    assert_eq!(alice.with_token("garbage").try_listen(&path, None).unwrap().err(), Some(401));
    let mut stream = nobody.try_listen(&path, None).unwrap().ok().unwrap();
    assert!(stream.next_within(ENDS).is_some());
    assert_eq!(nobody.try_listen(&path, None).unwrap().err(), Some(401));
    assert_eq!(nobody.with_token(&ticket(&alice)).get("/me").status, 401);
    for path in ["/realtime", "/realtime?ticket=", "/realtime?ticket=x"] {
        nobody.get(path).expect_problem(401, "invalid_token");
    }
    nobody.post("/realtime/ticket", json!({})).expect_problem(401, "invalid_token");
    let refused = alice.post("/realtime", json!({})).expect_problem(405, "method_not_allowed");
    assert!(refused.header("allow").contains("GET"));
    assert!(!stack().log().contains("ticket="), "a ticket is in no log");
}

#[test]
fn the_sixth_stream_is_one_too_many_until_another_is_closed() {
    let alice = stack().person("alice");
    let mut open: Vec<Stream> = (0..5).map(|_| alice.listen(None).0).collect();
    let refused = alice.get("/realtime").expect_problem(429, "too_many_streams");
    assert_eq!(refused.header("retry-after"), "15");
    open.pop();
    // Whoever serves it notices when it writes to it, which it is asked to.
    open.push(alice.listen(None).0);
    assert_eq!(alice.try_listen("/realtime", None).unwrap().err(), Some(429));
}

#[test]
fn signing_out_ends_the_streams_of_that_session_and_deleting_oneself_all() {
    let alice = stack().person("alice");
    let body = json!({ "email": alice.email, "password": journeys::client::PASSWORD });
    let second = Person::from_session(&alice.url, &alice.post("/auth/login", body.clone()).expect(200).body);
    let third = Person::from_session(&alice.url, &alice.post("/auth/login", body).expect(200).body);
    let (mut first_stream, _) = alice.listen(None);
    let (mut second_stream, _) = second.listen(None);
    let (mut third_stream, _) = third.listen(None);
    let second_ticket = format!("/realtime?ticket={}", ticket(&second));
    second.post("/auth/logout", json!({ "refreshToken": second.refresh_token })).expect(204);
    assert!(second_stream.ends_within(ENDS));
    assert_eq!(second.try_listen("/realtime", None).unwrap().err(), Some(401));
    assert_eq!(stack().anonymous().try_listen(&second_ticket, None).unwrap().err(), Some(401));
    let sessions = alice.get("/auth/sessions").expect(200);
    let current = |item: &&Value| item["current"] == false;
    let other = sessions.items().iter().find(current).unwrap()["id"].as_str().unwrap().to_owned();
    alice.delete(&format!("/auth/sessions/{other}")).expect(204);
    assert!(third_stream.ends_within(ENDS));
    assert_eq!(first_stream.next_within(Duration::from_millis(200)), None);
    alice.delete("/me").expect(202);
    assert!(first_stream.ends_within(ENDS));
    assert_eq!(alice.try_listen("/realtime", None).unwrap().err(), Some(401));
}

#[test]
fn a_token_that_ends_takes_its_stream_along_and_the_next_one_goes_on() {
    let stack = Stack::start(&[("access_token_minutes", "1")]).unwrap();
    let (alice, bob) = (stack.person("alice"), stack.person("bob"));
    follows(&alice, &bob, &stack);
    let (mut stream, _) = alice.listen(None);
    bob.publish("before");
    let last = stream.event().id;
    assert!(stream.ends_within(Duration::from_secs(60) + ENDS));
    bob.post("/auth/refresh", json!({ "refreshToken": bob.refresh_token })).expect(200);
    let session = alice.post("/auth/refresh", json!({ "refreshToken": alice.refresh_token })).expect(200);
    let (mut stream, opening) = Person::from_session(&alice.url, &session.body).listen(last);
    assert_eq!((opening.id, opening.name.as_str()), (last, ""));
    assert_eq!(stream.next_within(Duration::from_millis(200)), None);
}

#[test]
fn three_hundred_streams_are_told_at_once_and_take_little() {
    let stack = Stack::start(&[]).unwrap();
    let bob = stack.person("bob");
    let people: Vec<Person> = (0..60).map(|_| stack.person("alice")).collect();
    people.iter().for_each(|alice| follows(alice, &bob, &stack));
    let before = stack.memory();
    let mut streams: Vec<Stream> =
        (0..5).flat_map(|_| people.iter().map(|alice| alice.listen(None).0).collect::<Vec<_>>()).collect();
    let each = (stack.memory().saturating_sub(before)) / 300;
    println!("{each} KB of the host for each of 300 streams");
    assert!(each < 500, "{each} KB");
    let published = Instant::now();
    let post = bob.publish("to all");
    for stream in &mut streams {
        assert_eq!(stream.event().data["postId"], json!(post));
    }
    assert!(published.elapsed() < Duration::from_secs(2), "{:?}", published.elapsed());
    // Those that go away are noticed, and make room.
    drop(streams);
    let open = || stack.query::<i64>("realtime", "select count(*) from streams").unwrap();
    journeys::stack::eventually_within(ENDS, "nobody listens", || open() == 0);
}

#[test]
fn what_happened_before_a_kill_is_told_after_it() {
    let stack = Stack::start(&[]).unwrap();
    let (alice, bob) = (stack.person("alice"), stack.person("bob"));
    follows(&alice, &bob, &stack);
    let (stream, opening) = alice.listen(None);
    let posts: Vec<String> = (0..5).map(|number| bob.publish(&number.to_string())).collect();
    // Acknowledged, and on its way at most.
    stack.kill();
    drop(stream);
    stack.launch().unwrap();
    let (mut stream, again) = alice.listen(opening.id);
    assert_eq!((again.id, again.name.as_str()), (opening.id, ""));
    let heard: Vec<String> = posts
        .iter()
        .map(|_| named(&mut stream, "feed").data["postId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(heard, posts);
}
