use serde_json::json;

use super::*;
use crate::app::{Relay, Service};
use crate::testing::World;

static TELLER: Service = Service {
    name: "posts",
    migrations: &[CORE, crate::people::PEOPLE, history::HISTORY],
    routes: crate::routes::Routes::new,
    relay: Relay::AfterAnswer,
    tick: None,
    keys: None,
    identify: None,
    rebuild: None,
};
static BEHIND: Service = Service { name: "notifications", ..TELLER };
static PROMPT: Service = Service { name: "realtime", ..TELLER };

/// Events that `service` has applied.
async fn applied(world: &World, service: &str) -> i64 {
    let sql = "select coalesce((select seq from inbox_cursors where source = 'posts'), 0)";
    world.app(service).db.read_as(sql, params![]).await.unwrap().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_far_behind_holds_nobody_else_up() {
    let world = World::start(&[&TELLER, &BEHIND, &PROMPT], &[]).await;
    let app = world.app("posts").clone();
    let many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
        insert into outbox (type, key, at, body) select 'reaction.created', 'k', '2026-01-01T00:00:00.000Z', '{}' from n";
    app.db.rows(many, params![]).await.unwrap();
    let relaying = tokio::spawn({
        let app = app.clone();
        async move { relay(&app).await }
    });
    while applied(&world, "notifications").await == 0 {
        tokio::task::yield_now().await;
    }
    let one = "insert into outbox (type, key, at, body) values ('post.published', 'k', ?1, ?2)";
    app.db.rows(one, params!["2026-01-01T00:00:00.000Z", json!({ "postId": "p" })]).await.unwrap();
    while applied(&world, "realtime").await == 0 {
        tokio::task::yield_now().await;
    }
    assert!(applied(&world, "notifications").await < 20_000);
    // And in the end it has all.
    relaying.await.unwrap().unwrap();
    while applied(&world, "notifications").await < 20_000 {
        relay(&app).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_all_have_something_to_tell_relay_together() {
    let world = World::start(&[&TELLER, &PROMPT], &[]).await;
    let app = world.app("posts").clone();
    let counted = "create table rounds (at integer)";
    let by = |event: &str| {
        format!(
            "create trigger counted_{event} after {event} on outbox_cursors when new.subscriber = 'realtime' begin insert into rounds values (1); end"
        )
    };
    for sql in [counted, &by("insert"), &by("update")] {
        app.db.rows(sql, params![]).await.unwrap();
    }
    let mut instances = vec![app.clone()];
    for _ in 0..3 {
        instances.push(App::start(&TELLER, app.platform.clone()).await.unwrap());
    }
    let start = std::time::Instant::now();
    let one = "insert into outbox (type, key, at, body) values ('post.published', 'k', ?1, ?2)";
    for (number, instance) in (0..80).zip(instances.iter().cycle()) {
        let body = json!({ "postId": format!("p{number}") });
        instance.db.rows(one, params!["2026-01-01T00:00:00.000Z", body]).await.unwrap();
        relay_soon(instance);
        crate::platform::sleep(Duration::from_millis(4)).await;
    }
    while applied(&world, "realtime").await < 80 {
        crate::platform::sleep(TURN).await;
    }
    let rounds: i64 = app.db.read_as("select count(*) from rounds", params![]).await.unwrap().unwrap();
    let pauses = i64::try_from(start.elapsed().as_millis() / GATHER.as_millis()).unwrap();
    assert!(rounds <= pauses + 3, "{rounds} rounds in the time of {pauses}");
}
