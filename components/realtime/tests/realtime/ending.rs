//! A stream ends with what opened it.

use serde_json::json;

use crate::{ALICE, BOB, POST, next, refusal, start};

#[tokio::test]
async fn a_token_that_ends_takes_its_stream_along() {
    let house = start().await;
    let token = house.token_for(ALICE, house.world.id(), 2).await;
    let ticket = house.ticket(&token).await;
    let mut by_token = house.try_open("/realtime", &token, &[]).await.unwrap();
    let mut by_ticket = house.try_open(&format!("/realtime?ticket={ticket}"), "", &[]).await.unwrap();
    let mut other = house.listen(ALICE).await;
    for stream in [&mut by_token, &mut by_ticket] {
        assert!(stream.next().await.is_some());
        assert!(stream.next().await.is_none(), "it ended");
    }
    house.eventually("select count(*) from streams", "1").await;
    house.publish(BOB, POST).await;
    assert_eq!(next(&mut other).await.0, 1, "another token's goes on");
    assert_eq!(refusal(house.try_open("/realtime", &token, &[]).await).0, 401);
}

#[tokio::test]
async fn a_session_that_ends_takes_its_streams_along_and_opens_none() {
    let house = start().await;
    let session = house.world.id();
    let token = house.token_for(ALICE, session, 900).await;
    let ticket = house.ticket(&token).await;
    let mut mine = house.try_open("/realtime", &token, &[]).await.unwrap();
    let other = house.token_for(ALICE, house.world.id(), 900).await;
    let mut others = house.try_open("/realtime", &other, &[]).await.unwrap();
    assert!(mine.next().await.is_some() && others.next().await.is_some());
    let body = json!({ "userId": house.ids[ALICE], "sessionId": session });
    house.hear("auth", "session.ended", body).await;
    assert!(mine.next().await.is_none(), "it ended");
    assert!(others.is_silent(300).await);
    assert_eq!(refusal(house.try_open("/realtime", &token, &[]).await), (401, "invalid_token".to_owned()));
    assert_eq!(refusal(house.try_open(&format!("/realtime?ticket={ticket}"), "", &[]).await).0, 401);
}

#[tokio::test]
async fn a_ticket_had_before_a_session_ended_elsewhere_opens_nothing() {
    let house = start().await;
    let session = house.world.id();
    let token = house.token_for(ALICE, session, 900).await;
    house.hear("auth", "session.ended", json!({ "userId": house.ids[ALICE], "sessionId": session })).await;
    // The token itself is good for its minutes.
    let ticket = house.ticket(&token).await;
    assert_eq!(refusal(house.try_open(&format!("/realtime?ticket={ticket}"), "", &[]).await).0, 401);
}

#[tokio::test]
async fn who_is_suspended_or_deleted_hears_nothing_more() {
    for (kind, status) in [("user.suspended", "suspended"), ("user.deleted", "deleted")] {
        let house = start().await;
        let mut stream = house.listen(ALICE).await;
        let mut others = house.listen(BOB).await;
        let change = json!({ "status": status, "deletionId": house.world.id() });
        house.change(kind, ALICE, change).await;
        assert!(stream.next().await.is_none(), "{kind}");
        assert_eq!(house.one("select count(*) from streams").await, "1", "{kind}");
        assert!(others.is_silent(100).await);
    }
}

#[tokio::test]
async fn a_stream_whose_row_is_gone_ends_at_the_next_renewal() {
    let house = start().await;
    let mut stream = house.listen(ALICE).await;
    house.sql("delete from streams").await;
    // Where an instance slept for a minute, its streams are not counted any more.
    let end = tokio::time::timeout(std::time::Duration::from_secs(17), async {
        while stream.next().await.is_some() {}
    });
    tokio::time::sleep(std::time::Duration::from_secs(8)).await;
    assert!(end.await.is_ok());
}
