//! `POST /scoops`, and a scoop by its id.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::{id_of, keys, problem, start};

#[tokio::test]
async fn a_scoop_has_exactly_the_members_of_the_contract() {
    let scoops = start().await;
    let key = scoops.world.id();
    let body = json!({ "mediaKey": key, "caption": " Look!\r\nThere. ", "expiresInHours": 2, "id": "x", "author": "x",
        "viewCount": 9, "viewed": true });
    let made = scoops.post("/scoops", &scoops.alice, body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let scoop = &made.body;
    let id = id_of(scoop);
    assert_eq!(made.headers["location"], format!("/scoops/{id}"));
    assert_eq!(
        keys(scoop),
        ["audience", "author", "caption", "createdAt", "expiresAt", "id", "media", "viewCount", "viewed"]
    );
    assert_eq!((&scoop["caption"], &scoop["audience"]), (&json!("Look!\nThere."), &json!("followers")));
    assert_eq!((&scoop["viewed"], &scoop["viewCount"]), (&json!(false), &json!(0)));
    assert_eq!((&scoop["media"]["key"], &scoop["media"]["alt"]), (&json!(key), &Value::Null));
    let time = |name: &str| shared::clock::Instant::parse(scoop[name].as_str().unwrap()).unwrap().millis();
    assert_eq!(time("expiresAt") - time("createdAt"), 2 * 3_600_000);
    let found = scoops.get(&format!("/scoops/{id}"), &scoops.bob).await;
    let mut expected = scoop.clone();
    expected["viewCount"] = Value::Null;
    assert_eq!((found.status, &found.body), (200, &expected));
    let known = [("if-none-match", found.headers["etag"].to_str().unwrap())];
    let path = format!("/scoops/{id}");
    let again = scoops.world.call("scoops", Method::GET, &path, &scoops.bob, &known, Value::Null).await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn a_body_that_will_not_do_is_refused_with_its_field() {
    let scoops = start().await;
    let key = scoops.world.id();
    for (body, field) in [
        (json!({}), "mediaKey"),
        (json!({ "mediaKey": null }), "mediaKey"),
        (json!({ "mediaKey": 5 }), "mediaKey"),
        (json!({ "mediaKey": key, "caption": "x".repeat(151) }), "caption"),
        (json!({ "mediaKey": key, "caption": "a\u{1e}b" }), "caption"),
        (json!({ "mediaKey": key, "caption": ["a"] }), "caption"),
        (json!({ "mediaKey": key, "audience": "public" }), "audience"),
        (json!({ "mediaKey": key, "expiresInHours": 0 }), "expiresInHours"),
        (json!({ "mediaKey": key, "expiresInHours": 25 }), "expiresInHours"),
        (json!({ "mediaKey": key, "expiresInHours": -1 }), "expiresInHours"),
        (json!({ "mediaKey": key, "expiresInHours": 1.5 }), "expiresInHours"),
        (json!({ "mediaKey": key, "expiresInHours": u64::MAX }), "expiresInHours"),
        (json!({ "mediaKey": key, "expiresInHours": "1" }), "expiresInHours"),
    ] {
        let answer = scoops.post("/scoops", &scoops.alice, body.clone()).await;
        assert_eq!(problem(&answer), (422, "invalid"), "{body}");
        assert_eq!(answer.body["errors"][0]["field"], field, "{body}");
    }
    assert_eq!(scoops.post("/scoops", "", json!({ "mediaKey": key })).await.status, 401);
    assert_eq!(scoops.one("select count(*) from scoops").await, "0");
}

#[tokio::test]
async fn what_media_refuses_is_refused_with_its_field() {
    let scoops = start().await;
    let refusal = async || {
        let error = shared::error::ApiError::unprocessable("not_uploaded", "Nothing was uploaded there yet.");
        let problem = error.field("mediaKey", "is not uploaded yet").problem("r");
        let kind = [("content-type", "application/problem+json")];
        (http::StatusCode::UNPROCESSABLE_ENTITY, kind, serde_json::to_string(&problem).unwrap())
    };
    scoops.media_is(axum::Router::new().route("/internal/claims", axum::routing::post(refusal)));
    let body = json!({ "mediaKey": "x" });
    let answer = scoops.post("/scoops", &scoops.alice, body.clone()).await;
    assert_eq!(problem(&answer), (422, "not_uploaded"));
    assert_eq!(answer.body["errors"][0]["field"], "mediaKey");
    // It was deleted while it was claimed.
    let nothing = async || json!({ "items": [] }).to_string();
    scoops.media_is(axum::Router::new().route("/internal/claims", axum::routing::post(nothing)));
    let answer = scoops.post("/scoops", &scoops.alice, body.clone()).await;
    assert_eq!(problem(&answer), (422, "media_not_found"));
    scoops.world.stop("media");
    assert_eq!(problem(&scoops.post("/scoops", &scoops.alice, body).await), (503, "unavailable"));
    assert_eq!(scoops.one("select count(*) from scoops").await, "0");
}

#[tokio::test]
async fn twenty_live_at_a_time_however_many_are_sent_at_once() {
    let mut scoops = start().await;
    let send = || {
        scoops.post("/scoops", &scoops.alice, json!({ "mediaKey": scoops.world.id(), "expiresInHours": 1 }))
    };
    let answers = join_all((0..30).map(|_| send())).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 20);
    assert!(answers.iter().all(|answer| answer.status == 201 || problem(answer) == (409, "scoop_limit")));
    assert_eq!(scoops.one("select count(*) from scoops").await, "20");
    scoops.make(&scoops.bob).await;
    // One that is deleted makes room for one, and those that end for as many.
    let first = answers.iter().find(|answer| answer.status == 201).unwrap();
    let path = format!("/scoops/{}", id_of(&first.body));
    assert_eq!(scoops.status(Method::DELETE, &path, &scoops.alice).await, 204);
    assert_eq!((send().await.status, send().await.status), (201, 409));
    scoops.clock(3_601).await;
    for _ in 0..20 {
        scoops.make(&scoops.alice).await;
    }
}

#[tokio::test]
async fn those_that_wait_for_their_media_count_as_well() {
    let scoops = start().await;
    scoops.claims_are("processing");
    for _ in 0..20 {
        scoops.make(&scoops.alice).await;
    }
    let answer = scoops.post("/scoops", &scoops.alice, json!({ "mediaKey": scoops.world.id() })).await;
    assert_eq!(problem(&answer), (409, "scoop_limit"));
}

#[tokio::test]
async fn a_scoop_sent_again_under_its_key_is_one_scoop() {
    let scoops = start().await;
    let body = json!({ "mediaKey": scoops.world.id() });
    let key = [("idempotency-key", "k")];
    let send = || scoops.world.call("scoops", Method::POST, "/scoops", &scoops.alice, &key, body.clone());
    let (first, again) = (send().await, send().await);
    assert_eq!((first.status, again.status, &first.body), (201, 201, &again.body));
    assert_eq!(again.headers["location"], first.headers["location"]);
    assert_eq!(scoops.one("select count(*) from scoops").await, "1");
}

#[tokio::test]
async fn a_deleted_scoop_is_gone_and_only_its_author_deletes_it() {
    let scoops = start().await;
    let made = scoops.make_with(&scoops.alice, json!({ "caption": "secret words" })).await;
    let path = format!("/scoops/{}", id_of(&made));
    let by_follower = scoops.call(Method::DELETE, &path, &scoops.bob).await;
    assert_eq!(problem(&by_follower), (403, "not_author"));
    let by_stranger = scoops.call(Method::DELETE, &path, &scoops.carla).await;
    assert_eq!(problem(&by_stranger), (404, "not_found"));
    assert_eq!(scoops.status(Method::DELETE, &path, &scoops.alice).await, 204);
    for token in [&scoops.alice, &scoops.bob] {
        assert_eq!(scoops.status(Method::GET, &path, token).await, 404);
        assert_eq!(scoops.status(Method::DELETE, &path, token).await, 404);
        assert_eq!(scoops.post(&format!("{path}/view"), token, json!(null)).await.status, 404);
        assert_eq!(scoops.status(Method::GET, &format!("{path}/viewers"), token).await, 404);
    }
    assert!(scoops.ids_of("/scoops/me", &scoops.alice).await.is_empty());
    assert!(scoops.ids_of("/scoops/me?archived=true", &scoops.alice).await.is_empty());
    assert!(scoops.authors(&scoops.bob).await.is_empty());
    let told = scoops.told("scoop.deleted").await;
    let expected =
        json!({ "scoopId": made["id"], "authorId": scoops.ids[0], "mediaKey": made["media"]["key"] });
    assert_eq!(told, [expected]);
    // Nothing of what it said is left.
    assert_eq!(
        scoops
            .one(
                "select count(*) from scoops where caption is not null or opening <> '' or media is not null"
            )
            .await,
        "0"
    );
}

#[tokio::test]
async fn ids_that_are_none_name_nothing() {
    let scoops = start().await;
    for id in ["nothing", "01a20052-fe97-7114-a1f4-07248e949f06", "%00", "' or 1=1 --"] {
        let id = id.replace(' ', "%20");
        for path in [format!("/scoops/{id}"), format!("/scoops/{id}/viewers"), format!("/scoops/user/{id}")] {
            // Who is not known here is asked of users, which is away.
            let expected = if path.contains("user/01") { 503 } else { 404 };
            assert_eq!(scoops.status(Method::GET, &path, &scoops.alice).await, expected, "{path}");
        }
        assert_eq!(scoops.status(Method::DELETE, &format!("/scoops/{id}"), &scoops.alice).await, 404);
        assert_eq!(scoops.view(&id, &scoops.alice).await, 404);
    }
}
