//! What the clock makes the service do.

use serde_json::json;
use shared::app::{Ctx, is_due};
use shared::error::ApiResult;
use shared::trace::log;

use super::{purge, warn};
use crate::bucket::Store;
use crate::model::{LEASED_URLS, UNUSED};
use crate::store;

/// Pages of a listing looked through for orphans: a hundred thousand objects.
const ORPHAN_PAGES: usize = 100;

/// Every tick: deletes objects, gives up what nobody can do, tells of deletions that are complete. Every minute: what nobody used.
/// Once a day: lists what belongs to nothing.
pub async fn sweep(app: &Ctx) -> ApiResult<()> {
    let now = app.now();
    for removal in store::due_removals(&app.db, now).await? {
        match purge(app, &removal).await {
            Ok(()) => store::end_removal(&app.db, &removal.prefix).await?,
            Err(error) => {
                warn(app, "objects not deleted yet", &error);
                store::postpone_removal(&app.db, &removal.prefix, app.now()).await?;
            }
        }
    }
    store::end_erasures(&app.db).await?;
    store::bury_jobs(&app.db, now).await?;
    if is_due(app, "unused", 60).await? {
        store::remove_unused(&app.db, now.minus(UNUSED), now).await?;
        store::forget_jobs(&app.db, now.minus(LEASED_URLS)).await?;
    }
    if app.objects().is_some() && is_due(app, "orphans", 24 * 3_600).await? {
        tell_orphans(app).await;
    }
    Ok(())
}

/// For the log; a store that does not answer is told of by the removals.
async fn tell_orphans(app: &Ctx) {
    let Ok(orphans) = find_orphans(app).await else { return };
    if !orphans.is_empty() {
        let shown = &orphans[..orphans.len().min(100)];
        let fields = json!({ "count": orphans.len(), "objects": shown });
        log("warn", app.service.name, "objects that belong to nothing", fields);
    }
}

/// Objects that no media, job or removal here has.
pub async fn find_orphans(app: &Ctx) -> ApiResult<Vec<String>> {
    let bucket = Store::of(app)?;
    let (mut orphans, mut after) = (Vec::new(), None);
    for _ in 0..ORPHAN_PAGES {
        let (objects, next) = bucket.list("", after.as_deref()).await?;
        orphans.extend(store::find_orphans(&app.db, &json!(objects).to_string()).await?);
        after = next;
        if after.is_none() {
            break;
        }
    }
    Ok(orphans)
}
