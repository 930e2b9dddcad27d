//! What alice, bob and carla earn by what they do, and that it is the same when all of it is told again.
#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect should stop")]

use journeys::audit::{audit, drain};
use journeys::stack::WORKER_TOKEN;
use journeys::{Person, Stack, eventually};
use serde_json::{Value, json};

use crate::{keys, stack};

fn me(person: &Person) -> Value {
    person.get("/gamification/me").expect(200).body
}

fn points(person: &Person) -> i64 {
    me(person)["points"].as_i64().unwrap()
}

/// `rank handle points` of those named, on the board of this week.
fn board(reader: &Person, named: &[&Person]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = reader.get(&format!("/gamification/leaderboard?limit=100{cursor}")).expect(200).body;
        for item in page["items"].as_array().unwrap() {
            if named.iter().any(|person| item["user"]["id"] == person.id.as_str()) {
                lines.push(format!("{} {}", item["user"]["handle"].as_str().unwrap(), item["points"]));
            }
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return lines,
        }
    }
}

#[test]
fn what_people_do_earns_points_and_what_is_deleted_takes_them_back() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    let post = alice.publish("look at this");
    for other in [&bob, &carla] {
        other.post(&format!("/reactions/{post}"), json!({ "type": "fire" })).expect(200);
        other.post(&format!("/comments/{post}"), json!({ "text": "nice" })).expect(201);
        other.follow(&alice).expect(200);
    }
    alice.post(&format!("/comments/{post}"), json!({ "text": "of my own" })).expect(201);
    eventually("points arrive", || (points(&alice), points(&bob), points(&carla)) == (20, 3, 3));
    let mine = me(&alice);
    assert_eq!(
        keys(&mine),
        ["badges", "level", "longestStreakDays", "nextLevelAt", "optedOut", "points", "rank", "streakDays"]
    );
    assert_eq!(
        (&mine["level"], &mine["nextLevelAt"], &mine["streakDays"]),
        (&json!(1), &json!(100), &json!(1))
    );
    let expected =
        [format!("{} 20", alice.handle), format!("{} 3", bob.handle), format!("{} 3", carla.handle)];
    let listed = board(&carla, &[&alice, &bob, &carla]);
    assert_eq!(listed[0], expected[0]);
    assert!(listed.len() == 3 && expected.iter().all(|line| listed.contains(line)), "{listed:?}");

    eventually("a first step is rewarded", || me(&alice)["badges"][0]["id"] == "first_post");
    let more: Vec<String> = (0..9).map(|n| alice.publish(&format!("more {n}"))).collect();
    eventually("a badge is given, and told", || {
        let told = alice.get("/notifications?limit=100").expect(200);
        let is_badge = |one: &&Value| one["type"] == "badge";
        let badge = told.items().iter().find(is_badge).map(|one| one["target"].clone());
        badge == Some(json!({ "type": "badge", "id": "posts_10" }))
    });
    for post in &more {
        alice.delete(&format!("/posts/{post}")).expect(204);
    }

    alice.post("/block", json!({ "userId": bob.id })).expect(200);
    eventually("neither sees the other", || {
        board(&alice, &[&bob]).is_empty() && board(&bob, &[&alice]).is_empty()
    });
    alice.patch("/gamification/me", json!({ "optedOut": true })).expect(200);
    assert_eq!(me(&alice)["rank"], json!({ "weekly": null, "allTime": null }));
    assert!(board(&carla, &[&alice]).is_empty());
    alice.delete(&format!("/posts/{post}")).expect(204);
    eventually("a post takes its points along, a block a follower", || {
        (points(&alice), points(&bob), points(&carla)) == (2, 0, 0)
    });
    assert_eq!(me(&alice)["badges"].as_array().unwrap().len(), 2, "and badges are for good");
}

#[test]
fn the_catalogue_is_open_and_the_rest_is_not() {
    let nobody = stack().anonymous();
    let catalogue = nobody.get("/gamification/badges").expect(200).body;
    assert!(catalogue["items"].as_array().unwrap().iter().any(|badge| badge["id"] == "first_post"));
    nobody.with_token("nonsense").get("/gamification/badges").expect_problem(401, "invalid_token");
    nobody.get("/gamification/me").expect_problem(401, "invalid_token");
    nobody.get("/gamification/leaderboard").expect_problem(401, "invalid_token");
    stack().person("alice").get("/gamification/leaderboard?period=daily").expect_problem(422, "invalid");
}

#[test]
fn all_of_it_told_again_is_the_same_after_a_deletion_as_well() {
    let stack = Stack::start(&[]).unwrap_or_else(|error| panic!("{error:#}"));
    let (alice, bob, carla) = (stack.person("alice"), stack.person("bob"), stack.person("carla"));
    let (hers, his) = (alice.publish("hers"), bob.publish("his"));
    for (who, post) in [(&bob, &hers), (&carla, &hers), (&carla, &his), (&alice, &his)] {
        who.post(&format!("/reactions/{post}"), json!({ "type": "like" })).expect(200);
        who.post(&format!("/comments/{post}"), json!({ "text": "so" })).expect(201);
    }
    bob.follow(&alice).expect(200);
    carla.follow(&alice).expect(200);
    for n in 0..9 {
        alice.publish(&format!("more {n}"));
    }
    let gone = carla.publish("for a moment");
    carla.delete(&format!("/posts/{gone}")).expect(204);
    bob.delete("/me").expect(202);
    drain(&stack).unwrap();
    eventually("bob took along what was earned by him", || (points(&alice), points(&carla)) == (105, 3));
    eventually("badges are given", || me(&alice)["badges"].as_array().unwrap().len() == 2);
    let told = "select count(*) from notifications where type = 'badge'";
    eventually("and told, but for the first step", || {
        stack.query::<i64>("notifications", told).unwrap() == 1
    });
    drain(&stack).unwrap();
    let numbers =
        || [me(&alice), me(&carla), alice.get("/gamification/leaderboard?period=all").expect(200).body];
    let (before, badges) = (numbers(), stack.query::<i64>("notifications", told).unwrap());
    let worker = stack.anonymous().with_token(WORKER_TOKEN);
    worker.post("/worker/rebuild", json!({ "service": "gamification" })).expect(202);
    eventually("the rebuild is over", || {
        stack.query::<i64>("gamification", "select count(*) from rebuilds").unwrap() == 0
    });
    drain(&stack).unwrap();
    assert_eq!(numbers(), before);
    assert_eq!(stack.query::<i64>("notifications", told).unwrap(), badges, "nobody hears of a badge twice");
    assert_eq!(audit(&stack), Vec::<String>::new());
}
