//! What a deletion leaves.

use serde_json::{Value, json};
use shared::events::CATALOGUE;

use crate::{ALICE, BOB, CARLA, House, POST, keys, next, start};

async fn receipts(house: &House) -> Vec<Value> {
    let sql = "select json_group_array(json(body)) from outbox where type = 'erasure.completed'";
    serde_json::from_str(&house.one(sql).await).unwrap()
}

#[tokio::test]
async fn a_deleted_person_is_erased_and_the_receipt_counts_what_was_theirs() {
    let house = start().await;
    house.tie("follow.created", BOB, CARLA).await;
    house.befriend("close_friend.added", BOB, CARLA).await;
    house.befriend("close_friend.added", ALICE, BOB).await;
    let mut alice = house.listen(ALICE).await;
    let mut bob = house.listen(BOB).await;
    house.ticket(&house.tokens[BOB]).await;
    house.publish(BOB, POST).await;
    house.publish(CARLA, POST).await;
    assert_eq!((next(&mut alice).await.0, next(&mut bob).await.0), (1, 1));
    let deletion = house.world.id();
    let change = json!({ "status": "deleted", "handle": null, "deletionId": deletion });
    house.change("user.deleted", BOB, change.clone()).await;
    house.change("user.deleted", BOB, change).await;
    // Himself, a listener, an event of his, one about him, a stream, a ticket, two friendships; the second time nothing.
    let receipt = |rows: i64| json!({ "userId": house.ids[BOB], "deletionId": deletion, "service": "realtime", "rows": rows });
    assert_eq!(receipts(&house).await, [receipt(8), receipt(0)]);
    for (table, column) in [
        ("listeners", "person"),
        ("log", "person"),
        ("log", "author"),
        ("streams", "person"),
        ("tickets", "person"),
        ("close_friends", "owner"),
        ("close_friends", "friend"),
        ("follows", "followee"),
    ] {
        assert_eq!(
            house.one(&format!("select count(*) from {table} where {column} = 2")).await,
            "0",
            "{table}"
        );
    }
    assert!(bob.next().await.is_none());
    assert!(house.try_open("/realtime", &house.tokens[BOB], &[]).await.is_err());
    // The number of what was his stays, so that nobody takes the log for cut off.
    house.tie("follow.created", ALICE, CARLA).await;
    house.publish(CARLA, POST).await;
    assert_eq!(next(&mut alice).await.0, 2);
    let (mut again, opening) = house.resume(ALICE, 0).await;
    assert_eq!((opening.name.as_str(), next(&mut again).await.0), ("", 2));
    let kept = house.one("select json_array(kind, ref, author) from log where person = 1 and seq = 1").await;
    assert_eq!(kept, r#"["nothing",null,null]"#);
}

#[tokio::test]
async fn every_event_told_has_exactly_the_members_of_the_catalogue() {
    let house = start().await;
    house.change("user.deleted", BOB, json!({ "status": "deleted", "deletionId": house.world.id() })).await;
    for kind in CATALOGUE.iter().filter(|kind| kind.source == "realtime") {
        assert_eq!(kind.name, "erasure.completed");
        for body in receipts(&house).await {
            let mut members = kind.body.to_vec();
            members.sort_unstable();
            assert_eq!(keys(&body), members);
            serde_json::from_value::<realtime::events::ErasureCompleted>(body).unwrap();
        }
    }
}
