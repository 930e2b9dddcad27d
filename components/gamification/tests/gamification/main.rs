//! The service over a real SQLite, called as a client calls it. What it hears comes from outboxes of services of the right names,
//! by the relay that all have.

// Helpers of tests fail loudly, and their names say what they do.
#![allow(missing_docs, clippy::unwrap_used)]

mod badges;
mod boards;
mod ended;
mod erasure;
mod events;
mod limits;
mod naive;
mod order;
mod paging;
mod plans;
mod points;
mod privacy;
mod progress;
mod routes;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Value, json};
use shared::app::{App, Relay, Service};
use shared::clock::Instant;
use shared::ids::Id;
use shared::params;
use shared::testing::{Answer, INTERNAL_TOKEN, World};

/// Who tells: an outbox and its history.
const fn teller(name: &'static str) -> Service {
    Service {
        name,
        migrations: &[shared::events::CORE, shared::people::PEOPLE, shared::history::HISTORY],
        routes: shared::routes::Routes::new,
        relay: Relay::AfterAnswer,
        tick: None,
        keys: None,
        identify: None,
        rebuild: None,
    }
}

static USERS: Service = teller("users");
static POSTS: Service = teller("posts");
static SOCIAL: Service = teller("social");
static SCOOPS: Service = teller("scoops");

pub const SOURCES: [&str; 4] = ["users", "posts", "social", "scoops"];

/// Indices of the people here.
pub const ALICE: usize = 0;
pub const BOB: usize = 1;
pub const CARLA: usize = 2;
pub const DAVE: usize = 3;
pub const ERIN: usize = 4;

/// A Wednesday: what the clock of the service says.
pub const NOW: &str = "2026-11-25T12:00:00.000Z";

/// The service with people who can all call it.
pub struct House {
    pub world: World,
    pub ids: Vec<Id>,
    pub tokens: Vec<String>,
}

pub async fn start() -> House {
    start_at(NOW).await
}

/// The clock begins at `now`.
pub async fn start_at(now: &str) -> House {
    let offset = offset_to(now);
    let services = [&gamification::SERVICE, &USERS, &POSTS, &SOCIAL, &SCOOPS];
    let world = World::start(&services, &[("test_clock_offset_seconds", &offset)]).await;
    let ids = world.people("gamification", &["alice", "bob", "carla", "dave", "erin"]).await;
    let mut tokens = Vec::new();
    for id in &ids {
        tokens.push(lasting_token(&world, *id).await);
    }
    House { world, ids, tokens }
}

fn offset_to(now: &str) -> String {
    let real = shared::clock::Clock::default().now().seconds();
    (Instant::parse(now).unwrap().seconds() - real).to_string()
}

/// A token that outlives any move of the clock.
async fn lasting_token(world: &World, id: Id) -> String {
    let token = world.token(id);
    let name = URL_SAFE_NO_PAD.encode(hmac_sha256::Hash::hash(token.as_bytes()));
    let says = json!({ "user": id, "email": null, "email_verified": false, "in_admin_group": false, "expires": i64::MAX });
    world.platform.kv_set(&format!("token:{name}"), says.to_string().as_bytes()).await.unwrap();
    token
}

/// The id of the thing so numbered.
pub fn thing(number: usize) -> String {
    format!("0199b7a1-0000-7000-8000-{number:012x}")
}

/// The id of one of [`House::crowd`].
pub fn one_of_crowd(number: usize) -> String {
    format!("0199b7a2-0000-7000-8000-{number:012x}")
}

impl House {
    pub fn app(&self) -> &shared::app::Ctx {
        self.world.app("gamification")
    }

    /// The clock of the service says `now` from now on.
    pub async fn clock(&mut self, now: &str) {
        let mut platform = self.world.platform.clone();
        platform.variables.insert("test_clock_offset_seconds".to_owned(), offset_to(now));
        let service = App::start(&gamification::SERVICE, platform).await.unwrap();
        self.world.apps[0] = service;
        self.world.resume("gamification");
    }

    pub async fn get(&self, path: &str, who: usize) -> Answer {
        self.world.get("gamification", path, &self.tokens[who]).await
    }

    pub async fn progress(&self, who: usize) -> Value {
        let answer = self.get("/gamification/me", who).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    pub async fn points(&self, who: usize) -> i64 {
        self.progress(who).await["points"].as_i64().unwrap()
    }

    pub async fn opt_out(&self, who: usize, out: bool) -> Answer {
        let body = json!({ "optedOut": out });
        self.world.call("gamification", Method::PATCH, "/gamification/me", &self.tokens[who], &[], body).await
    }

    /// A leaderboard: `1 alice 10`.
    pub async fn board(&self, period: &str, who: usize) -> Vec<String> {
        let answer = self.get(&format!("/gamification/leaderboard?period={period}&limit=100"), who).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["items"].as_array().unwrap().iter().map(line).collect()
    }

    /// A source notes an event at a time, to be told later.
    pub async fn note(&self, source: &str, kind: &str, at: &str, body: Value) {
        let sql = "insert into outbox (type, key, at, body) values (?1, ?2, ?3, ?4)";
        let key = body["id"].as_str().or(body["userId"].as_str()).unwrap_or("k").to_owned();
        self.world.app(source).db.rows(sql, params![kind, key, at, body]).await.unwrap();
    }

    /// A source tells what it noted, and all of it to who began anew, as at a tick.
    pub async fn tell(&self, source: &str) {
        // A tick ends when its time is over, which comes early on a busy machine; another goes on.
        while shared::events::relay_at_tick(self.world.app(source)).await.unwrap() > 0 {}
    }

    /// An event, told at once.
    pub async fn hear(&self, source: &str, kind: &str, at: &str, body: Value) {
        self.note(source, kind, at, body).await;
        self.tell(source).await;
    }

    pub async fn publish(&self, who: usize, post: usize, at: &str) {
        self.hear("posts", "post.published", at, self.published(who, post)).await;
    }

    pub fn published(&self, who: usize, post: usize) -> Value {
        json!({ "postId": thing(post), "authorId": self.ids[who], "visibility": "public" })
    }

    pub async fn unpublish(&self, who: usize, post: usize) {
        let body = json!({ "postId": thing(post), "authorId": self.ids[who], "wasPublished": true });
        self.hear("posts", "post.deleted", NOW, body).await;
    }

    pub fn commented(&self, who: usize, comment: usize, host: usize, post: usize) -> Value {
        json!({ "commentId": thing(comment), "postId": thing(post), "postAuthorId": self.ids[host], "parentId": null,
            "parentAuthorId": null, "authorId": self.ids[who], "mentions": [] })
    }

    /// Somebody comments on a post of somebody's.
    pub async fn comment(&self, who: usize, comment: usize, host: usize, post: usize, at: &str) {
        self.hear("posts", "comment.created", at, self.commented(who, comment, host, post)).await;
    }

    pub async fn uncomment(&self, who: usize, comment: usize, host: usize, post: usize) {
        let body = json!({ "commentId": thing(comment), "postId": thing(post), "postAuthorId": self.ids[host], "authorId": self.ids[who] });
        self.hear("posts", "comment.deleted", NOW, body).await;
    }

    pub fn reacted(&self, who: usize, host: usize, post: usize, kind: &str) -> Value {
        json!({ "postId": thing(post), "postAuthorId": self.ids[host], "userId": self.ids[who], "type": kind })
    }

    pub async fn react(&self, who: usize, host: usize, post: usize, kind: &str, at: &str) {
        self.hear("posts", "reaction.created", at, self.reacted(who, host, post, kind)).await;
    }

    pub async fn unreact(&self, who: usize, host: usize, post: usize, kind: &str) {
        self.hear("posts", "reaction.removed", NOW, self.reacted(who, host, post, kind)).await;
    }

    /// Hears a tie of social: `tie("follow.created", BOB, ALICE, at)` is bob following alice.
    pub async fn tie(&self, kind: &str, one: usize, other: usize, at: &str) {
        let names = match kind.split('.').next() {
            Some("follow") => ["followerId", "followeeId"],
            Some("block") => ["blockerId", "blockedId"],
            _ => ["muterId", "mutedId"],
        };
        self.hear("social", kind, at, json!({ names[0]: self.ids[one], names[1]: self.ids[other] })).await;
    }

    /// `scoop("scoop.published", ...)` and its like.
    pub async fn scoop(&self, kind: &str, who: usize, scoop: usize, at: &str) {
        let mut body = json!({ "scoopId": thing(scoop), "authorId": self.ids[who] });
        if kind == "scoop.published" {
            body["audience"] = json!("followers");
            body["expiresAt"] = json!(at);
        }
        self.hear("scoops", kind, at, body).await;
    }

    /// Hears a change of a person.
    pub async fn change(&self, kind: &str, who: usize, change: Value) {
        self.note_change(kind, who, change).await;
        self.tell("users").await;
    }

    pub async fn note_change(&self, kind: &str, who: usize, change: Value) {
        let row = "select json_object('id', id, 'handle', handle, 'displayName', display_name, 'bio', bio, 'avatarUrl', avatar_url,
            'private', private, 'createdAt', created_at, 'status', status, 'rev', rev + 1) from people where id = ?1";
        let mut row: Value = self.app().db.read_as(row, params![self.ids[who]]).await.unwrap().unwrap();
        for (name, value) in change.as_object().unwrap() {
            row[name] = value.clone();
        }
        self.note("users", kind, NOW, row).await;
    }

    /// `users` deletes somebody.
    pub async fn delete(&self, who: usize) {
        self.change("user.deleted", who, self.deletion()).await;
    }

    pub fn deletion(&self) -> Value {
        json!({ "status": "deleted", "handle": null, "displayName": null, "deletionId": self.world.id() })
    }

    /// Somebody's quiet hours, and so their zone.
    pub async fn zone(&self, who: usize, zone: Option<&str>) {
        let hours = zone.map(|zone| json!({ "start": "22:00", "end": "07:00", "timeZone": zone }));
        let body = json!({ "userId": self.ids[who], "preferences": { "push": {}, "quietHours": hours } });
        self.hear("users", "preferences.updated", NOW, body).await;
    }

    pub async fn tick(&self) {
        let answer = self.world.post("gamification", "/internal/tick", INTERNAL_TOKEN, json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Empties what is made of events: who is asked next how far it is tells again.
    pub async fn rebuild(&self) {
        let answer = self.world.post("gamification", "/internal/rebuild", INTERNAL_TOKEN, json!({})).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// So many more people: `crowd(n)` of them are [`one_of_crowd`] up to n, called c0, c1 and so on.
    pub async fn crowd(&self, count: usize) {
        let sql = "insert into people (id, handle, status, created_at)
            select printf('0199b7a2-0000-7000-8000-%012x', value), 'c' || value, 'active', '2026-01-01T00:00:00.000Z'
            from (with recursive n (value) as (select 0 union all select value + 1 from n where value + 1 < ?1)
                select value from n)";
        self.app().db.rows(sql, params![i64::try_from(count).unwrap()]).await.unwrap();
    }

    pub async fn sql(&self, sql: &str) {
        self.app().db.rows(sql, params![]).await.unwrap();
    }

    /// One value of the database.
    pub async fn one(&self, sql: &str) -> String {
        self.app().db.read(sql, params![]).await.unwrap().unwrap_or_default()
    }

    /// The bodies of the events told so far, of one type.
    pub async fn told(&self, kind: &str) -> Vec<Value> {
        let sql =
            "select json_group_array(json(body)) from (select body from outbox where type = ?1 order by seq)";
        self.app().db.read_as(sql, params![kind]).await.unwrap().unwrap()
    }
}

/// `1 alice 10`.
pub fn line(item: &Value) -> String {
    let handle = item["user"]["handle"].as_str().unwrap();
    format!("{} {handle} {}", item["rank"], item["points"])
}

/// Status and code of a problem.
pub fn problem(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or(""))
}

/// The names of an object's members, sorted.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
