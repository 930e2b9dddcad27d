//! Whatever order events of different sources come in, and however often: the numbers are those of what was done, before and
//! after everything is told again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::history::NOBODY;
use shared::ids::Id;
use shared::testing::INTERNAL_TOKEN;

use crate::{Event, House, admin, start};

const SOURCES: [&str; 4] = ["users", "posts", "social", "scoops"];
const TYPES: [&str; 3] = ["like", "love", "wow"];

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((bits ^ (bits >> 31)) % u64::try_from(n).unwrap()).unwrap()
    }
}

/// A post that is there.
struct Post {
    author: usize,
    published: u32,
    views: BTreeMap<u32, i64>,
}

/// What is true after all that was done, and what the services told of it. Days are so many ago.
struct Town {
    dice: Dice,
    ids: Vec<Id>,
    came: Vec<u32>,
    gone: BTreeSet<usize>,
    posts: BTreeMap<String, Post>,
    reactions: BTreeMap<(String, usize, &'static str), u32>,
    comments: BTreeMap<String, (String, usize, u32)>,
    follows: BTreeMap<(usize, usize), u32>,
    active: BTreeSet<(usize, u32)>,
    told: BTreeMap<&'static str, Vec<Event>>,
}

impl Town {
    fn tell(&mut self, source: &'static str, kind: &'static str, day: u32, body: Value) {
        self.told.entry(source).or_default().push((kind, day, body));
    }

    fn somebody(&mut self) -> usize {
        loop {
            let who = self.dice.below(self.ids.len());
            if !self.gone.contains(&who) {
                return who;
            }
        }
    }

    fn some_post(&mut self) -> Option<String> {
        let count = self.posts.len();
        (count > 0).then(|| self.dice.below(count)).and_then(|nth| self.posts.keys().nth(nth).cloned())
    }

    /// One thing that somebody does on that day.
    fn live(&mut self, house: &House, day: u32) {
        let who = self.somebody();
        let id = self.ids[who];
        match self.dice.below(20) {
            0..=3 => {
                let post = house.world.id().to_string();
                self.posts.insert(post.clone(), Post { author: who, published: day, views: BTreeMap::new() });
                let body = json!({ "postId": post, "authorId": id, "visibility": "public" });
                self.tell("posts", "post.published", day, body);
                self.active.insert((who, day));
            }
            4 => {
                let Some(post) = self.some_post() else { return };
                self.delete_post(&post, day, true);
            }
            5..=8 => {
                let Some(post) = self.some_post() else { return };
                let author = self.posts[&post].author;
                *self.posts.get_mut(&post).unwrap().views.entry(day).or_default() += 1;
                let body = json!({ "postId": post, "authorId": self.ids[author], "viewerId": id });
                self.tell("posts", "post.viewed", day, body);
                self.active.insert((who, day));
            }
            9..=12 => {
                let Some(post) = self.some_post() else { return };
                let kind = TYPES[self.dice.below(TYPES.len())];
                let author = self.ids[self.posts[&post].author];
                let body = json!({ "postId": post, "postAuthorId": author, "userId": id, "type": kind });
                let key = (post, who, kind);
                if self.reactions.remove(&key).is_some() {
                    self.tell("posts", "reaction.removed", day, body);
                } else {
                    self.reactions.insert(key, day);
                    self.tell("posts", "reaction.created", day, body);
                    self.active.insert((who, day));
                }
            }
            13..=14 => {
                let Some(post) = self.some_post() else { return };
                let comment = house.world.id().to_string();
                let author = self.ids[self.posts[&post].author];
                let body = json!({ "commentId": comment, "postId": post, "postAuthorId": author, "parentId": null,
                    "parentAuthorId": null, "authorId": id, "mentions": [self.ids[0]] });
                self.comments.insert(comment, (post, who, day));
                self.tell("posts", "comment.created", day, body);
                self.active.insert((who, day));
            }
            15 => {
                let Some(comment) = self.comments.keys().next().cloned() else { return };
                self.delete_comment(&comment, day);
            }
            16..=18 => {
                let whom = self.somebody();
                if whom == who {
                    return;
                }
                let body = json!({ "followerId": id, "followeeId": self.ids[whom] });
                if self.follows.remove(&(who, whom)).is_some() {
                    self.tell("social", "follow.removed", day, body);
                } else {
                    self.follows.insert((who, whom), day);
                    self.tell("social", "follow.created", day, body);
                    self.active.insert((who, day));
                }
            }
            _ => {
                let body =
                    json!({ "scoopId": "s", "authorId": id, "audience": "followers", "expiresAt": "" });
                self.tell("scoops", "scoop.published", day, body);
                self.active.insert((who, day));
            }
        }
    }

    fn delete_comment(&mut self, comment: &str, day: u32) {
        let (post, who, _) = self.comments.remove(comment).unwrap();
        let author = self.ids[self.posts[&post].author];
        let body = json!({ "commentId": comment, "postId": post, "postAuthorId": author, "authorId": self.ids[who] });
        self.tell("posts", "comment.deleted", day, body);
    }

    /// What goes with a post goes untold.
    fn delete_post(&mut self, post: &str, day: u32, told: bool) {
        let author = self.posts.remove(post).unwrap().author;
        self.reactions.retain(|(of, _, _), _| of != post);
        self.comments.retain(|_, (of, _, _)| of != post);
        if told {
            let body = json!({ "postId": post, "authorId": self.ids[author], "wasPublished": true });
            self.tell("posts", "post.deleted", day, body);
        }
    }

    /// As `users` and `posts` do it; `social` tells nothing.
    fn erase(&mut self, house: &House, who: usize, day: u32) {
        let mut body = house.person(self.ids[who], self.came[who], "deleted", 9);
        body["deletionId"] = json!(house.world.id());
        self.tell("users", "user.deleted", day, body);
        let theirs: Vec<_> = self.reactions.keys().filter(|key| key.1 == who).cloned().collect();
        for key in theirs {
            self.reactions.remove(&key);
            let author = self.ids[self.posts[&key.0].author];
            let body =
                json!({ "postId": key.0, "postAuthorId": author, "userId": self.ids[who], "type": key.2 });
            self.tell("posts", "reaction.removed", day, body);
        }
        let theirs: Vec<String> =
            self.comments.iter().filter(|(_, of)| of.1 == who).map(|(id, _)| id.clone()).collect();
        for comment in theirs {
            self.delete_comment(&comment, day);
        }
        let theirs: Vec<String> =
            self.posts.iter().filter(|(_, post)| post.author == who).map(|(id, _)| id.clone()).collect();
        for post in theirs {
            self.delete_post(&post, day, true);
        }
        self.follows.retain(|(one, other), _| *one != who && *other != who);
        self.active.retain(|(person, _)| *person != who);
        self.gone.insert(who);
    }

    /// `(views, reactions, comments, followers, posts)` of what somebody published, on a day.
    fn day_of(&self, who: usize, day: u32) -> [i64; 5] {
        let own: Vec<(&String, &Post)> = self.posts.iter().filter(|(_, post)| post.author == who).collect();
        let is_own = |post: &String| own.iter().any(|(id, _)| *id == post);
        [
            own.iter().map(|(_, post)| post.views.get(&day).copied().unwrap_or(0)).sum(),
            count(self.reactions.iter().filter(|((post, _, _), on)| **on == day && is_own(post))),
            count(self.comments.values().filter(|(post, _, on)| *on == day && is_own(post))),
            count(self.follows.iter().filter(|((_, whom), on)| **on == day && *whom == who)),
            count(own.iter().filter(|(_, post)| post.published == day)),
        ]
    }

    async fn check(&self, house: &House, when: &str) {
        for who in (0..self.ids.len()).filter(|who| !self.gone.contains(who)) {
            let token = house.world.token(self.ids[who]);
            let answer = house.world.get("analytics", "/analytics/me?days=10", &token).await;
            assert_eq!(answer.status, 200, "{when}: {answer:?}");
            for day in 0..10 {
                let told = &answer.body["days"][9 - usize::try_from(day).unwrap()];
                let names = ["views", "reactions", "comments", "followers", "posts"];
                assert_eq!(
                    names.map(|name| told[name].as_i64().unwrap()),
                    self.day_of(who, day),
                    "{when}: {who}, {day}"
                );
            }
            for (id, post) in self.posts.iter().filter(|(_, post)| post.author == who) {
                let answer = house.world.get("analytics", &format!("/analytics/posts/{id}"), &token).await;
                let sums = ["views", "reactions", "comments"].map(|name| answer.body[name].as_i64().unwrap());
                let expected = [
                    post.views.values().sum(),
                    count(self.reactions.keys().filter(|key| key.0 == *id)),
                    count(self.comments.values().filter(|of| of.0 == *id)),
                ];
                assert_eq!(sums, expected, "{when}: {id}");
                assert_eq!(
                    answer.body["days"].as_array().unwrap().len(),
                    usize::try_from(post.published).unwrap() + 1
                );
            }
        }
        let overview = overview(house).await;
        assert_eq!(overview["posts"], self.posts.len(), "{when}");
        // And who asks.
        assert_eq!(overview["users"], self.ids.len() - self.gone.len() + 1, "{when}");
        for day in 0..10_u32 {
            let told = &overview["days"][9 - usize::try_from(day).unwrap()];
            let came = (0..self.ids.len()).filter(|who| self.came[*who] == day && !self.gone.contains(who));
            let expected = [
                count(self.active.iter().filter(|(_, on)| *on == day)),
                count(came) + i64::from(day == 0),
                count(self.posts.values().filter(|post| post.published == day)),
                count(self.comments.values().filter(|of| of.2 == day)),
                count(self.reactions.values().filter(|on| **on == day)),
            ];
            let names = ["activeUsers", "newUsers", "posts", "comments", "reactions"];
            assert_eq!(names.map(|name| told[name].as_i64().unwrap()), expected, "{when}: {day}");
        }
    }

    /// Every source in its own order, all of them mixed, with what was told before told again and what comes later too early.
    async fn deliver(&mut self, house: &House) {
        let mut next: BTreeMap<&str, usize> = BTreeMap::new();
        loop {
            let waiting: Vec<&'static str> = SOURCES
                .into_iter()
                .filter(|source| next.get(source).copied().unwrap_or(0) < self.told[source].len())
                .collect();
            if waiting.is_empty() {
                return;
            }
            let source = waiting[self.dice.below(waiting.len())];
            let from = next.get(source).copied().unwrap_or(0);
            let events = &self.told[source];
            let numbered = |range: std::ops::Range<usize>| -> Vec<(i64, Event)> {
                range.map(|index| (i64::try_from(index).unwrap() + 1, events[index].clone())).collect()
            };
            let until = (from + 1 + self.dice.below(9)).min(events.len());
            if self.dice.below(3) == 0 && until < events.len() {
                let early =
                    house.send(source, i64::try_from(until).unwrap(), &numbered(until..until + 1)).await;
                assert_eq!(early, i64::try_from(from).unwrap(), "a gap");
            }
            let start = from.saturating_sub(self.dice.below(4));
            house.send(source, i64::try_from(start).unwrap(), &numbered(start..until)).await;
            next.insert(source, until);
        }
    }
}

fn count<T>(of: impl Iterator<Item = T>) -> i64 {
    i64::try_from(of.count()).unwrap()
}

async fn overview(house: &House) -> Value {
    let token = admin(&house.world, house.ids[0]);
    let answer = house.world.get("analytics", "/analytics/overview?days=10", &token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// Ten days in which people come, do this and that, and some are deleted.
fn ten_days(house: &House, seed: u64) -> Town {
    let ids: Vec<Id> = (0..6).map(|_| house.world.id()).collect();
    let mut town = Town {
        dice: Dice(seed),
        came: (0..6).map(|who| 9 - who % 3).collect(),
        ids,
        gone: BTreeSet::new(),
        posts: BTreeMap::new(),
        reactions: BTreeMap::new(),
        comments: BTreeMap::new(),
        follows: BTreeMap::new(),
        active: BTreeSet::new(),
        told: SOURCES.into_iter().map(|source| (source, Vec::new())).collect(),
    };
    for who in 0..town.ids.len() {
        let body = house.person(town.ids[who], town.came[who], "active", 1);
        town.tell("users", "user.registered", town.came[who], body);
        town.active.insert((who, town.came[who]));
    }
    for day in (0..7).rev() {
        for _ in 0..25 {
            town.live(house, day);
        }
        if day == 4 || day == 1 {
            let who = town.somebody();
            town.erase(house, who, day);
        }
    }
    town
}

/// As `shared::history` leaves what was told: nobody in place of the erased and of viewers.
fn scrub(town: &mut Town) {
    let erased: Vec<String> = town.gone.iter().map(|who| town.ids[*who].to_string()).collect();
    // `users` keeps nothing else of somebody it erased.
    let users = town.told.get_mut("users").unwrap();
    users.retain(|(kind, _, body)| {
        *kind == "user.deleted" || !erased.iter().any(|id| body["id"] == id.as_str())
    });
    for events in town.told.values_mut() {
        for (kind, _, body) in events.iter_mut().filter(|(kind, _, _)| *kind != "user.deleted") {
            if kind.ends_with(".viewed") {
                body["viewerId"] = json!(NOBODY);
            }
            let text = erased.iter().fold(body.to_string(), |text, id| text.replace(id, NOBODY));
            *body = serde_json::from_str(&text).unwrap();
        }
    }
}

#[tokio::test]
async fn the_numbers_are_those_of_what_was_done_in_any_order_and_when_told_again() {
    for seed in 0..6 {
        let house = start().await;
        // Besides those of the town there is who asks.
        house.sql("delete from people where handle in ('bob', 'carla')").await;
        house.sql("update site_days set users = 1").await;
        let mut town = ten_days(&house, seed);
        town.deliver(&house).await;
        town.check(&house, &format!("seed {seed}")).await;
        let before = overview(&house).await;
        let viewers = "select group_concat(concat(id, register, rank)) from (select * from sketches
            join posts on pk = post order by id, register)";
        let sketches = house.one(viewers).await;
        for round in ["as told", "scrubbed"] {
            if round == "scrubbed" {
                scrub(&mut town);
            }
            let begun = house.world.post("analytics", "/internal/rebuild", INTERNAL_TOKEN, json!({})).await;
            assert_eq!(begun.status, 204, "{begun:?}");
            let empty = overview(&house).await;
            assert_eq!((&empty["posts"], &empty["dau"]), (&json!(0), &before["dau"]));
            town.deliver(&house).await;
            town.check(&house, &format!("seed {seed}, {round}")).await;
            assert_eq!(overview(&house).await, before, "seed {seed}, {round}");
            assert_eq!(house.one(viewers).await, sketches, "seed {seed}, {round}");
        }
    }
}
