//! What counts a day, from one person and in all.

use serde_json::json;

use crate::{ALICE, BOB, CARLA, NOW, one_of_crowd, start, thing};

/// So many minutes into the day.
fn at(day: u32, minute: usize) -> String {
    format!("2026-11-{day:02}T{:02}:{:02}:00.000Z", minute / 60, minute % 60)
}

#[tokio::test]
async fn of_many_posts_the_first_of_the_day_count_and_another_day_has_its_own() {
    let house = start().await;
    for post in 0..13 {
        house.publish(ALICE, post, &at(23, post)).await;
    }
    assert_eq!(house.points(ALICE).await, 100);
    house.publish(ALICE, 20, &at(24, 0)).await;
    assert_eq!(house.points(ALICE).await, 110);
    // Three were beyond, so the fourth that goes takes something.
    for (post, points) in [(0, 110), (12, 110), (1, 110), (2, 100)] {
        house.unpublish(ALICE, post).await;
        assert_eq!(house.points(ALICE).await, points, "{post}");
    }
}

#[tokio::test]
async fn ping_pong_between_two_ends_at_22_points_a_day() {
    let house = start().await;
    for round in 0..12 {
        for (one, other) in [(ALICE, BOB), (BOB, ALICE)] {
            let number = 100 + round * 2 + one;
            house.comment(one, number, other, other, &at(23, round)).await;
            house.react(one, other, 50 + number, "like", &at(23, round)).await;
            house.tie("follow.created", one, other, &at(23, round)).await;
        }
    }
    assert_eq!((house.points(ALICE).await, house.points(BOB).await), (22, 22));
    // Somebody else still counts.
    house.comment(CARLA, 900, ALICE, ALICE, &at(23, 30)).await;
    assert_eq!((house.points(ALICE).await, house.points(CARLA).await), (24, 3));
    // What was beyond counts when an earlier one goes.
    house.uncomment(BOB, 101, ALICE, ALICE).await;
    assert_eq!((house.points(ALICE).await, house.points(BOB).await), (24, 22));
}

#[tokio::test]
async fn bulk_from_many_ends_at_the_limit_of_the_day() {
    let house = start().await;
    house.crowd(120).await;
    for number in 0..120 {
        let who = one_of_crowd(number);
        let follow = json!({ "followerId": who, "followeeId": house.ids[ALICE] });
        house.note("social", "follow.created", &at(23, number), follow).await;
        let reaction =
            json!({ "postId": thing(1), "postAuthorId": house.ids[ALICE], "userId": who, "type": "like" });
        house.note("posts", "reaction.created", &at(23, number), reaction).await;
        let body = json!({ "commentId": thing(1000 + number), "postId": thing(1), "postAuthorId": house.ids[ALICE],
            "parentId": null, "parentAuthorId": null, "authorId": who, "mentions": [] });
        house.note("posts", "comment.created", &at(23, number), body).await;
        let body = json!({ "commentId": thing(2000 + number), "postId": thing(2000 + number), "postAuthorId": who,
            "parentId": null, "parentAuthorId": null, "authorId": house.ids[BOB], "mentions": [] });
        house.note("posts", "comment.created", &at(23, number), body).await;
    }
    for source in ["social", "posts"] {
        house.tell(source).await;
    }
    assert_eq!(house.points(ALICE).await, 50 * 2 + 100 + 50 * 2);
    assert_eq!(house.points(BOB).await, 30 * 3);
    for scoop in 0..7 {
        house.scoop("scoop.published", CARLA, scoop, &at(23, scoop)).await;
    }
    assert_eq!(house.points(CARLA).await, 25);
}

#[tokio::test]
async fn what_is_beyond_a_limit_does_not_make_one_later_among_equals() {
    let house = start().await;
    for post in 0..10 {
        house.publish(ALICE, post, &at(23, post)).await;
        house.publish(BOB, 20 + post, &at(23, 20 + post)).await;
    }
    house.publish(ALICE, 50, &at(23, 600)).await;
    assert_eq!(house.board("weekly", CARLA).await, ["1 alice 100", "1 bob 100"]);
    // Where the first goes, it counts, and is the last of hers.
    house.unpublish(ALICE, 0).await;
    assert_eq!(house.board("weekly", CARLA).await, ["1 bob 100", "1 alice 100"]);
    house.scoop("scoop.published", ALICE, 99, NOW).await;
    assert_eq!(house.board("weekly", CARLA).await, ["1 alice 105", "2 bob 100"]);
}
