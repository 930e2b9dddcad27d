use serde_json::{Value as Json, json};

use super::*;
use crate::app::{Relay, Service};

use crate::testing::{INTERNAL_TOKEN, World};

const ALICE: &str = "0199b7a0-0000-7000-8000-00000000a11c";
const BOB: &str = "0199b7a0-0000-7000-8000-000000000b0b";
const CARLA: &str = "0199b7a0-0000-7000-8000-00000000ca41";

/// Tells what posts tell; `at` is in seconds from now.
static TELLER: Service = Service {
    name: "posts",
    migrations: &[crate::events::CORE, crate::people::PEOPLE, HISTORY],
    routes: crate::routes::Routes::new,
    relay: Relay::AfterAnswer,
    tick: None,
    keys: None,
    identify: None,
    rebuild: None,
};

/// Keeps what it heard, in order.
static HEARER: Service = Service {
    name: "analytics",
    migrations: &[
        crate::events::CORE,
        crate::people::PEOPLE,
        HISTORY_HEARD,
        Migration {
            name: "heard",
            sql: "create table heard (seq integer, type text, body text);\ncreate table rebuilds (at text);\ncreate trigger hear after insert on inbox begin\n    insert into heard values (new.seq, new.type, new.body);\nend;\ncreate trigger rebuilt after insert on rebuilds begin\n    delete from heard;\n    delete from inbox;\n    delete from inbox_cursors;\nend;\n",
        },
    ],
    routes: || crate::routes::Routes::new().internal("/internal/rebuild", axum::routing::post(rebuild)),
    rebuild: Some("insert into rebuilds (at) values (?1)"),
    ..TELLER
};

async fn world() -> World {
    World::start(&[&TELLER, &HEARER], &[]).await
}

async fn tell(world: &World, kind: &str, days: u64, body: Json) {
    let app = world.app("posts");
    let at = app.now().minus(DAY * u32::try_from(days).unwrap()).rfc3339();
    let sql = "insert into outbox (type, key, at, body) values (?1, 'k', ?2, ?3)";
    app.db.rows(sql, params![kind, at, body]).await.unwrap();
}

/// Everybody but analytics, who is there, has heard all of it.
async fn others_confirm(world: &World) {
    let others: Vec<_> = subscribers_of("posts").into_iter().filter(|name| *name != "analytics").collect();
    let sql = "insert into outbox_cursors (subscriber, seq) select value, (select max(seq) from outbox) from json_each(?1)
        where true on conflict (subscriber) do update set seq = excluded.seq";
    world.app("posts").db.rows(sql, params![json!(others)]).await.unwrap();
}

async fn tick(world: &World) {
    crate::events::relay_at_tick(world.app("posts")).await.unwrap();
}

async fn texts(world: &World, service: &str, sql: &str) -> Vec<String> {
    let rows = world.app(service).db.rows(sql, params![]).await.unwrap();
    rows.into_iter()
        .map(|row| row.into_iter().next().and_then(Value::into_text).unwrap_or_default())
        .collect()
}

async fn told(world: &World) -> Vec<String> {
    texts(world, "posts", "select type from outbox order by seq").await
}

#[tokio::test]
async fn history_stays_and_everything_else_goes_after_a_week() {
    let world = world().await;
    for days in [9, 1] {
        for kind in ["post.published", "post.updated", "post.viewed"] {
            tell(
                &world,
                kind,
                days,
                json!({ "postId": "p", "authorId": ALICE, "viewerId": BOB, "mentions": [] }),
            )
            .await;
        }
    }
    tick(&world).await;
    sweep(world.app("posts")).await.unwrap();
    assert_eq!(told(&world).await.len(), 6, "some have not heard of it");
    others_confirm(&world).await;
    sweep(world.app("posts")).await.unwrap();
    let left = ["post.published", "post.viewed", "post.published", "post.updated", "post.viewed"];
    assert_eq!(told(&world).await, left);
}

#[tokio::test]
async fn of_a_person_the_newest_word_stays() {
    static USERS: Service = Service { name: "users", ..TELLER };
    let world = World::start(&[&USERS], &[]).await;
    let app = world.app("users");
    app.db.rows("create index outbox_by_key on outbox (key)", params![]).await.unwrap();
    let sql = "insert into outbox (type, key, at, body) values (?1, ?2, '2026-01-01T00:00:00.000Z', '{}')";
    for (kind, key) in [
        ("user.registered", ALICE),
        ("user.registered", BOB),
        ("user.updated", ALICE),
        ("preferences.updated", ALICE),
        ("user.suspended", ALICE),
    ] {
        app.db.rows(sql, params![kind, key]).await.unwrap();
    }
    let confirm = "insert into outbox_cursors (subscriber, seq) select value, 5 from json_each(?1)";
    app.db.rows(confirm, params![json!(subscribers_of("users"))]).await.unwrap();
    sweep(app).await.unwrap();
    let left = texts(
        &world,
        "users",
        "select type || ' ' || key from outbox where type <> 'preferences.updated' order by seq",
    );
    assert_eq!(left.await, [format!("user.registered {BOB}"), format!("user.suspended {ALICE}")]);
}

#[tokio::test]
async fn who_looked_is_forgotten_after_a_day_though_nobody_heard_of_it() {
    let world = world().await;
    for days in [2, 0] {
        tell(&world, "post.viewed", days, json!({ "postId": "p", "authorId": ALICE, "viewerId": BOB })).await;
    }
    sweep(world.app("posts")).await.unwrap();
    let viewers = "select body ->> '$.viewerId' from outbox order by seq";
    assert_eq!(texts(&world, "posts", viewers).await, [NOBODY, BOB]);
    // The next sweep goes on where this one ended.
    tell(&world, "post.viewed", 0, json!({ "postId": "p", "authorId": ALICE, "viewerId": BOB })).await;
    world.app("posts").db.rows("update outbox set at = '2026-01-01T00:00:00.000Z'", params![]).await.unwrap();
    sweep(world.app("posts")).await.unwrap();
    assert_eq!(texts(&world, "posts", viewers).await, [NOBODY, NOBODY, NOBODY]);
    // Who heard of it in time has it in the inbox, and forgets it there.
    tick(&world).await;
    let app = world.app("analytics");
    app.db.rows("update inbox set body = json_set(body, '$.viewerId', ?1)", params![BOB]).await.unwrap();
    crate::events::sweep(app).await.unwrap();
    let named = texts(&world, "analytics", "select distinct body ->> '$.viewerId' from inbox").await;
    assert_eq!(named, [NOBODY]);
}

async fn erase(world: &World, person: &str) {
    let body = json!({ "id": person, "status": "deleted", "private": 0, "createdAt": "", "rev": 2, "deletionId": "d" });
    world.hear("posts", "users", &[("user.deleted", person, body)]).await;
}

#[tokio::test]
async fn who_was_erased_is_named_nowhere_once_all_have_heard_it() {
    let world = world().await;
    erase(&world, BOB).await;
    erase(&world, CARLA).await;
    let comment = json!({ "commentId": "c", "postId": "p", "postAuthorId": ALICE, "parentId": null, "parentAuthorId": BOB,
        "authorId": ALICE, "mentions": [BOB, ALICE, CARLA] });
    tell(&world, "comment.created", 0, comment.clone()).await;
    for number in 0..12 {
        let kind = format!("number {number}");
        tell(
            &world,
            "reaction.created",
            0,
            json!({ "postId": "p", "postAuthorId": BOB, "userId": BOB, "type": kind }),
        )
        .await;
    }
    let named = format!("select body from outbox where instr(body, '{BOB}')");
    sweep(world.app("posts")).await.unwrap();
    assert_eq!(texts(&world, "posts", &named).await.len(), 13, "nobody has heard of it");
    tick(&world).await;
    sweep(world.app("posts")).await.unwrap();
    assert_eq!(texts(&world, "posts", &named).await.len(), 13, "not everybody has heard of it");
    others_confirm(&world).await;
    // What is told since does not hold it up.
    tell(&world, "post.deleted", 0, json!({ "postId": "p", "authorId": ALICE, "wasPublished": true })).await;
    sweep(world.app("posts")).await.unwrap();
    assert_eq!(texts(&world, "posts", &named).await, [""; 0]);
    let mut scrubbed = comment;
    scrubbed["parentAuthorId"] = json!(NOBODY);
    scrubbed["mentions"] = json!([NOBODY, ALICE, NOBODY]);
    let first = texts(&world, "posts", "select body from outbox order by seq limit 1").await;
    assert_eq!(serde_json::from_str::<Json>(&first[0]).unwrap(), scrubbed);
    assert_eq!(texts(&world, "posts", "select person from history_erasures").await, [""; 0]);
}

async fn cursor(world: &World) -> String {
    let sql = "select seq || ' ' || scanned from outbox_cursors where subscriber = 'analytics'";
    texts(world, "posts", sql).await.remove(0)
}

const HEARD: &str = "select seq || ' ' || body from heard order by rowid";

#[tokio::test]
async fn a_rebuild_hears_everything_again_in_order_and_once() {
    let world = world().await;
    for number in 0..450 {
        tell(&world, "post.published", 0, json!({ "postId": number, "authorId": ALICE })).await;
    }
    tick(&world).await;
    let before = texts(&world, "analytics", HEARD).await;
    assert_eq!(before.len(), 450);
    for _ in 0..2 {
        let begun = world.post("analytics", "/internal/rebuild", INTERNAL_TOKEN, json!({})).await;
        assert_eq!(begun.status, 204, "{begun:?}");
        assert_eq!(texts(&world, "analytics", HEARD).await, [""; 0]);
        tick(&world).await;
        assert_eq!(texts(&world, "analytics", HEARD).await, before);
    }
    let user = world.token(world.id());
    assert_eq!(world.post("analytics", "/internal/rebuild", &user, json!({})).await.status, 404);
    assert_eq!(world.post("posts", "/internal/rebuild", INTERNAL_TOKEN, json!({})).await.status, 404);
}

#[tokio::test]
async fn who_counts_hears_of_a_post_at_the_tick() {
    let world = world().await;
    tell(&world, "post.published", 0, json!({ "postId": 0, "authorId": ALICE })).await;
    assert_eq!(crate::events::relay(world.app("posts")).await.unwrap(), Some(0));
    assert_eq!(texts(&world, "analytics", HEARD).await, [""; 0]);
    tick(&world).await;
    assert_eq!(texts(&world, "analytics", HEARD).await.len(), 1);
}

#[tokio::test]
async fn something_new_brings_everything_else_along_after_a_rebuild() {
    let world = world().await;
    for number in 0..3 {
        tell(&world, "post.published", 0, json!({ "postId": number, "authorId": ALICE })).await;
        tick(&world).await;
    }
    world.post("analytics", "/internal/rebuild", INTERNAL_TOKEN, json!({})).await;
    tell(&world, "post.published", 0, json!({ "postId": 3, "authorId": ALICE })).await;
    tick(&world).await;
    assert_eq!(texts(&world, "analytics", HEARD).await.len(), 4);
}

#[tokio::test]
async fn to_be_asked_changes_nothing_where_nothing_is_missing() {
    let world = world().await;
    tell(&world, "post.published", 0, json!({ "postId": 0, "authorId": ALICE })).await;
    for _ in 0..300 {
        tell(&world, "attachment.removed", 0, json!({ "postId": 0 })).await;
    }
    tick(&world).await;
    tick(&world).await;
    assert_eq!(cursor(&world).await, "1 301", "what it does not hear is not looked through again");
    tick(&world).await;
    assert_eq!(cursor(&world).await, "1 301");
    assert_eq!(texts(&world, "analytics", HEARD).await.len(), 1);
    // Who is not there is asked again the next time.
    world.stop("analytics");
    tick(&world).await;
    world.resume("analytics");
    tick(&world).await;
    assert_eq!(cursor(&world).await, "1 301");
}

#[tokio::test]
async fn a_confirmation_moves_no_cursor_that_moved_meanwhile() {
    let world = world().await;
    for number in 0..3 {
        tell(&world, "post.published", 0, json!({ "postId": number, "authorId": ALICE })).await;
    }
    // While the first batch is under way, another relay finds out that the hearer began anew.
    let teller = world.app("posts").clone();
    let answer = async move || {
        let sql = "insert into outbox_cursors (subscriber, seq, scanned) values ('analytics', 1, 1)";
        teller.db.rows(sql, params![]).await.unwrap();
        "{\"seq\":3}"
    };
    let slow = axum::Router::new().route("/internal/events", axum::routing::post(answer));
    world.platform.mesh.lock().unwrap().insert("analytics.spin.internal".to_owned(), slow);
    tick(&world).await;
    assert_eq!(cursor(&world).await, "1 1");
}

#[tokio::test]
async fn a_tick_waits_for_its_turn_to_relay() {
    let world = world().await;
    tell(&world, "post.published", 0, json!({ "postId": 0, "authorId": ALICE })).await;
    let app = world.app("posts");
    let held = "insert into leases (name, until) values ('relay', ?1)";
    app.db.rows(held, params![app.now().millis() + 150]).await.unwrap();
    tick(&world).await;
    assert_eq!(texts(&world, "analytics", HEARD).await.len(), 1);
}
