//! What gamification tells and hears.

use gamification::events;
use shared::events::CATALOGUE;

use crate::{ALICE, BOB, NOW, keys, start};

#[tokio::test]
async fn every_event_told_has_exactly_the_members_of_the_catalogue() {
    let house = start().await;
    for post in 0..10 {
        house.publish(ALICE, post, NOW).await;
    }
    house.tick().await;
    house.delete(BOB).await;
    for kind in CATALOGUE.iter().filter(|kind| kind.source == "gamification") {
        let told = house.told(kind.name).await;
        assert!(!told.is_empty(), "{} was not told", kind.name);
        for body in told {
            let mut members = kind.body.to_vec();
            members.sort_unstable();
            assert_eq!(keys(&body), members, "{}", kind.name);
            match kind.name {
                "badge.awarded" => drop(serde_json::from_value::<events::BadgeAwarded>(body).unwrap()),
                "erasure.completed" => {
                    drop(serde_json::from_value::<events::ErasureCompleted>(body).unwrap())
                }
                other => panic!("{other} has no type"),
            }
        }
    }
}

#[tokio::test]
async fn everything_it_acts_on_is_told_to_it() {
    let house = start().await;
    let triggers = house
        .one("select group_concat(sql) from sqlite_schema where type = 'trigger' and tbl_name = 'inbox'")
        .await;
    let heard: Vec<_> = CATALOGUE
        .iter()
        .filter(|kind| kind.subscribers.contains(&"gamification"))
        .map(|kind| kind.name)
        .collect();
    for kind in &heard {
        assert!(triggers.contains(&format!("'{kind}'")), "{kind} is heard for nothing");
    }
    for kind in [
        "post.published",
        "post.deleted",
        "comment.created",
        "comment.deleted",
        "reaction.created",
        "reaction.removed",
        "follow.created",
        "follow.removed",
        "scoop.published",
        "scoop.expired",
        "scoop.deleted",
        "preferences.updated",
        "user.registered",
        "user.deleted",
        "block.created",
        "block.removed",
    ] {
        assert!(heard.contains(&kind), "{kind}");
    }
}
