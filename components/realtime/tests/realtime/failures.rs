//! What is in the way of some holds up nobody else, and nothing is lost.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{ALICE, BOB, CARLA, POST, next, start};

#[tokio::test]
async fn while_notifications_does_not_answer_others_go_on_and_nothing_is_lost() {
    let house = start().await;
    house.tie("follow.created", CARLA, BOB).await;
    let mut alice = house.listen(ALICE).await;
    let mut carla = house.listen(CARLA).await;
    house.world.stop("notifications");
    let told = json!({ "notificationId": house.world.id(), "userId": house.ids[ALICE] });
    house.hear("notifications", "notification.created", told).await;
    house.publish(BOB, POST).await;
    let asked = Instant::now();
    assert_eq!(next(&mut carla).await.0, 1);
    assert!(asked.elapsed() < Duration::from_millis(500));
    assert!(alice.is_silent(1_200).await, "in order: what comes after waits with it");
    house.world.resume("notifications");
    // The notification itself never was; the count and the post follow.
    assert_eq!(next(&mut alice).await, (2, "unread".to_owned(), json!({ "unreadCount": 0 })));
    assert_eq!(next(&mut alice).await.0, 3);
}

#[tokio::test]
async fn what_happens_while_notifications_is_asked_is_told_after_it() {
    let house = start().await;
    let mut alice = house.listen(ALICE).await;
    let answer =
        json!({ "people": { house.ids[ALICE].to_string(): { "unreadCount": 1, "notifications": {} } } });
    let slowly = async move || {
        tokio::time::sleep(Duration::from_millis(400)).await;
        answer.to_string()
    };
    let routes = axum::Router::new().route("/internal/notifications", axum::routing::post(slowly));
    house.world.platform.mesh.lock().unwrap().insert("notifications.spin.internal".to_owned(), routes);
    let told = json!({ "notificationId": house.world.id(), "userId": house.ids[ALICE] });
    house.hear("notifications", "notification.created", told).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    house.publish(BOB, POST).await;
    assert_eq!(next(&mut alice).await, (2, "unread".to_owned(), json!({ "unreadCount": 1 })));
    assert_eq!(next(&mut alice).await.0, 3);
}

#[tokio::test]
async fn who_does_not_read_holds_up_nobody_and_finds_all_of_it() {
    let house = start().await;
    house.tie("follow.created", CARLA, BOB).await;
    let mut slow = house.listen(ALICE).await;
    let mut quick = house.listen(CARLA).await;
    for number in 1..=300 {
        house.publish(BOB, number.to_string()).await;
        if number % 100 == 0 {
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
    }
    for number in 1..=300 {
        assert_eq!(next(&mut quick).await.0, number);
    }
    for number in 1..=300 {
        assert_eq!(next(&mut slow).await.2["postId"], json!(number.to_string()));
    }
}

#[tokio::test]
async fn reconnecting_at_random_under_load_loses_and_repeats_nothing() {
    let house = start().await;
    let mut last = 0;
    let mut heard = Vec::new();
    drop(house.listen(ALICE).await);
    let writing = async {
        for number in 1..=200 {
            house.publish(BOB, number.to_string()).await;
            if number % 7 == 0 {
                tokio::time::sleep(Duration::from_millis(15)).await;
            }
        }
    };
    let reading = async {
        let mut turn = 0_u64;
        while last < 200 {
            let (mut stream, opening) = house.resume(ALICE, last).await;
            assert_eq!((opening.id, opening.name.as_str()), (Some(last), ""));
            turn += 1;
            for _ in 0..(turn * 5) % 13 {
                if last == 200 {
                    break;
                }
                let (number, _, data) = next(&mut stream).await;
                heard.push((number, data["postId"].as_str().unwrap().parse::<i64>().unwrap()));
                last = number;
            }
        }
    };
    futures_util::future::join(writing, reading).await;
    assert_eq!(heard, (1..=200).map(|number| (number, number)).collect::<Vec<_>>());
}
