use http::Method;
use serde_json::json;
use shared::testing::{INTERNAL_TOKEN, WORKER_TOKEN};

use crate::start;

const POST: &str = "01a20052-fe97-7114-a1f4-07248e949f06";

#[tokio::test]
async fn what_nobody_used_for_a_day_goes() {
    let media = start().await;
    let used = media.queued_image(&media.alice).await;
    media.work().await;
    media.post_with(POST, &used, "public").await;
    let claimed = media.queued_image(&media.alice).await;
    media.work().await;
    let body = json!({ "owner": media.ids[0], "purpose": "post", "keys": [claimed], "fields": [] });
    media.post("/internal/claims", INTERNAL_TOKEN, body).await;
    let unused = media.queued_image(&media.alice).await;
    media.work().await;
    let young = media.queued_image(&media.alice).await;
    media.sql(&format!("update media set created_at = 0 where key <> '{young}'")).await;
    media.tick().await;
    media.tick().await;
    let status = async |key: &str| media.get(&format!("/media/{key}"), &media.alice).await.status;
    assert_eq!((status(&used).await, status(&claimed).await, status(&young).await), (200, 200, 200));
    assert_eq!(status(&unused).await, 404);
    assert!(media.stored(&format!("{}/{unused}/", media.ids[0])).await.is_empty());
    assert_eq!(media.stored(&format!("{}/{used}/", media.ids[0])).await.len(), 3);
}

#[tokio::test]
async fn objects_that_belong_to_nothing_are_listed() {
    let media = start().await;
    media.queued_image(&media.alice).await;
    media.work().await;
    let app = media.world.app("media");
    let objects = app.objects().unwrap();
    for object in ["stray.jpg", &format!("{}/{POST}/1/large.jpg", media.ids[0])] {
        let put = objects.bucket().put_object(Some(objects.credentials()), object);
        let url = objects.sign(&put, shared::objects::LINK_TIME);
        assert_eq!(media.send(Method::PUT, url.as_str(), &[], b"x").await.status(), 200);
    }
    let orphans = media.get("/worker/orphans", WORKER_TOKEN).await;
    let mut found: Vec<String> = serde_json::from_value(orphans.body["orphans"].clone()).unwrap();
    found.sort();
    let mut expected = vec!["stray.jpg".to_owned(), format!("{}/{POST}/1/large.jpg", media.ids[0])];
    expected.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_store_that_stays_away_is_asked_less_and_less() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    media.disconnect_store();
    assert_eq!(media.delete(&format!("/media/{key}"), &media.alice).await, 204);
    media.tick().await;
    let waits = "select due_at > 0 and attempts = 1 from removals";
    let app = media.world.app("media");
    assert_eq!(app.db.read(waits, vec![]).await.unwrap().as_deref(), Some("1"));
}
