//! Deleting a person, and what is held about one.

use serde_json::json;
use shared::testing::INTERNAL_TOKEN;

use crate::{ALICE, BOB, CARLA, House, NOW, keys, one_of_crowd, start, thing};

const AT: &str = "2026-11-24T08:00:00.000Z";

/// bob and what he did, and others by him.
async fn lived_in() -> House {
    let house = start().await;
    house.publish(ALICE, 1, AT).await;
    house.publish(BOB, 2, AT).await;
    house.comment(BOB, 3, ALICE, 1, AT).await;
    house.comment(CARLA, 4, BOB, 2, AT).await;
    house.react(BOB, ALICE, 1, "like", AT).await;
    house.tie("follow.created", BOB, ALICE, AT).await;
    house.tie("follow.created", ALICE, BOB, AT).await;
    house.zone(BOB, Some("Asia/Tokyo")).await;
    house.tick().await;
    house
}

#[tokio::test]
async fn a_deleted_person_is_erased_and_others_lose_what_they_earned_by_them() {
    let house = lived_in().await;
    assert_eq!(house.board("all", CARLA).await, ["1 bob 17", "2 alice 15", "3 carla 3"]);
    let bob = house.one("select pk from people where handle = 'bob'").await;
    house.delete(BOB).await;
    assert_eq!(house.board("all", CARLA).await, ["1 alice 10"]);
    assert_eq!(house.board("weekly", CARLA).await, ["1 alice 10"]);
    assert_eq!(house.points(CARLA).await, 0);
    // Himself, his four causes (a post, a comment, one received, a follower), the four others had by him (a comment, one
    // received, a reaction, a follower), half a day, a badge, his zone.
    let told = house.told("erasure.completed").await;
    assert_eq!(told.len(), 1);
    let rows = 1 + 4 + 4 + 1 + 1 + 1;
    assert_eq!((&told[0]["rows"], &told[0]["service"]), (&json!(rows), &json!("gamification")));
    for table in ["ledger", "days", "totals", "scores", "moves", "activity", "checks", "awards", "settings"] {
        assert_eq!(
            house.one(&format!("select count(*) from {table} where person = {bob}")).await,
            "0",
            "{table}"
        );
    }
    assert_eq!(house.one(&format!("select count(*) from ledger where partner = {bob}")).await, "0");
    for table in ["clearings", "withdrawn"] {
        assert_eq!(house.one(&format!("select count(*) from {table}")).await, "0", "{table}");
    }
    for path in ["/gamification/me", "/gamification/leaderboard"] {
        assert_eq!(house.get(path, BOB).await.status, 401, "{path}");
    }
    house.delete(BOB).await;
    assert_eq!(house.told("erasure.completed").await[1]["rows"], 0, "the second time nothing");
}

#[tokio::test]
async fn nothing_late_brings_a_deleted_person_or_points_by_them_back() {
    let house = lived_in().await;
    house.delete(BOB).await;
    house.publish(BOB, 20, AT).await;
    house.comment(BOB, 21, ALICE, 1, AT).await;
    house.comment(CARLA, 22, BOB, 2, AT).await;
    house.react(BOB, ALICE, 1, "love", AT).await;
    house.tie("follow.created", BOB, ALICE, AT).await;
    house.scoop("scoop.published", BOB, 23, AT).await;
    house.zone(BOB, Some("Asia/Tokyo")).await;
    house.tick().await;
    assert_eq!(house.board("all", CARLA).await, ["1 alice 10"]);
    let left = "select (select count(*) from activity join people on pk = person where status = 'deleted')
        + (select count(*) from settings join people on pk = person where status = 'deleted')";
    assert_eq!(house.one(left).await, "0");
    // Nor does an event from which they were scrubbed.
    let nobody = shared::history::NOBODY;
    let post = json!({ "postId": thing(30), "authorId": nobody, "visibility": "public" });
    house.hear("posts", "post.published", AT, post).await;
    let comment = json!({ "commentId": thing(31), "postId": thing(30), "postAuthorId": nobody, "parentId": null,
        "parentAuthorId": null, "authorId": house.ids[CARLA], "mentions": [] });
    house.hear("posts", "comment.created", AT, comment).await;
    house
        .hear("social", "follow.created", AT, json!({ "followerId": nobody, "followeeId": house.ids[CARLA] }))
        .await;
    assert_eq!(house.points(CARLA).await, 0);
    assert_eq!(house.progress(CARLA).await["longestStreakDays"], 1, "she did comment");
}

#[tokio::test]
async fn an_export_has_everything_held_about_a_person() {
    let house = lived_in().await;
    house.opt_out(BOB, true).await;
    house.unreact(BOB, ALICE, 1, "like").await;
    let path = format!("/internal/export/{}", house.ids[BOB]);
    let export = house.world.get("gamification", &path, INTERNAL_TOKEN).await.body;
    assert_eq!(keys(&export), ["activity", "badges", "earned", "optedOut", "timeZone"]);
    assert_eq!(export["activity"], json!(["2026-11-24T08:00:00Z"]));
    assert_eq!(export["badges"], json!([{ "id": "first_post", "name": "First words", "awardedAt": AT }]));
    assert_eq!((&export["optedOut"], &export["timeZone"]), (&json!(true), &json!("Asia/Tokyo")));
    let earned = |kind: &str, cause: serde_json::Value, by: serde_json::Value| json!({ "kind": kind, "cause": cause, "userId": by, "at": AT });
    let (alice, carla) = (json!(house.ids[ALICE]), json!(house.ids[CARLA]));
    let expected = [
        earned("post", json!(thing(2)), json!(null)),
        earned("comment", json!(thing(3)), alice.clone()),
        earned("commented", json!(thing(4)), carla),
        earned("followed", json!(null), alice),
    ];
    assert_eq!(export["earned"], json!(expected));
    assert_eq!(house.get(&path, BOB).await.status, 404, "not for clients");
    let nobody = format!("/internal/export/{}", house.world.id());
    assert_eq!(house.world.get("gamification", &nobody, INTERNAL_TOKEN).await.body["earned"], json!([]));
}

#[tokio::test]
async fn a_post_with_many_reactions_goes_at_once_and_leaves_every_number_true() {
    let house = start().await;
    house.crowd(600).await;
    for number in 0..600 {
        let body = json!({ "postId": thing(1), "postAuthorId": house.ids[ALICE], "type": "like",
            "userId": one_of_crowd(number) });
        house
            .note(
                "posts",
                "reaction.created",
                &format!("2026-11-{:02}T08:00:00.000Z", 20 + number / 200),
                body,
            )
            .await;
    }
    house.tell("posts").await;
    house.react(BOB, ALICE, 2, "like", AT).await;
    assert_eq!(house.points(ALICE).await, 301);
    house.unpublish(ALICE, 1).await;
    assert_eq!(house.points(ALICE).await, 1);
    assert_eq!(house.board("weekly", CARLA).await, ["1 alice 1"]);
    assert_eq!(
        house.one("select sum(n) from totals join people on pk = person where handle = 'alice'").await,
        "1"
    );
    house.publish(ALICE, 9, NOW).await;
    assert_eq!(house.points(ALICE).await, 11);
}
