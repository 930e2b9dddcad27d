//! `GET /feed`.

use crate::start;

#[tokio::test]
async fn the_feed_has_mine_and_those_of_people_i_follow() {
    let posts = start().await;
    posts.write(&posts.alice, "a1").await;
    posts.tie("follow.created", 1, 0).await;
    posts.write(&posts.alice, "a2").await;
    posts.write(&posts.bob, "b1").await;
    posts.write(&posts.carla, "c1").await;
    assert_eq!(posts.texts("/feed", &posts.bob).await, ["b1", "a2", "a1"]);
    posts.tie("follow.removed", 1, 0).await;
    assert_eq!(posts.texts("/feed", &posts.bob).await, ["b1"]);
    assert_eq!(posts.texts("/feed", &posts.alice).await, ["a2", "a1"]);
}
