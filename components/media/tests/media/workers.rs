use serde_json::{Value, json};
use shared::testing::WORKER_TOKEN;

use crate::{Media, start};

async fn status(media: &Media, key: &str) -> Value {
    media.media(key, &media.alice).await["status"].clone()
}

#[tokio::test]
async fn a_job_goes_from_the_queue_to_what_is_shown() {
    let media = start().await;
    let key = media.queued_video(&media.alice).await;
    let job = media.lease().await;
    assert_eq!((&job["kind"], &job["attempt"], &job["fence"]), (&json!("video"), &json!(1), &json!(1)));
    assert_eq!((&job["source"]["contentType"], &job["variants"]), (&json!("video/mp4"), &json!([])));
    let source = media.send(http::Method::GET, job["source"]["url"].as_str().unwrap(), &[], b"").await;
    assert_eq!(source.body().as_ref(), crate::MP4);
    assert_eq!(status(&media, &key).await, "processing");
    let beat = media.tell(&job, "heartbeat", json!({ "fence": 1, "progress": 40 })).await;
    assert_eq!((beat.status, &beat.body["cancelled"]), (200, &json!(false)));
    assert_eq!(media.media(&key, &media.alice).await["progress"], 40);
    assert_eq!(media.complete(&job).await.status, 204);
    assert_eq!(media.complete(&job).await.status, 204, "told again");
    let shown = media.media(&key, &media.alice).await;
    assert_eq!(
        (&shown["status"], &shown["progress"], &shown["durationMs"]),
        (&json!("ready"), &json!(100), &json!(8500))
    );
    for (link, body) in [("url", "video.mp4"), ("posterUrl", "poster.jpg")] {
        let got = media.send(http::Method::GET, shown[link].as_str().unwrap(), &[], b"").await;
        assert_eq!((got.status().as_u16(), got.body().as_ref()), (200, body.as_bytes()));
    }
}

#[tokio::test]
async fn the_worker_token_alone_opens_the_workers_routes() {
    let media = start().await;
    for path in ["/worker/lease", "/worker/jobs/01a20052-fe97-7114-a1f4-07248e949f06/fail", "/worker/redrive"]
    {
        for token in ["", media.alice.as_str(), shared::testing::INTERNAL_TOKEN] {
            assert_eq!(media.post(path, token, json!({})).await.status, 401, "{path}");
        }
    }
    assert_eq!(media.get("/worker/queue", &media.alice).await.status, 401);
    // And it opens nothing else.
    assert_eq!(media.post("/upload-url", WORKER_TOKEN, json!({})).await.status, 401);
    let unknown = media
        .worker("jobs/01a20052-fe97-7114-a1f4-07248e949f06/heartbeat", json!({ "fence": 1, "progress": 1 }));
    assert_eq!(unknown.await.status, 404);
    assert_eq!(media.worker("lease", json!({ "worker": "w", "waitSeconds": 21 })).await.status, 422);
    assert_eq!(media.worker("lease", json!({ "worker": "", "kinds": ["video"] })).await.status, 422);
}

#[tokio::test]
async fn a_lease_is_one_workers_and_who_lost_it_changes_nothing() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    let first = media.lease().await;
    assert_eq!(media.lease().await, json!(null), "two workers, one lease");
    media.sql("update jobs set due_at = 0").await;
    let second = media.lease().await;
    assert_eq!((&second["key"], &second["fence"], &second["attempt"]), (&json!(key), &json!(2), &json!(2)));
    assert_ne!(first["upload"]["prefix"], second["upload"]["prefix"]);
    for (what, body) in [
        ("heartbeat", json!({ "fence": 1, "progress": 99 })),
        ("fail", json!({ "fence": 1, "code": "not_an_image", "detail": "x", "permanent": true })),
    ] {
        let lost = media.tell(&first, what, body).await;
        assert_eq!((lost.status, &lost.body["code"]), (409, &json!("lease_lost")), "{what}");
    }
    assert_eq!(media.complete(&first).await.status, 409);
    assert_eq!(media.media(&key, &media.alice).await["progress"], 0);
    assert_eq!(media.complete(&second).await.status, 204);
    let objects = media.stored("").await;
    assert_eq!(objects.len(), 3, "what the first attempt wrote is gone: {objects:?}");
}

#[tokio::test]
async fn workers_of_a_kind_get_jobs_of_that_kind_and_pictures_come_first() {
    let media = start().await;
    media.queued_video(&media.alice).await;
    media.queued_image(&media.alice).await;
    let lease = async |kinds: Value| {
        media.worker("lease", json!({ "worker": "w", "kinds": kinds })).await.body["job"]["kind"].clone()
    };
    assert_eq!(lease(json!([])).await, json!(null));
    assert_eq!(lease(json!(["video", "image"])).await, "image");
    assert_eq!(lease(json!(["image"])).await, json!(null));
    assert_eq!(lease(json!(["video"])).await, "video");
}

#[tokio::test]
async fn passing_faults_are_tried_again_a_few_times_and_lasting_ones_never() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    for attempt in 1..=5 {
        let job = media.lease().await;
        assert_eq!(job["attempt"], attempt);
        let fault = json!({ "fence": job["fence"], "code": "timed_out", "detail": "It took too long.", "permanent": false });
        assert_eq!(media.tell(&job, "fail", fault.clone()).await.status, 204);
        if attempt < 5 {
            assert_eq!(status(&media, &key).await, "queued");
            assert_eq!(media.tell(&job, "fail", fault).await.status, 204, "told again");
            assert_eq!(media.lease().await, json!(null), "it waits a while");
            media.sql("update jobs set due_at = 0").await;
        }
    }
    let shown = media.media(&key, &media.alice).await;
    assert_eq!((&shown["status"], &shown["error"]["code"]), (&json!("failed"), &json!("processing_failed")));
    let redriven = media.worker("redrive", json!({})).await;
    assert_eq!(redriven.body, json!({ "redriven": 1 }));
    let job = media.lease().await;
    assert_eq!((&job["attempt"], &job["fence"]), (&json!(1), &json!(6)));
    let lasting =
        json!({ "fence": 6, "code": "not_an_image", "detail": "It cannot be read.", "permanent": true });
    assert_eq!(media.tell(&job, "fail", lasting.clone()).await.status, 204);
    assert_eq!(media.tell(&job, "fail", lasting).await.status, 204, "told again");
    let shown = media.media(&key, &media.alice).await;
    assert_eq!(shown["error"], json!({ "code": "not_an_image", "detail": "It cannot be read." }));
    assert_eq!(media.worker("redrive", json!({})).await.body["redriven"], 0, "its own fault");
}

#[tokio::test]
async fn a_job_handed_back_is_anothers_at_once_and_not_counted() {
    let media = start().await;
    media.queued_image(&media.alice).await;
    let job = media.lease().await;
    let back = json!({ "fence": 1, "code": "cancelled", "detail": "", "permanent": false });
    assert_eq!(media.tell(&job, "fail", back).await.status, 204);
    let again = media.lease().await;
    assert_eq!((&again["attempt"], &again["fence"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn a_worker_that_dies_of_a_file_every_time_does_not_hang_it() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    for _ in 0..5 {
        assert_ne!(media.lease().await, json!(null));
        media.sql("update jobs set due_at = 0").await;
    }
    assert_eq!(media.lease().await, json!(null));
    media.tick().await;
    let shown = media.media(&key, &media.alice).await;
    assert_eq!((&shown["status"], &shown["error"]["code"]), (&json!("failed"), &json!("processing_failed")));
    let queue = media.get("/worker/queue", WORKER_TOKEN).await;
    assert_eq!(queue.body["dead"]["count"], 1, "{queue:?}");
}

#[tokio::test]
async fn a_worker_learns_that_nobody_wants_it_any_more() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    let job = media.lease().await;
    media.make(&job).await;
    assert_eq!(media.delete(&format!("/media/{key}"), &media.alice).await, 204);
    let beat = media.tell(&job, "heartbeat", json!({ "fence": 1, "progress": 10 })).await;
    assert_eq!((beat.status, &beat.body["cancelled"]), (200, &json!(true)));
    assert_eq!(media.complete(&job).await.status, 204, "it wrote once more");
    assert!(!media.stored("").await.is_empty());
    media.tick().await;
    assert!(media.stored("").await.is_empty());
    assert_eq!(media.tell(&job, "heartbeat", json!({ "fence": 1, "progress": 10 })).await.status, 404);
}

#[tokio::test]
async fn results_name_what_was_uploaded_by_this_attempt() {
    let media = start().await;
    let key = media.queued_image(&media.alice).await;
    let job = media.lease().await;
    let tell = async |result: Value| {
        media.tell(&job, "complete", json!({ "fence": 1, "result": result })).await.status
    };
    let missing = json!({ "width": 4, "height": 3, "blurhash": "LEHV6nWB2yk8", "variants": [
        { "name": "large", "file": "large.jpg" }, { "name": "small", "file": "small.jpg" }] });
    assert_eq!(tell(missing).await, 422, "nothing was uploaded");
    let mut result = media.make(&job).await;
    result["variants"][0]["file"] = json!("../original");
    assert_eq!(tell(result).await, 422);
    assert_eq!(tell(json!({})).await, 422);
    assert_eq!(tell(json!(null)).await, 422);
    assert_eq!(status(&media, &key).await, "processing", "it may try again");
    assert_eq!(media.complete(&job).await.status, 204);
}

#[tokio::test]
async fn a_worker_that_waits_gets_the_job_when_it_comes() {
    let media = start().await;
    let waiting = media.worker("lease", json!({ "worker": "w", "waitSeconds": 10 }));
    let uploading = async {
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        media.queued_image(&media.alice).await
    };
    let start = std::time::Instant::now();
    let (leased, key) = tokio::join!(waiting, uploading);
    assert_eq!(leased.body["job"]["key"], key);
    assert!(start.elapsed() < std::time::Duration::from_secs(5));
}

#[tokio::test]
async fn leasing_looks_into_an_index() {
    let media = start().await;
    let plan = format!("explain query plan {}", media::store::LEASE_JOB);
    let rows = media.world.app("media").db.rows(&plan, vec![shared::db::Value::Null; 5]).await.unwrap();
    let steps: Vec<&str> = rows.iter().filter_map(|row| row[3].as_text()).collect();
    let steps = steps.join("\n");
    assert!(steps.contains("USING INDEX jobs_by_due") && !steps.contains("SCAN jobs"), "{steps}");
}
