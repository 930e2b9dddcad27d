//! The same things done are the same numbers, in whatever order services are heard, what is heard twice included; after
//! erasures; and when all of it is told again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::testing::INTERNAL_TOKEN;

use crate::naive::{Cause, scores};
use crate::{ALICE, House, NOW, SOURCES, start, thing};

/// Numbers by chance, the same for a seed everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

type Event = (&'static str, String, Value);

/// What five people did by chance within a few days: what each source tells of it, in order, and what stands.
#[derive(Default)]
struct History {
    told: BTreeMap<&'static str, Vec<Event>>,
    posts: Vec<(usize, usize, String)>,
    comments: Vec<(usize, usize, usize, usize, String)>,
    reactions: BTreeMap<(usize, usize, usize), BTreeSet<&'static str>>,
    /// When one first reacted, or followed.
    firsts: BTreeMap<(usize, usize), String>,
    follows: BTreeMap<(usize, usize), String>,
    following: BTreeSet<(usize, usize)>,
    scoops: Vec<(usize, usize, String)>,
    ended: Vec<(usize, usize, String)>,
    gone: BTreeSet<usize>,
}

const REACTIONS: [&str; 2] = ["like", "love"];

impl History {
    fn tell(&mut self, source: &'static str, kind: &'static str, at: &str, body: Value) {
        self.told.entry(source).or_default().push((kind, at.to_owned(), body));
    }

    fn live(house: &House, dice: &mut Dice, steps: usize) -> Self {
        let mut all = Self::default();
        for step in 0..steps {
            // From one week and month to the next.
            let (day, minute) = (28 + step * 6 / steps, step % 1440);
            let (month, day) = if day > 31 { (11, day - 31) } else { (10, day) };
            let at = format!(
                "2026-{month:02}-{day:02}T{:02}:{:02}:00.{:03}Z",
                minute / 60,
                minute % 60,
                step % 1000
            );
            let (who, other) = (all.one(dice), all.one(dice));
            all.step(house, dice, step, who, other, &at);
            // The last erases one, in the middle of all that.
            if step == steps * 2 / 3 {
                let gone = 1 + dice.roll(4);
                all.erase(house, gone, &at);
            }
        }
        all
    }

    fn one(&self, dice: &mut Dice) -> usize {
        loop {
            let who = dice.roll(5);
            if !self.gone.contains(&who) {
                return who;
            }
        }
    }

    fn step(&mut self, house: &House, dice: &mut Dice, step: usize, who: usize, other: usize, at: &str) {
        let post = (!self.posts.is_empty()).then(|| self.posts[dice.roll(self.posts.len())].clone());
        match (dice.roll(20), post) {
            (0..=3, _) | (4..=13, None) => {
                self.tell("posts", "post.published", at, house.published(who, step));
                self.posts.push((step, who, at.to_owned()));
            }
            (4..=8, Some((post, host, _))) => {
                self.tell("posts", "comment.created", at, house.commented(who, step, host, post));
                self.comments.push((step, who, host, post, at.to_owned()));
            }
            (9..=11, Some((post, host, _))) => {
                let kind = REACTIONS[dice.roll(2)];
                let held = self.reactions.entry((post, host, who)).or_default();
                let told = if held.remove(kind) { "reaction.removed" } else { "reaction.created" };
                if told == "reaction.created" {
                    held.insert(kind);
                    self.firsts.entry((post, who)).or_insert_with(|| at.to_owned());
                }
                self.tell("posts", told, at, house.reacted(who, host, post, kind));
            }
            (12, Some((post, ..))) => self.delete_post(house, post, at),
            (13, Some(_)) if !self.comments.is_empty() => {
                let comment = self.comments.remove(dice.roll(self.comments.len()));
                self.tell("posts", "comment.deleted", at, uncommented(house, &comment));
            }
            (14..=16, _) if who != other => {
                let body = json!({ "followerId": house.ids[who], "followeeId": house.ids[other] });
                let told =
                    if self.following.remove(&(who, other)) { "follow.removed" } else { "follow.created" };
                if told == "follow.created" {
                    self.following.insert((who, other));
                    self.follows.entry((who, other)).or_insert_with(|| at.to_owned());
                }
                self.tell("social", told, at, body);
            }
            (17 | 18, _) => {
                let body = json!({ "scoopId": thing(step), "authorId": house.ids[who], "audience": "followers", "expiresAt": at });
                self.tell("scoops", "scoop.published", at, body);
                self.scoops.push((step, who, at.to_owned()));
            }
            _ if !self.scoops.is_empty() => {
                let scoop = self.scoops.remove(dice.roll(self.scoops.len()));
                let body = json!({ "scoopId": thing(scoop.0), "authorId": house.ids[scoop.1] });
                if dice.roll(2) == 0 {
                    self.tell("scoops", "scoop.expired", at, body.clone());
                    self.ended.push(scoop);
                }
                self.tell("scoops", "scoop.deleted", at, body);
            }
            _ => {}
        }
    }

    fn delete_post(&mut self, house: &House, post: usize, at: &str) {
        let (_, author, _) = self.posts.remove(self.posts.iter().position(|one| one.0 == post).unwrap());
        let body = json!({ "postId": thing(post), "authorId": house.ids[author], "wasPublished": true });
        self.tell("posts", "post.deleted", at, body);
        self.comments.retain(|comment| comment.3 != post);
        self.reactions.retain(|(of, ..), _| *of != post);
    }

    /// As `users` and `posts` tell of it.
    fn erase(&mut self, house: &House, who: usize, at: &str) {
        let body = json!({ "id": house.ids[who], "handle": null, "displayName": null, "bio": null, "avatarUrl": null, "private": 0,
            "createdAt": "", "status": "deleted", "rev": 99, "deletionId": house.ids[who] });
        self.tell("users", "user.deleted", at, body);
        for (post, ..) in self.posts.clone().iter().filter(|post| post.1 == who) {
            self.delete_post(house, *post, at);
        }
        let (theirs, kept) = self.comments.drain(..).partition(|comment| comment.1 == who);
        self.comments = kept;
        for comment in Vec::from_iter::<Vec<_>>(theirs) {
            self.tell("posts", "comment.deleted", at, uncommented(house, &comment));
        }
        let theirs: Vec<_> = self
            .reactions
            .iter()
            .filter(|(of, _)| of.2 == who)
            .map(|(of, held)| (*of, held.clone()))
            .collect();
        for ((post, host, who), held) in theirs {
            for kind in held {
                self.tell("posts", "reaction.removed", at, house.reacted(who, host, post, kind));
            }
            self.reactions.remove(&(post, host, who));
        }
        self.gone.insert(who);
    }

    /// What stands when all is told.
    fn causes(&self) -> Vec<Cause> {
        let mut causes = Vec::new();
        let mut add = |kind: &'static str, person: usize, partner: Option<usize>, at: &str| {
            let is_here = |who: usize| !self.gone.contains(&who);
            if is_here(person) && partner.is_none_or(|partner| is_here(partner) && partner != person) {
                causes.push(Cause { person, kind, partner, at: at.to_owned() });
            }
        };
        for (_, who, at) in &self.posts {
            add("post", *who, None, at);
        }
        for (_, who, host, _, at) in &self.comments {
            add("comment", *who, Some(*host), at);
            add("commented", *host, Some(*who), at);
        }
        for ((post, host, who), _) in self.reactions.iter().filter(|(_, held)| !held.is_empty()) {
            add("reacted", *host, Some(*who), &self.firsts[&(*post, *who)]);
        }
        for (who, other) in &self.following {
            add("followed", *other, Some(*who), &self.follows[&(*who, *other)]);
        }
        for (_, who, at) in self.scoops.iter().chain(&self.ended) {
            add("scoop", *who, None, at);
        }
        causes
    }
}

fn uncommented(house: &House, (comment, who, host, post, _): &(usize, usize, usize, usize, String)) -> Value {
    json!({ "commentId": thing(*comment), "postId": thing(*post), "postAuthorId": house.ids[*host], "authorId": house.ids[*who] })
}

/// Everything of it that is a number of somebody here: as the tables have it, and as it is answered.
async fn numbers(house: &House, gone: &BTreeSet<usize>) -> (Vec<String>, Vec<String>) {
    let sql = "select json_group_array(line) from (
        select concat(board, ' ', person - ?1, ' ', points, ' ', reached) as line from scores where points <> 0 order by board, person)";
    let alice: i64 = house.one("select pk from people where handle = 'alice'").await.parse().unwrap();
    let scores = house.app().db.read_as::<Vec<String>>(sql, shared::params![alice]).await.unwrap().unwrap();
    let mut answers = Vec::new();
    for who in (0..5).filter(|who| !gone.contains(who)) {
        answers.push(house.progress(who).await.to_string());
        for period in ["weekly", "monthly", "all"] {
            answers.push(house.board(period, who).await.join(", "));
        }
    }
    for sql in [
        "select group_concat(concat(person, kind, n)) from (select * from totals where n <> 0 order by person, kind)",
        "select group_concat(concat(board, ' ', step, ' ', bucket, ' ', people)) from (select * from standings where people <> 0 order by 1)",
        "select group_concat(concat(person, half, mask)) from (select * from activity order by person, half)",
    ] {
        answers.push(house.one(sql).await);
    }
    (scores, answers)
}

/// Sorted by board and person, as the tables are read.
fn expected(history: &History) -> Vec<String> {
    scores(&history.causes())
}

#[tokio::test]
async fn points_are_those_of_what_stands_in_whatever_order_sources_are_heard() {
    for seed in 0..12 {
        let mut house = start().await;
        house.clock("2026-11-02T12:00:00.000Z").await;
        let history = History::live(&house, &mut Dice(seed), 240);
        let mut dice = Dice(seed + 1_000);
        let mut left: BTreeMap<&str, std::slice::Iter<'_, Event>> =
            history.told.iter().map(|(source, events)| (*source, events.iter())).collect();
        while !left.is_empty() {
            let source = *left.keys().nth(dice.roll(left.len())).unwrap();
            for _ in 0..1 + dice.roll(20) {
                let Some((kind, at, body)) = left.get_mut(source).and_then(Iterator::next) else {
                    left.remove(source);
                    break;
                };
                house.note(source, kind, at, body.clone()).await;
            }
            if dice.roll(4) == 0 {
                // All of it once more.
                house
                    .world
                    .app(source)
                    .db
                    .rows("update outbox_cursors set seq = 0, scanned = 0", vec![])
                    .await
                    .unwrap();
            }
            house.tell(source).await;
        }
        let (found, _) = numbers(&house, &history.gone).await;
        assert_eq!(found, expected(&history), "seed {seed}");
        assert!(found.len() > 8, "seed {seed}: {found:?}");
    }
}

#[tokio::test]
async fn a_rebuild_from_history_gives_the_same_numbers_and_no_badge_again() {
    for seed in 20..26 {
        let mut house = start().await;
        house.clock("2026-11-02T12:00:00.000Z").await;
        let history = History::live(&house, &mut Dice(seed), 240);
        house.opt_out(ALICE, seed % 2 == 0).await;
        house.zone(ALICE, Some("Asia/Tokyo")).await;
        for source in ["social", "posts", "users", "scoops"] {
            for (kind, at, body) in history.told.get(source).into_iter().flatten() {
                house.note(source, kind, at, body.clone()).await;
            }
            house.tell(source).await;
            house.tick().await;
        }
        let before = numbers(&house, &history.gone).await;
        assert_eq!(before.0, expected(&history), "seed {seed}");
        let given = house.told("badge.awarded").await;
        let awards = "select json_group_array(json_array(person, badge, at)) from awards";
        let awarded = house.one(awards).await;
        assert_ne!(awarded, "[]");
        for scrubbed in [false, true] {
            if scrubbed {
                // As the sweep of each source does once everybody has heard of an erasure.
                for (source, who) in
                    SOURCES.iter().flat_map(|source| history.gone.iter().map(move |who| (source, who)))
                {
                    let sql = "update outbox set body = replace(body, ?1, ?2)";
                    let params = shared::params![house.ids[*who], shared::history::NOBODY];
                    house.world.app(source).db.rows(sql, params).await.unwrap();
                }
            }
            house.rebuild().await;
            assert_eq!(house.one("select count(*) from ledger").await, "0");
            for source in ["scoops", "users", "social", "posts"] {
                house.tick().await;
                assert_eq!(house.one("select count(*) from rebuilds").await, "1");
                house.tell(source).await;
            }
            house.tick().await;
            assert_eq!(house.one("select count(*) from rebuilds").await, "0", "it is over");
            assert_eq!(house.one("select count(*) from checks").await, "0");
            assert_eq!(numbers(&house, &history.gone).await, before, "seed {seed}, scrubbed: {scrubbed}");
            assert_eq!(
                (house.told("badge.awarded").await, house.one(awards).await),
                (given.clone(), awarded.clone())
            );
        }
    }
}

#[tokio::test]
async fn a_rebuild_that_is_begun_again_waits_for_all_of_it_and_one_that_hangs_ends_after_a_day() {
    let mut house = start().await;
    house.publish(ALICE, 1, NOW).await;
    house.scoop("scoop.published", ALICE, 2, NOW).await;
    house.tick().await;
    house.rebuild().await;
    house.tell("posts").await;
    house.rebuild().await;
    house.tell("posts").await;
    house.tick().await;
    assert_eq!(house.one("select count(*) from rebuilds").await, "1", "scoops has not told again");
    house.tell("scoops").await;
    house.tick().await;
    assert_eq!(house.one("select count(*) from rebuilds").await, "0");
    assert_eq!(house.points(ALICE).await, 15);
    house.rebuild().await;
    house.clock("2026-11-26T11:59:00.000Z").await;
    house.tick().await;
    assert_eq!(house.one("select count(*) from rebuilds").await, "1");
    house.clock("2026-11-26T12:01:00.000Z").await;
    house.tick().await;
    assert_eq!(house.one("select count(*) from rebuilds").await, "0");
}

#[tokio::test]
async fn no_badge_is_given_during_a_rebuild_for_a_past_that_did_not_last() {
    let house = start().await;
    // Published and deleted before anybody looked.
    house.publish(ALICE, 1, NOW).await;
    house.unpublish(ALICE, 1).await;
    house.tick().await;
    assert_eq!(house.one("select count(*) from awards").await, "0");
    house.rebuild().await;
    let first = json!({ "seq": 1, "type": "post.published", "key": "k", "at": NOW, "body": house.published(ALICE, 1) });
    let batch = json!({ "source": "posts", "after": 0, "events": [first] });
    house.world.post("gamification", "/internal/events", INTERNAL_TOKEN, batch).await;
    house.tick().await;
    assert_eq!(house.points(ALICE).await, 10, "that far it has been told again");
    house.tell("posts").await;
    house.tick().await;
    assert_eq!(house.one("select count(*) from rebuilds").await, "0");
    assert_eq!(house.points(ALICE).await, 0);
    assert_eq!(house.one("select count(*) from awards").await, "0");
}
