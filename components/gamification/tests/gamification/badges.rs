//! Badges: the catalogue, and when they are given.

use gamification::badges::CATALOGUE;
use serde_json::{Value, json};

use crate::{ALICE, BOB, CARLA, House, keys, one_of_crowd, start, thing};

const AT: &str = "2026-11-24T08:00:00.000Z";

async fn badges(house: &House, who: usize) -> Vec<String> {
    house.tick().await;
    let badges = house.progress(who).await["badges"].clone();
    badges.as_array().unwrap().iter().map(|badge| badge["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_catalogue_is_what_the_file_says() {
    let house = start().await;
    let answer = house.world.get("gamification", "/gamification/badges", "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let file: Value = serde_json::from_str(include_str!("../../src/badges.json")).unwrap();
    assert_eq!(answer.body, json!({ "items": file }));
}

#[tokio::test]
async fn a_badge_is_given_once_told_once_and_kept() {
    let house = start().await;
    house.publish(ALICE, 1, AT).await;
    house.tick().await;
    house.tick().await;
    let expected = json!([{ "id": "first_post", "name": "First words", "awardedAt": AT }]);
    assert_eq!(house.progress(ALICE).await["badges"], expected);
    house.unpublish(ALICE, 1).await;
    house.publish(ALICE, 2, "2026-11-24T09:00:00.000Z").await;
    house.tick().await;
    assert_eq!(house.progress(ALICE).await["badges"], expected, "and for good");
    assert!(house.told("badge.awarded").await.is_empty(), "she knows that she took a first step");
    for post in 3..12 {
        house.publish(ALICE, post, AT).await;
    }
    house.tick().await;
    house.tick().await;
    let told = house.told("badge.awarded").await;
    assert_eq!(told, [json!({ "userId": house.ids[ALICE], "badgeId": "posts_10", "name": "Storyteller" })]);
    assert_eq!(keys(&told[0]), ["badgeId", "name", "userId"]);
    assert_eq!(house.progress(BOB).await["badges"], json!([]));
    assert_eq!(house.one("select count(*) from checks").await, "0");
}

#[tokio::test]
async fn badges_come_from_the_number_they_say_and_count_what_counts() {
    let house = start().await;
    for post in 0..9 {
        house.publish(ALICE, post, AT).await;
    }
    assert_eq!(badges(&house, ALICE).await, ["first_post"]);
    house.publish(ALICE, 9, AT).await;
    assert_eq!(badges(&house, ALICE).await, ["first_post", "posts_10"]);
    // Twelve comments on a post of one's own, and ten on that of one other person on a day.
    for comment in 0..12 {
        house.comment(BOB, 100 + comment, BOB, 50, AT).await;
        house.comment(CARLA, 200 + comment, BOB, 50, AT).await;
    }
    assert_eq!(badges(&house, BOB).await, [""; 0]);
    assert_eq!(badges(&house, CARLA).await, [""; 0]);
    for day in 20..24 {
        for comment in 0..3 {
            let at = format!("2026-11-{day}T08:00:00.000Z");
            house.comment(CARLA, 1_000 + day * 10 + comment, BOB, 50, &at).await;
        }
    }
    assert_eq!(badges(&house, CARLA).await, ["comments_10"]);
    house.scoop("scoop.published", BOB, 7, AT).await;
    assert_eq!(badges(&house, BOB).await, ["first_scoop"]);
}

#[tokio::test]
async fn a_week_in_a_row_in_ones_own_zone_is_a_badge() {
    let house = start().await;
    house.zone(BOB, Some("Asia/Tokyo")).await;
    for day in 10..17 {
        // Of alice, in UTC, seven days; of bob, in Tokyo, the last is the day of the one before.
        house.react(ALICE, CARLA, 1, "like", &format!("2026-11-{day}T14:00:00.000Z")).await;
        let hour = if day == 16 { "2026-11-15T00:30" } else { &format!("2026-11-{day}T14:00") };
        house.react(BOB, CARLA, 1, "like", &format!("{hour}:00.000Z")).await;
    }
    assert_eq!(badges(&house, ALICE).await, ["streak_7"]);
    assert_eq!(badges(&house, BOB).await, [""; 0]);
    house.react(BOB, CARLA, 1, "wow", "2026-11-15T15:00:00.000Z").await;
    assert_eq!(badges(&house, BOB).await, ["streak_7"]);
}

#[tokio::test]
async fn many_people_at_once_get_theirs_in_one_tick() {
    let house = start().await;
    house.crowd(300).await;
    for number in 0..300 {
        let body =
            json!({ "postId": thing(number), "authorId": one_of_crowd(number), "visibility": "public" });
        house.note("posts", "post.published", AT, body).await;
    }
    house.tell("posts").await;
    house.tick().await;
    assert_eq!(house.one("select count(*) from awards").await, "300");
}

#[tokio::test]
async fn a_badge_that_left_the_catalogue_is_shown_no_more() {
    let house = start().await;
    let given = "insert into awards (person, badge, name, at)
        select pk, 'of_old', 'Of old', '2026-11-24T08:00:00.000Z' from people where handle = 'alice'";
    house.sql(given).await;
    assert_eq!(badges(&house, ALICE).await, [""; 0]);
    assert!(CATALOGUE.iter().all(|badge| badge.id != "of_old"));
}
