//! What administrators remove.

use serde_json::json;

use crate::{Scoops, start};

impl Scoops {
    /// Hears that something of alice's is removed.
    async fn hear_removed(&self, kind: &str, id: &str) {
        let body = json!({ "reportId": self.world.id(), "authorId": self.ids[0], "targetType": kind, "targetId": id });
        self.world.hear("scoops", "social", &[("content.removed", id, body)]).await;
    }
}

#[tokio::test]
async fn a_scoop_that_is_removed_is_gone_as_if_its_author_deleted_it() {
    let scoops = start().await;
    scoops.tie("follow.created", 1, 0).await;
    let (gone, kept) = (scoops.make(&scoops.alice).await, scoops.make(&scoops.alice).await);
    scoops.view(&gone, &scoops.bob).await;
    for kind in ["post", "comment", "user"] {
        scoops.hear_removed(kind, &gone).await;
    }
    assert!(scoops.sees(&gone, &scoops.bob).await, "it was something else");
    scoops.hear_removed("scoop", &gone).await;
    for token in [&scoops.alice, &scoops.bob] {
        assert!(!scoops.sees(&gone, token).await);
        assert!(scoops.sees(&kept, token).await);
    }
    let mine = scoops.get("/scoops/me", &scoops.alice).await;
    assert_eq!(mine.body["items"].as_array().unwrap().len(), 1);
    let told = scoops.told("scoop.deleted").await;
    assert_eq!((told.len(), &told[0]["scoopId"]), (1, &json!(gone)));
    scoops.hear_removed("scoop", &gone).await;
    assert_eq!(scoops.told("scoop.deleted").await.len(), 1, "again: nothing");
}

#[tokio::test]
async fn what_is_removed_leaves_the_archive_as_well() {
    let mut scoops = start().await;
    let scoop = scoops.make(&scoops.alice).await;
    let archived = async |scoops: &Scoops| {
        let page = scoops
            .get("/scoops/me?archived=true", &crate::lasting_token(&scoops.world, scoops.ids[0]).await)
            .await;
        page.body["items"].as_array().unwrap().len()
    };
    // An hour after its end it is in the archive and nowhere else.
    scoops.clock(26 * 3_600).await;
    scoops.tick_of_a_minute().await;
    assert_eq!(archived(&scoops).await, 1);
    scoops.hear_removed("scoop", &scoop).await;
    assert_eq!(archived(&scoops).await, 0);
    assert_eq!(scoops.one("select count(*) from scoops").await, "0");
    assert_eq!(scoops.told("scoop.deleted").await.len(), 1);
}
