//! Follows, requests, blocks, mutes, profiles, reports.

use journeys::eventually;
use serde_json::json;

use crate::{ids, keys, stack};

#[test]
fn following_shows_on_both_sides_and_is_idempotent() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    let tie = alice.post("/follow", json!({ "handle": bob.handle.to_uppercase() })).expect(200).body;
    assert_eq!(keys(&tie), ["blocking", "followedBy", "following", "muting", "requested"]);
    assert_eq!((&tie["following"], &tie["requested"]), (&json!(true), &json!(false)));
    assert_eq!(alice.follow(&bob).body, tie);
    assert_eq!(bob.get("/me").body["counts"]["followers"], 1);
    let profile = bob.get(&format!("/u/{}", alice.handle)).expect(200).body;
    assert_eq!(
        (&profile["relationship"]["followedBy"], &profile["counts"]["following"]),
        (&json!(true), &json!(1))
    );
    let followers = alice.get(&format!("/u/{}/followers", bob.handle)).expect(200);
    assert_eq!(ids(&followers), [alice.id.as_str()]);
    assert_eq!(keys(&followers.items()[0]).len(), 9);
    let following = bob.get(&format!("/u/{}/following", alice.handle)).expect(200);
    assert_eq!(ids(&following), [bob.id.as_str()]);
    alice.post("/unfollow", json!({ "userId": bob.id })).expect(200);
    let tie = alice.post("/unfollow", json!({ "userId": bob.id })).expect(200).body;
    assert_eq!(tie["following"], false);
    assert_eq!(bob.get("/me").body["counts"]["followers"], 0);
}

#[test]
fn nobody_ties_to_themselves_or_to_nobody() {
    let alice = stack().person("alice");
    for verb in ["follow", "unfollow", "block", "unblock", "mute", "unmute"] {
        let path = format!("/{verb}");
        alice.post(&path, json!({ "userId": alice.id })).expect(422);
        alice
            .post(&path, json!({ "userId": "0199b7a0-0000-7000-8000-000000000001" }))
            .expect_problem(404, "not_found");
        alice.post(&path, json!({ "handle": "nobody_at_all" })).expect_problem(404, "not_found");
        alice.post(&path, json!({})).expect(422);
        alice.post(&path, json!({ "userId": alice.id, "handle": "a" })).expect(422);
    }
}

#[test]
fn a_private_person_is_asked_and_decides() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    alice.patch("/me", json!({ "private": true })).expect(200);
    for person in [&bob, &carla] {
        let tie = person.follow(&alice).body;
        assert_eq!((&tie["following"], &tie["requested"]), (&json!(false), &json!(true)));
    }
    let post = alice.publish("for followers");
    bob.get(&format!("/posts/{post}")).expect_problem(404, "not_found");
    for list in ["followers", "following", "posts"] {
        bob.get(&format!("/u/{}/{list}", alice.handle)).expect_problem(403, "private_account");
        alice.get(&format!("/u/{}/{list}", alice.handle)).expect(200);
    }
    let mut asked = alice.all("/follow-requests", 1);
    asked.sort_unstable();
    let mut expected = [bob.id.clone(), carla.id.clone()];
    expected.sort_unstable();
    assert_eq!(asked, expected);
    alice.post(&format!("/follow-requests/{}/accept", bob.id), json!({})).expect(204);
    alice.post(&format!("/follow-requests/{}/reject", carla.id), json!({})).expect(204);
    alice.post(&format!("/follow-requests/{}/accept", carla.id), json!({})).expect_problem(404, "not_found");
    eventually("bob sees the post", || bob.get(&format!("/posts/{post}")).status == 200);
    assert_eq!(ids(&bob.get("/feed")), [post.as_str()]);
    bob.get(&format!("/u/{}/followers", alice.handle)).expect(200);
    carla.get(&format!("/posts/{post}")).expect_problem(404, "not_found");
    assert_eq!(carla.get(&format!("/u/{}", alice.handle)).body["relationship"]["requested"], false);
}

#[test]
fn going_private_covers_what_was_posted_before() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    bob.follow(&alice);
    let tag = format!("tag{}", alice.handle);
    let post = alice.publish(&format!("before #{tag}"));
    carla.get(&format!("/posts/{post}")).expect(200);
    alice.patch("/me", json!({ "private": true })).expect(200);
    for path in [format!("/posts/{post}"), format!("/comments/{post}"), format!("/reactions/{post}")] {
        carla.get(&path).expect_problem(404, "not_found");
        bob.get(&path).expect(200);
    }
    assert!(ids(&carla.get(&format!("/tags/{tag}"))).is_empty());
}

#[test]
fn a_block_cuts_and_hides_in_both_directions() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    alice.follow(&bob);
    bob.follow(&alice);
    let (hers, his) = (alice.publish("hers"), bob.publish("his"));
    let tie = alice.post("/block", json!({ "userId": bob.id })).expect(200).body;
    assert_eq!(
        (&tie["blocking"], &tie["following"], &tie["followedBy"]),
        (&json!(true), &json!(false), &json!(false))
    );
    bob.get(&format!("/u/{}", alice.handle)).expect_problem(404, "not_found");
    let seen = alice.get(&format!("/u/{}", bob.handle)).expect(200).body;
    assert_eq!(seen["relationship"]["blocking"], true);
    bob.get(&format!("/posts/{hers}")).expect_problem(404, "not_found");
    alice.get(&format!("/posts/{his}")).expect_problem(404, "not_found");
    assert_eq!(ids(&bob.get("/feed")), [his.as_str()]);
    assert_eq!(ids(&alice.get("/feed")), [hers.as_str()]);
    bob.post("/follow", json!({ "userId": alice.id })).expect_problem(404, "not_found");
    assert_eq!(ids(&alice.get("/blocked")), [bob.id.as_str()]);
    // Posts relays after its answer, so its count alone may lag.
    let counts = json!({ "posts": 1, "followers": 0, "following": 0 });
    eventually("the counts follow", || alice.get("/me").body["counts"] == counts);
    alice.post("/unblock", json!({ "userId": bob.id })).expect(200);
    bob.get(&format!("/u/{}", alice.handle)).expect(200);
    assert_eq!(alice.get("/me").body["counts"]["followers"], 0, "follows do not come back");
}

#[test]
fn a_block_both_ways_is_404_for_both() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    alice.post("/block", json!({ "userId": bob.id })).expect(200);
    // Whoever is blocked cannot find the other, and so cannot block by looking.
    let back = bob.post("/block", json!({ "userId": alice.id }));
    if back.status == 200 {
        alice.get(&format!("/u/{}", bob.handle)).expect_problem(404, "not_found");
    }
    bob.get(&format!("/u/{}", alice.handle)).expect_problem(404, "not_found");
}

#[test]
fn a_mute_hides_from_feeds_threads_and_tags_and_from_nothing_else() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    alice.follow(&bob);
    let tag = format!("mute{}", bob.handle);
    let (noisy, quiet) = (bob.publish(&format!("noise #{tag}")), carla.publish("quiet"));
    bob.post(&format!("/comments/{quiet}"), json!({ "text": "noise" })).expect(201);
    assert_eq!(ids(&alice.get("/feed")), [noisy.as_str()]);
    let tie = alice.post("/mute", json!({ "userId": bob.id })).expect(200).body;
    assert_eq!((&tie["muting"], &tie["following"]), (&json!(true), &json!(true)));
    assert!(ids(&alice.get("/feed")).is_empty());
    assert!(ids(&alice.get(&format!("/tags/{tag}"))).is_empty());
    assert!(ids(&alice.get(&format!("/comments/{quiet}"))).is_empty());
    assert_eq!(ids(&carla.get(&format!("/comments/{quiet}"))).len(), 1);
    alice.get(&format!("/posts/{noisy}")).expect(200);
    assert_eq!(ids(&alice.get(&format!("/u/{}/posts", bob.handle))), [noisy.as_str()]);
    assert_eq!(ids(&alice.get("/muted")), [bob.id.as_str()]);
    // The muted never learns of it.
    assert_eq!(bob.get(&format!("/u/{}", alice.handle)).body["relationship"]["muting"], false);
    alice.post("/unmute", json!({ "userId": bob.id })).expect(200);
    assert_eq!(ids(&alice.get("/feed")), [noisy.as_str()]);
}

#[test]
fn profiles_are_open_and_carry_no_relationship_for_nobody_and_oneself() {
    let alice = stack().person("alice");
    alice.publish("one");
    let path = format!("/u/{}", alice.handle);
    eventually("the post counts", || stack().anonymous().get(&path).body["counts"]["posts"] == 1);
    for person in [&stack().anonymous(), &alice] {
        let profile = person.get(&path).expect(200).body;
        assert_eq!(profile["relationship"], json!(null));
    }
    stack().anonymous().get("/u/nobody_at_all").expect_problem(404, "not_found");
    assert_eq!(ids(&alice.get(&format!("{path}/posts"))).len(), 1);
}

#[test]
fn reports_are_taken_about_what_the_reporter_can_see() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    let post = bob.publish("bad");
    let report =
        json!({ "targetType": "post", "targetId": post, "reason": "spam", "details": "please look" });
    let made = alice.post("/report", report).expect(201).body;
    assert_eq!(made["status"], "open");
    alice.post("/report", json!({ "targetType": "user", "targetId": bob.id, "reason": "abuse" })).expect(201);
    let unknown =
        json!({ "targetType": "post", "targetId": "0199b7a0-0000-7000-8000-000000000001", "reason": "spam" });
    alice.post("/report", unknown).expect_problem(404, "not_found");
    alice.post("/report", json!({ "targetType": "post", "targetId": post, "reason": "boring" })).expect(422);
    let mine = alice.get("/me/reports").expect(200);
    assert_eq!(mine.items().len(), 2);
    assert!(bob.get("/me/reports").expect(200).items().is_empty());
    bob.patch("/me", json!({ "private": true })).expect(200);
    let carla = stack().person("carla");
    let hidden = json!({ "targetType": "post", "targetId": post, "reason": "spam" });
    carla.post("/report", hidden).expect_problem(404, "not_found");
}

#[test]
fn lists_page_without_repeats_while_people_come_and_go() {
    let star = stack().person("alice");
    let fans: Vec<_> = (0..7).map(|_| stack().person("fan")).collect();
    for fan in &fans {
        fan.follow(&star);
    }
    let path = format!("/u/{}/followers", star.handle);
    let first = star.get(&format!("{path}?limit=3")).expect(200);
    fans[6].post("/unfollow", json!({ "userId": star.id })).expect(200);
    let late = stack().person("fan");
    late.follow(&star);
    let mut seen: Vec<String> = ids(&first).iter().map(ToString::to_string).collect();
    let mut cursor = first.body["nextCursor"].as_str().map(ToOwned::to_owned);
    while let Some(next) = cursor {
        let page = star.get(&format!("{path}?limit=3&cursor={next}")).expect(200);
        seen.extend(ids(&page).iter().map(ToString::to_string));
        cursor = page.body["nextCursor"].as_str().map(ToOwned::to_owned);
    }
    let mut unique = seen.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), seen.len(), "no repeats: {seen:?}");
    for fan in &fans[..6] {
        assert!(seen.contains(&fan.id), "nobody who was there all along is skipped");
    }
}
