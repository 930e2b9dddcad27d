//! Limits against follow spam.

use serde_json::json;
use shared::params;

use crate::common::{problem, relationship, town, town_with};

#[tokio::test]
async fn the_401st_follow_of_a_day_is_429() {
    let town = town_with(&[("rate_limits", "on")]).await;
    let answer = town.post(&town.alice, "/follow", town.bob.named()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers["ratelimit-policy"].to_str().unwrap().contains("\"follows-day\";q=400;w=86400"));
    town.rows("social", "update rate_limits set used = 400 where key like 'follows-day:%'", params![]).await;
    let refused = town.post(&town.alice, "/follow", town.carla.named()).await;
    assert_eq!(problem(&refused), (429, "rate_limited"));
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(town.tie(&town.alice, "/unfollow", &town.bob).await, relationship(&[]));
}

#[tokio::test]
async fn a_person_follows_7500_or_a_tenth_more_than_follow_them() {
    let town = town_with(&[("rate_limits", "on")]).await;
    town.tie(&town.alice, "/follow", &town.bob).await;
    let count = "update people set following = ?1, followers = ?2 where handle = 'alice'";
    town.rows("social", count, params![7_500, 0]).await;
    let refused = town.post(&town.alice, "/follow", town.carla.named()).await;
    assert_eq!(problem(&refused), (429, "rate_limited"));
    // Who is followed already is no more than before.
    assert_eq!(town.tie(&town.alice, "/follow", &town.bob).await, relationship(&["following"]));
    town.rows("social", count, params![7_500, 10_000]).await;
    assert_eq!(town.tie(&town.alice, "/follow", &town.carla).await, relationship(&["following"]));
}

#[tokio::test]
async fn nothing_is_limited_where_limits_are_off() {
    let town = town().await;
    town.rows("social", "update people set following = 10000", params![]).await;
    let answer = town.post(&town.alice, "/follow", json!({ "handle": "bob" })).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.headers.contains_key("ratelimit"));
}
