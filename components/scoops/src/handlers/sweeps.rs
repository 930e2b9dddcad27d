//! What the clock makes the service do. Reads do not wait for it: each asks for the time itself.

use shared::app::{Ctx, is_due};
use shared::db::DbError;
use shared::error::ApiResult;
use shared::history;

use crate::model::{MEDIA_REMEMBERED, REMEMBERED, archive_time};
use crate::store::{self, BATCH};

/// Batches of one kind in one tick; the next goes on.
const BATCHES: usize = 20;

/// Every tick: tells of scoops that ended, and deletes those that were in the archive long enough. Every minute: forgets who
/// looked at what ended, and what else nobody needs any more.
pub async fn sweep(app: &Ctx) -> ApiResult<()> {
    let (db, now) = (&app.db, app.now());
    in_batches(|| store::end_scoops(db, now)).await?;
    in_batches(|| store::empty_archive(db, now.minus(archive_time(&app.config)), now)).await?;
    if is_due(app, "forget", 60).await? {
        let before = now.minus(REMEMBERED);
        in_batches(|| store::delete_tombstones(db, before)).await?;
        in_batches(|| store::archive_scoops(db, before)).await?;
        store::forget(db, before, now.minus(MEDIA_REMEMBERED)).await?;
    }
    history::tick(app).await
}

async fn in_batches<F>(run: impl Fn() -> F) -> Result<(), DbError>
where
    F: Future<Output = Result<usize, DbError>>,
{
    for _ in 0..BATCHES {
        if run().await? < BATCH {
            break;
        }
    }
    Ok(())
}
