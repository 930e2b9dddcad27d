//! Many at once: whatever the order, what is left is consistent and every count is true.

use std::sync::Barrier;

use journeys::{Answer, Person, eventually};
use serde_json::{Value, json};

use crate::{ids, stack};

/// Runs `each` on `threads` threads, `times` times, all starting together; every answer.
fn at_once(threads: usize, times: usize, each: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let (start, each) = (&start, &each);
                scope.spawn(move || {
                    start.wait();
                    (0..times).map(|time| each(thread * times + time)).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

#[test]
fn a_thousand_toggles_leave_counts_that_are_true() {
    let alice = stack().person("alice");
    let post = alice.publish("toggle me");
    let path = format!("/reactions/{post}");
    let people: Vec<Person> = (0..5).map(|_| stack().person("bob")).collect();
    let answers = at_once(20, 50, |number| people[number % 5].post(&path, json!({ "type": "like" })));
    assert!(
        answers.iter().all(|answer| answer.status == 200),
        "{:?}",
        answers.iter().find(|a| a.status != 200)
    );
    // 200 toggles of each person: back where they began.
    let (on, off): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.body["reacted"] == true);
    assert_eq!((on.len(), off.len()), (500, 500));
    let list = alice.get(&path).expect(200);
    assert!(list.items().is_empty(), "{list:?}");
    assert_eq!(list.body["counts"], json!({}));
    people[0].post(&path, json!({ "type": "like" })).expect(200);
    assert_eq!(alice.get(&path).body["counts"], json!({ "like": 1 }));
    assert_eq!(alice.get(&format!("/posts/{post}")).body["counts"]["reactions"], 1);
}

#[test]
fn follows_unfollows_and_blocks_between_two_leave_a_state_that_fits() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    let verbs = ["/follow", "/unfollow", "/block", "/unblock"];
    let answers = at_once(10, 100, |number| {
        let (one, other) = if number % 2 == 0 { (&alice, &bob) } else { (&bob, &alice) };
        one.post(verbs[(number / 2) % 4], json!({ "userId": other.id }))
    });
    // 404 from whom they block, 409 for following whom one blocks oneself.
    let odd = answers.iter().find(|answer| ![200, 404, 409].contains(&answer.status));
    assert!(odd.is_none(), "{odd:?}");
    let ties = |table: &str| stack().query::<i64>("social", &format!("select count(*) from {table}"));
    let across = "follows as f join blocks as b on (b.blocker = f.follower and b.blocked = f.followee)
        or (b.blocker = f.followee and b.blocked = f.follower)";
    assert_eq!(ties(across).unwrap(), 0, "no follow across a block");
    for service in ["social", "users", "posts"] {
        eventually(&format!("the counts of {service} are true"), || {
            let wrong = "select count(*) from people as p
                where followers <> (select count(*) from follows where followee = p.pk)
                   or following <> (select count(*) from follows where follower = p.pk)";
            stack().query::<i64>(service, wrong).is_ok_and(|wrong| wrong == 0)
        });
    }
    // The projections say what the owner says.
    let ties = "select coalesce(group_concat(t, ' '), '') from (
        select 'f' || a.id || b.id as t from follows join people as a on a.pk = follower join people as b on b.pk = followee
            where a.handle like 'alice%' or b.handle like 'alice%'
        union all select 'b' || a.id || b.id from blocks join people as a on a.pk = blocker join people as b on b.pk = blocked
        order by t)";
    for service in ["users", "posts"] {
        eventually(&format!("{service} holds the ties of social"), || {
            stack().query::<String>(service, ties).ok() == stack().query::<String>("social", ties).ok()
        });
    }
}

#[test]
fn one_key_from_many_connections_makes_one_post() {
    let alice = stack().person("alice");
    let key = [("idempotency-key", "the same")];
    let send = |_| alice.send("POST", "/posts", &key, json!({ "text": "once" }));
    let answers = at_once(20, 3, send);
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty());
    for answer in &answers {
        assert!(answer.status == 201 || answer.code() == "idempotency_in_progress", "{answer:?}");
    }
    assert!(made.iter().all(|answer| answer.body["id"] == made[0].body["id"]));
    assert_eq!(ids(&alice.get("/feed")).len(), 1);
}

#[test]
fn a_token_refreshed_from_two_places_at_once_stays_one_family() {
    let alice = stack().person("alice");
    let nobody = stack().anonymous();
    let answers =
        at_once(2, 1, |_| nobody.post("/auth/refresh", json!({ "refreshToken": alice.refresh_token })));
    // The second is taken for a lost answer, or for reuse; never for a fault.
    let good: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert!(!good.is_empty(), "{answers:?}");
    assert!(answers.iter().all(|answer| [200, 401].contains(&answer.status)), "{answers:?}");
    let tokens: Vec<&Value> = good.iter().map(|answer| &answer.body["refreshToken"]).collect();
    assert!(tokens.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn a_handle_claimed_by_many_goes_to_one() {
    let people: Vec<Person> = (0..8).map(|_| stack().person("bob")).collect();
    let handle = format!("wanted_{}", people[0].handle);
    let answers = at_once(8, 1, |number| people[number].post("/username", json!({ "handle": handle })));
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
}

#[test]
fn one_address_registered_by_many_is_one_account() {
    let nobody = stack().anonymous();
    let body = json!({ "email": "everyone@example.com", "password": "correct horse battery" });
    let answers = at_once(6, 1, |_| nobody.post("/auth/register", body.clone()));
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
}
