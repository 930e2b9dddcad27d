//! People who are deleted, and what is kept of people.

use serde_json::json;
use shared::testing::INTERNAL_TOKEN;

use crate::{ALICE, BOB, CARLA, House, POST, refusal, start};

async fn lived_in() -> House {
    let house = start().await;
    let bobs =
        json!({ "postId": "b", "postAuthorId": house.ids[BOB], "userId": house.ids[ALICE], "type": "like" });
    let events = [
        ("post.published", 2, house.published(ALICE, POST)),
        ("post.published", 2, house.published(BOB, "b")),
        ("post.viewed", 1, house.viewed(BOB, POST)),
        ("reaction.created", 1, house.reacted(BOB, POST, "like")),
        ("reaction.created", 1, bobs),
        ("comment.created", 1, house.commented(BOB, POST, "c1")),
        ("comment.created", 1, house.commented(CARLA, POST, "c2")),
    ];
    house.hear("posts", &events).await;
    let ties =
        [("follow.created", 1, house.follow(BOB, ALICE)), ("follow.created", 1, house.follow(CARLA, BOB))];
    house.hear("social", &ties).await;
    house
}

#[tokio::test]
async fn a_deleted_persons_numbers_go_and_those_of_others_fall_by_what_they_did() {
    let house = lived_in().await;
    house.erase(BOB).await;
    assert_eq!(refusal(&house.get("/analytics/me", BOB).await), (401, "invalid_token"));
    let totals = house.good("/analytics/me", ALICE).await["totals"].clone();
    // That somebody looked stays counted, as at posts; by whom is not known.
    assert_eq!(totals, json!({ "views": 1, "reactions": 0, "comments": 1, "followers": 0, "posts": 1 }));
    // What posts and social tell of it comes later, or came before: it changes nothing more.
    let late = [
        ("reaction.removed", 0, house.reacted(BOB, POST, "like")),
        ("comment.deleted", 0, house.uncommented(BOB, POST, "c1")),
        ("post.deleted", 0, house.gone(BOB, "b")),
        ("reaction.created", 0, house.reacted(BOB, POST, "wow")),
        ("comment.created", 0, house.commented(BOB, POST, "c3")),
        ("post.published", 0, house.published(BOB, "late")),
    ];
    house.hear("posts", &late).await;
    house
        .hear(
            "social",
            &[
                ("follow.created", 0, house.follow(BOB, ALICE)),
                ("follow.created", 0, house.follow(CARLA, BOB)),
            ],
        )
        .await;
    assert_eq!(house.good("/analytics/me", ALICE).await["totals"], totals);
    let site = house
        .one("select json_array(sum(users), sum(posts), sum(comments), sum(reactions)) from site_days")
        .await;
    assert_eq!(site, "[2,1,1,0]");
    let active =
        house.one("select json_array((select sum(active) from site_days), count(*)) from activity").await;
    assert_eq!(active, "[4,4]", "alice on two days, carla on two, one of them today");
}

#[tokio::test]
async fn the_receipt_counts_what_was_theirs() {
    let house = lived_in().await;
    house.erase(BOB).await;
    let told = "select body ->> '$.service' || ' ' || (body ->> '$.rows') from outbox where type = 'erasure.completed'";
    // Himself, a post, a reaction, a comment, two follows, two days of numbers, two of activity.
    assert_eq!(house.one(told).await, "analytics 10");
    let body = house.one("select body from outbox where type = 'erasure.completed'").await;
    let body: shared::events::ErasureCompleted = serde_json::from_str(&body).unwrap();
    assert_eq!(body.user_id, house.ids[BOB]);
}

#[tokio::test]
async fn nothing_names_a_deleted_person_but_the_row_that_keeps_them_away() {
    let house = lived_in().await;
    house.erase(BOB).await;
    let db = &house.world.app("analytics").db;
    let tables = db.rows("select name from sqlite_schema where type = 'table'", vec![]).await.unwrap();
    for table in tables.iter().filter_map(|row| row[0].as_text()) {
        // `users` told of the deletion itself, and the receipt is on its way there.
        let rest = match table {
            "people" | "outbox" => continue,
            "inbox" => " where source <> 'users'",
            _ => "",
        };
        let rows = db.rows(&format!("select * from {table}{rest}"), vec![]).await.unwrap();
        assert!(!format!("{rows:?}").contains(&house.ids[BOB].to_string()), "{table}: {rows:?}");
    }
    let left = "select json_array(handle, status, active_on) from people where status = 'deleted' and id not like '0000%'";
    assert_eq!(house.one(left).await, r#"[null,"deleted",null]"#);
}

#[tokio::test]
async fn who_looked_at_what_is_in_no_table_after_a_day() {
    let house = start().await;
    house.hear("posts", &[("post.viewed", 2, house.viewed(BOB, POST))]).await;
    house
        .hear(
            "scoops",
            &[(
                "scoop.viewed",
                2,
                json!({ "scoopId": "s", "authorId": house.ids[ALICE], "viewerId": house.ids[BOB] }),
            )],
        )
        .await;
    house.sql("delete from chores").await;
    house.world.post("analytics", "/internal/tick", INTERNAL_TOKEN, json!({})).await;
    let named = format!("select count(*) from inbox where instr(body, '{}')", house.ids[BOB]);
    assert_eq!(house.one(&named).await, "0");
    assert_eq!(house.one("select group_concat(views) from post_days").await, "1");
}

#[tokio::test]
async fn an_export_has_the_numbers_of_its_person_alone() {
    let house = lived_in().await;
    let path = format!("/internal/export/{}", house.ids[ALICE]);
    let answer = house.world.get("analytics", &path, INTERNAL_TOKEN).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let expected = json!({
        "days": [
            { "date": house.date(2), "views": 0, "reactions": 0, "comments": 0, "followers": 0, "posts": 1 },
            { "date": house.date(1), "views": 1, "reactions": 1, "comments": 2, "followers": 1, "posts": 0 },
        ],
        "posts": [{ "postId": POST, "views": 1, "reactions": 1, "comments": 2 }],
        "active": [house.date(2), house.date(1)],
    });
    assert_eq!(answer.body, expected);
    assert_eq!(house.world.get("analytics", &path, &house.tokens[ALICE]).await.status, 404);
    let nobody =
        house.world.get("analytics", &format!("/internal/export/{}", house.world.id()), INTERNAL_TOKEN).await;
    assert_eq!(nobody.body, json!({ "days": [], "posts": [], "active": [] }));
}
