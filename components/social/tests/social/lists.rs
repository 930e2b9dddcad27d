//! Followers, following, blocked, muted; pages.

use serde_json::json;
use shared::params;

use crate::common::{PROFILE, Town, USER, Who, handles, keys, problem, relationship, town};

#[tokio::test]
async fn lists_are_newest_first_with_the_callers_own_relationship() {
    let town = town().await;
    town.tie(&town.bob, "/follow", &town.alice).await;
    town.tie(&town.carla, "/follow", &town.alice).await;
    town.tie(&town.bob, "/follow", &town.carla).await;
    let followers = town.get(&town.bob, "/u/alice/followers").await;
    assert_eq!(handles(&followers), ["carla", "bob"]);
    assert_eq!(keys(&followers.body["items"][0]), PROFILE);
    assert_eq!(followers.body["items"][0]["relationship"], relationship(&["following"]));
    assert_eq!(followers.body["items"][1]["relationship"], json!(null));
    assert_eq!(handles(&town.get(&town.carla, "/u/bob/following").await), ["carla", "alice"]);
    assert_eq!(handles(&town.get(&town.bob, "/u/bob/followers").await), [""; 0]);
    for path in ["/u/alice/followers", "/u/alice/following"] {
        assert_eq!(town.world.get("social", path, "").await.status, 401);
        assert_eq!(problem(&town.get(&town.bob, &path.replace("alice", "nobody")).await), (404, "not_found"));
    }
}

#[tokio::test]
async fn a_private_persons_lists_are_theirs_and_their_followers() {
    let town = town().await;
    town.tie(&town.bob, "/follow", &town.alice).await;
    town.make_private(&town.alice).await;
    for side in ["followers", "following"] {
        let path = format!("/u/alice/{side}");
        assert_eq!(town.get(&town.bob, &path).await.status, 200);
        assert_eq!(town.get(&town.alice, &path).await.status, 200);
        assert_eq!(problem(&town.get(&town.carla, &path).await), (403, "private_account"));
    }
    town.tie(&town.carla, "/follow", &town.alice).await;
    let asked = town.get(&town.carla, "/u/alice/followers").await;
    assert_eq!(problem(&asked), (403, "private_account"), "asking is not following");
}

#[tokio::test]
async fn across_a_block_lists_are_404_and_leave_each_other_out() {
    let town = town().await;
    town.tie(&town.bob, "/follow", &town.alice).await;
    town.tie(&town.carla, "/follow", &town.alice).await;
    town.tie(&town.bob, "/block", &town.carla).await;
    assert_eq!(handles(&town.get(&town.carla, "/u/alice/followers").await), ["carla"]);
    assert_eq!(handles(&town.get(&town.bob, "/u/alice/followers").await), ["bob"]);
    assert_eq!(handles(&town.get(&town.alice, "/u/alice/followers").await), ["carla", "bob"]);
    for (who, whom) in [(&town.carla, "bob"), (&town.bob, "carla")] {
        for side in ["followers", "following"] {
            let answer = town.get(who, &format!("/u/{whom}/{side}")).await;
            assert_eq!(problem(&answer), (404, "not_found"));
        }
    }
}

#[tokio::test]
async fn suspended_and_deleted_people_are_in_no_list() {
    let town = town().await;
    for who in [&town.bob, &town.carla] {
        town.tie(who, "/follow", &town.alice).await;
        town.tie(&town.alice, "/mute", who).await;
    }
    town.change(&town.bob, "user.suspended", 2, json!({ "status": "suspended" })).await;
    for path in ["/u/alice/followers", "/muted"] {
        assert_eq!(handles(&town.get(&town.alice, path).await), ["carla"], "{path}");
    }
    let gone = json!({ "status": "deleted", "handle": null, "deletionId": town.world.id() });
    town.change(&town.carla, "user.deleted", 2, gone).await;
    for path in ["/u/alice/followers", "/muted"] {
        assert_eq!(handles(&town.get(&town.alice, path).await), [""; 0], "{path}");
    }
    assert_eq!(problem(&town.get(&town.alice, "/u/bob/followers").await), (404, "not_found"));
}

#[tokio::test]
async fn blocked_and_muted_are_the_callers_own_newest_first() {
    let town = town().await;
    for who in [&town.bob, &town.carla] {
        town.tie(&town.alice, "/block", who).await;
        town.tie(&town.alice, "/mute", who).await;
    }
    for path in ["/blocked", "/muted"] {
        let page = town.get(&town.alice, path).await;
        assert_eq!(handles(&page), ["carla", "bob"], "{path}");
        assert_eq!(keys(&page.body["items"][0]), USER);
        assert_eq!(handles(&town.get(&town.bob, path).await), [""; 0]);
    }
    // Who blocks back stays in the list of the blocked, to be unblocked, and in no other.
    town.tie(&town.bob, "/block", &town.alice).await;
    assert_eq!(handles(&town.get(&town.alice, "/blocked").await), ["carla", "bob"]);
    assert_eq!(handles(&town.get(&town.alice, "/muted").await), ["carla"]);
}

/// Forty followers of alice, some at the same moment.
async fn crowd(town: &Town) -> Vec<Who> {
    let names: Vec<&'static str> = (0..40).map(|n| &*format!("fan_{n:02}").leak()).collect();
    let ids = town.world.people("social", &names).await;
    let crowd: Vec<Who> = ids
        .iter()
        .zip(&names)
        .map(|(id, handle)| Who { id: *id, handle, token: town.world.token(*id) })
        .collect();
    for (n, who) in crowd.iter().enumerate() {
        let at = format!("2026-01-01T00:00:{:02}.000Z", n / 3);
        let sql = "insert into follows select me.pk, them.pk, ?3 from people as me, people as them where me.id = ?1 and them.id = ?2";
        town.rows("social", sql, params![who.id, town.alice.id, at]).await;
    }
    crowd
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_people_come_and_go() {
    let town = town().await;
    let crowd = crowd(&town).await;
    let mut seen: Vec<String> = Vec::new();
    let mut path = "/u/alice/followers?limit=7".to_owned();
    for round in 0.. {
        let page = town.get(&town.bob, &path).await;
        seen.extend(handles(&page).iter().map(|handle| (*handle).to_owned()));
        let Some(next) = page.body["nextCursor"].as_str() else {
            break;
        };
        path = format!("/u/alice/followers?limit=7&cursor={next}");
        // One seen goes, one seen comes back as the newest.
        let fan = |handle: &str| crowd.iter().find(|who| who.handle == handle).unwrap();
        town.tie(fan(&seen[round]), "/unfollow", &town.alice).await;
        town.tie(fan(&seen[round]), "/follow", &town.alice).await;
        town.tie(fan(&seen[round + 1]), "/unfollow", &town.alice).await;
    }
    let mut once = seen.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (40, 40), "{seen:?}");
}

#[tokio::test]
async fn limits_and_cursors_that_are_none_are_422() {
    let town = town().await;
    for path in
        ["/blocked", "/muted", "/follow-requests", "/me/reports", "/u/alice/followers", "/u/alice/following"]
    {
        for query in ["limit=0", "limit=101", "limit=x", "limit="] {
            assert_eq!(town.get(&town.alice, &format!("{path}?{query}")).await.status, 422, "{path}?{query}");
        }
        // `1:x` and `1:7` in base64: the mark is ours, the rest is not.
        for cursor in ["x", "MTp4", "MTo3", "%00"] {
            let answer = town.get(&town.alice, &format!("{path}?cursor={cursor}")).await;
            assert_eq!(problem(&answer), (422, "invalid_cursor"), "{path} {cursor}");
        }
        assert_eq!(town.get(&town.alice, &format!("{path}?limit=100")).await.status, 200);
    }
}
