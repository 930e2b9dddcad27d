//! One rule on every read and every write: what somebody may not see is as if it were not.

use journeys::Person;
use serde_json::json;

use crate::{ids, stack};

struct Scene {
    author: Person,
    post: String,
    comment: String,
    tag: String,
}

impl Scene {
    fn new() -> Self {
        let author = stack().person("alice");
        let tag = format!("scene{}", author.handle);
        let post = author.publish(&format!("scene #{tag}"));
        let comment = author.post(&format!("/comments/{post}"), json!({ "text": "mine" })).expect(201);
        let comment = comment.body["id"].as_str().unwrap_or_default().to_owned();
        Self { author, post, comment, tag }
    }

    /// Every route that names the author's things, by `viewer`, answers as for a thing that is not.
    #[track_caller]
    fn is_hidden_from(&self, viewer: &Person) {
        let Self { post, comment, .. } = self;
        for path in [format!("/posts/{post}"), format!("/comments/{post}"), format!("/reactions/{post}")] {
            viewer.get(&path).expect_problem(404, "not_found");
        }
        viewer.post(&format!("/comments/{post}"), json!({ "text": "x" })).expect_problem(404, "not_found");
        viewer
            .post(&format!("/comments/{post}"), json!({ "text": "x", "parentId": comment }))
            .expect_problem(404, "not_found");
        viewer
            .post(&format!("/reactions/{post}"), json!({ "type": "like" }))
            .expect_problem(404, "not_found");
        viewer.post(&format!("/posts/{post}/view"), json!({})).expect_problem(404, "not_found");
        viewer.patch(&format!("/posts/{post}"), json!({ "text": "x" })).expect_problem(404, "not_found");
        viewer.delete(&format!("/posts/{post}")).expect_problem(404, "not_found");
        viewer.delete(&format!("/comments/{post}/{comment}")).expect_problem(404, "not_found");
        let report = json!({ "targetType": "post", "targetId": post, "reason": "spam" });
        viewer.post("/report", report).expect_problem(404, "not_found");
        let report = json!({ "targetType": "comment", "targetId": comment, "reason": "spam" });
        viewer.post("/report", report).expect_problem(404, "not_found");
        assert!(!ids(&viewer.get("/feed")).contains(&post.as_str()));
        assert!(ids(&viewer.get(&format!("/tags/{}", self.tag))).is_empty());
    }
}

#[test]
fn strangers_see_nothing_of_a_private_person() {
    let scene = Scene::new();
    let viewer = stack().person("bob");
    viewer.get(&format!("/posts/{}", scene.post)).expect(200);
    scene.author.patch("/me", json!({ "private": true })).expect(200);
    scene.is_hidden_from(&viewer);
}

#[test]
fn a_removed_follower_of_a_private_person_is_a_stranger_again() {
    let scene = Scene::new();
    let viewer = stack().person("bob");
    viewer.follow(&scene.author);
    scene.author.patch("/me", json!({ "private": true })).expect(200);
    assert_eq!(ids(&viewer.get("/feed")), [scene.post.as_str()]);
    viewer.post("/unfollow", json!({ "userId": scene.author.id })).expect(200);
    scene.is_hidden_from(&viewer);
}

#[test]
fn a_block_hides_whoever_made_it() {
    let (hers, viewer) = (Scene::new(), stack().person("bob"));
    viewer.follow(&hers.author);
    hers.author.post("/block", json!({ "userId": viewer.id })).expect(200);
    hers.is_hidden_from(&viewer);
    let (his, blocker) = (Scene::new(), stack().person("carla"));
    blocker.follow(&his.author);
    blocker.post("/block", json!({ "userId": his.author.id })).expect(200);
    his.is_hidden_from(&blocker);
}

#[test]
fn a_deleted_persons_things_are_gone_for_all() {
    let (scene, viewer) = (Scene::new(), stack().person("bob"));
    viewer.follow(&scene.author);
    scene.author.delete("/me").expect(202);
    scene.is_hidden_from(&viewer);
}

#[test]
fn a_blocked_persons_comments_and_reactions_leave_the_threads_of_others() {
    let (alice, bob, carla) = (stack().person("alice"), stack().person("bob"), stack().person("carla"));
    let post = carla.publish("a thread");
    bob.post(&format!("/comments/{post}"), json!({ "text": "from bob" })).expect(201);
    bob.post(&format!("/reactions/{post}"), json!({ "type": "like" })).expect(200);
    alice.post("/block", json!({ "userId": bob.id })).expect(200);
    assert!(ids(&alice.get(&format!("/comments/{post}"))).is_empty());
    assert!(alice.get(&format!("/reactions/{post}")).items().is_empty());
    assert_eq!(ids(&carla.get(&format!("/comments/{post}"))).len(), 1);
}
