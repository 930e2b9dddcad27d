//! What the services tell, and all of it again.

use serde_json::{Value, json};
use shared::ids::Id;
use shared::testing::{INTERNAL_TOKEN, World};
use shared::{events, history, params};

use crate::admin;

/// Real services tell: alice, bob, carla and dave are registered at `users`, and write at `posts`.
struct Town {
    world: World,
    ids: Vec<Id>,
    tokens: Vec<String>,
}

const TELLERS: [&str; 4] = ["users", "posts", "social", "scoops"];

async fn town() -> Town {
    let services =
        [&users::SERVICE, &posts::SERVICE, &social::SERVICE, &scoops::SERVICE, &analytics::SERVICE];
    let world =
        World::start(&services, &[("admin_emails", "root@example.org"), ("rate_limits", "off")]).await;
    let mut ids = Vec::new();
    for name in ["alice", "bob", "carla", "dave"] {
        let body = json!({ "id": world.id(), "email": format!("{name}@example.org"), "handle": name, "displayName": null,
            "inviteCode": null });
        let made = world.post("users", "/internal/people", INTERNAL_TOKEN, body).await;
        ids.push(Id::parse(made.body["id"].as_str().unwrap()).unwrap());
    }
    let tokens = ids.iter().map(|id| world.token(*id)).collect();
    let town = Town { world, ids, tokens };
    town.relay().await;
    town
}

impl Town {
    /// Until nobody has anything to tell that somebody here hears.
    async fn relay(&self) {
        loop {
            let mut told = 0;
            for teller in TELLERS.iter().chain(&["analytics"]) {
                told += events::relay_at_tick(self.world.app(teller)).await.unwrap();
            }
            if told == 0 {
                return;
            }
        }
    }

    async fn post(&self, service: &str, path: &str, who: usize, body: Value) -> Value {
        let answer = self.world.post(service, path, &self.tokens[who], body).await;
        assert!(answer.status < 300, "{path}: {answer:?}");
        answer.body
    }

    async fn publish(&self, who: usize, text: &str) -> String {
        self.post("posts", "/posts", who, json!({ "text": text })).await["id"].as_str().unwrap().to_owned()
    }

    async fn me(&self, who: usize) -> Value {
        let answer = self.world.get("analytics", "/analytics/me", &self.tokens[who]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Every number there is, as clients read them.
    async fn numbers(&self, posts: &[(usize, &str)]) -> Vec<Value> {
        let token = admin(&self.world, self.ids[0]);
        let mut numbers = vec![
            self.world.get("analytics", "/analytics/overview", &token).await.body,
            self.me(0).await,
            self.me(2).await,
        ];
        for (who, post) in posts {
            let path = format!("/analytics/posts/{post}");
            numbers.push(self.world.get("analytics", &path, &self.tokens[*who]).await.body);
        }
        numbers
    }

    async fn rebuild(&self) {
        let begun = self.world.post("analytics", "/internal/rebuild", INTERNAL_TOKEN, json!({})).await;
        assert_eq!(begun.status, 204, "{begun:?}");
        assert_eq!(self.me(0).await["totals"]["posts"], 0);
        self.relay().await;
    }

    /// Everybody who is not here has heard all there is, and 8 days go by.
    async fn sweep_after_a_week(&self) {
        let here = ["users", "posts", "social", "scoops", "analytics"];
        for teller in TELLERS {
            let app = self.world.app(teller);
            let mut others = events::subscribers_of(teller);
            others.retain(|name| !here.contains(name));
            let confirm =
                "insert into outbox_cursors (subscriber, seq) select value, (select max(seq) from outbox)
                from json_each(?1) where true on conflict (subscriber) do update set seq = excluded.seq";
            app.db.rows(confirm, params![json!(others)]).await.unwrap();
            let times = self.all(teller, "select at from outbox order by seq").await;
            app.db.rows("update outbox set at = '2026-01-01T00:00:00.000Z'", params![]).await.unwrap();
            history::sweep(app).await.unwrap();
            let back = "update outbox set at = (select value from json_each(?1) where key = seq - 1)
                where exists (select 1 from json_each(?1) where key = seq - 1)";
            app.db.rows(back, params![times]).await.unwrap();
        }
    }

    async fn all(&self, service: &str, sql: &str) -> Value {
        let rows = self.world.app(service).db.rows(sql, params![]).await.unwrap();
        rows.iter().map(|row| row[0].as_text().unwrap_or_default().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_rebuild_from_what_the_services_told_gives_the_same_numbers_after_erasure_too() {
    let town = town().await;
    let (post, other) = (town.publish(0, "hello").await, town.publish(2, "mine").await);
    let gone = town.publish(0, "bye").await;
    for id in [&post, &other, &gone] {
        for who in 0..4 {
            town.post("posts", &format!("/posts/{id}/view"), who, json!({})).await;
            town.post("posts", &format!("/reactions/{id}"), who, json!({ "type": "like" })).await;
            town.post("posts", &format!("/comments/{id}"), who, json!({ "text": "hi @bob" })).await;
        }
    }
    town.post("posts", &format!("/reactions/{post}"), 2, json!({ "type": "like" })).await;
    for who in [1, 2, 3] {
        town.post("social", "/follow", who, json!({ "userId": town.ids[0] })).await;
    }
    town.post("social", "/unfollow", 2, json!({ "userId": town.ids[0] })).await;
    assert_eq!(town.world.delete("posts", &format!("/posts/{gone}"), &town.tokens[0]).await.status, 204);
    town.relay().await;
    let totals = |views: i64, reactions: i64, comments: i64, followers: i64, posts: i64| json!({ "views": views, "reactions": reactions, "comments": comments, "followers": followers, "posts": posts });
    // What posts shows, and social.
    assert_eq!(town.me(0).await["totals"], totals(3, 3, 4, 2, 1));
    assert_eq!(town.me(2).await["totals"], totals(3, 4, 4, 0, 1));
    let posts = [(0, post.as_str()), (2, other.as_str())];
    let before = town.numbers(&posts).await;
    town.rebuild().await;
    assert_eq!(town.numbers(&posts).await, before);

    let erased = town.world.delete("users", "/me", &town.tokens[1]).await;
    assert_eq!(erased.status, 202);
    town.relay().await;
    assert_eq!(town.me(0).await["totals"], totals(3, 2, 3, 1, 1));
    assert_eq!(town.me(2).await["totals"], totals(3, 3, 3, 0, 1));
    let receipt = format!("/me/deletion/{}", erased.body["deletionId"].as_str().unwrap());
    let receipt = town.world.get("users", &receipt, "").await.body;
    assert_eq!(receipt["services"]["analytics"]["done"], true);
    let after = town.numbers(&posts).await;
    town.rebuild().await;
    assert_eq!(town.numbers(&posts).await, after);

    // What is left after a week: no viewers, nobody who was erased, and the numbers.
    town.sweep_after_a_week().await;
    for teller in ["posts", "social", "scoops"] {
        let named = format!("select count(*) from outbox where instr(body || key, '{}')", town.ids[1]);
        assert_eq!(
            town.world.app(teller).db.read(&named, params![]).await.unwrap().as_deref(),
            Some("0"),
            "{teller}"
        );
    }
    let viewers = "select distinct body ->> '$.viewerId' from outbox where type = 'post.viewed'";
    assert_eq!(town.all("posts", viewers).await, json!([history::NOBODY]));
    town.rebuild().await;
    assert_eq!(town.numbers(&posts).await, after);
}

#[tokio::test]
async fn numbers_that_went_wrong_are_right_after_a_rebuild() {
    let town = town().await;
    let post = town.publish(0, "hello").await;
    town.post("posts", &format!("/posts/{post}/view"), 1, json!({})).await;
    town.relay().await;
    let before = town.numbers(&[(0, &post)]).await;
    let db = &town.world.app("analytics").db;
    for wrong in [
        "update author_days set views = 99, posts = 7",
        "update site_days set posts = 5",
        "delete from post_days",
    ] {
        db.rows(wrong, params![]).await.unwrap();
    }
    assert_ne!(town.numbers(&[(0, &post)]).await, before);
    town.rebuild().await;
    assert_eq!(town.numbers(&[(0, &post)]).await, before);
}
