//! Tickets.

use serde_json::json;

use crate::{ALICE, keys, refusal, start};

#[tokio::test]
async fn a_ticket_opens_one_stream() {
    let house = start().await;
    let answer = house.world.post("realtime", "/realtime/ticket", &house.tokens[ALICE], json!(null)).await;
    assert_eq!((keys(&answer.body), &answer.body["expiresIn"]), (vec!["expiresIn", "ticket"], &json!(60)));
    let path = format!("/realtime?ticket={}", answer.body["ticket"].as_str().unwrap());
    let mut stream = house.try_open(&path, "", &[]).await.unwrap();
    assert!(stream.next().await.is_some());
    assert_eq!(refusal(house.try_open(&path, "", &[]).await), (401, "invalid_token".to_owned()));
    assert_eq!(house.one("select count(*) from tickets").await, "0");
}

#[tokio::test]
async fn nobody_who_reads_the_database_has_a_ticket() {
    let house = start().await;
    let ticket = house.ticket(&house.tokens[ALICE]).await;
    assert_eq!(ticket.len(), 43);
    let kept = house.one("select hash from tickets").await;
    assert!(kept.len() == 64 && kept != ticket);
    assert_eq!(refusal(house.try_open(&format!("/realtime?ticket={kept}"), "", &[]).await).0, 401);
}

#[tokio::test]
async fn of_many_who_come_with_the_same_ticket_one_gets_in() {
    let house = start().await;
    let path = format!("/realtime?ticket={}", house.ticket(&house.tokens[ALICE]).await);
    let tries = (0..8).map(|_| house.try_open(&path, "", &[]));
    let opened = futures_util::future::join_all(tries).await;
    assert_eq!(opened.iter().filter(|one| one.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_ticket_is_good_for_a_minute() {
    let mut house = start().await;
    let path = format!("/realtime?ticket={}", house.ticket(&house.tokens[ALICE]).await);
    house.clock(61).await;
    assert_eq!(refusal(house.try_open(&path, "", &[]).await).0, 401);
    house.tick().await;
    assert_eq!(house.one("select count(*) from tickets").await, "0");
}

#[tokio::test]
async fn a_ticket_needs_a_token_and_a_retry_gets_the_same_one() {
    let house = start().await;
    for token in ["", "garbage"] {
        assert_eq!(house.world.post("realtime", "/realtime/ticket", token, json!(null)).await.status, 401);
    }
    let ask = async || {
        let key = [("idempotency-key", "k")];
        let (method, path) = (http::Method::POST, "/realtime/ticket");
        house.world.call("realtime", method, path, &house.tokens[ALICE], &key, json!({})).await
    };
    let (first, again) = (ask().await, ask().await);
    assert_eq!((first.body, again.headers["idempotency-replayed"].as_bytes()), (again.body, &b"true"[..]));
}
