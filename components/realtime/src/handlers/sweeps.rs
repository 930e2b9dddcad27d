//! What the clock makes the service do.

use shared::app::{Ctx, is_due};
use shared::error::ApiResult;
use shared::people;
use shared::trace::Trace;

use crate::store;

/// Every ten seconds: people not told of. Every minute: what is too old.
pub async fn sweep(app: &Ctx) -> ApiResult<()> {
    if is_due(app, "unknown", 10).await? {
        let trace = Trace::fresh(app.now());
        for person in store::list_unknown(&app.db).await? {
            // Where `users` does not answer, the next time.
            let _ = people::ensure(app, &trace, person).await;
        }
    }
    if is_due(app, "forget", 60).await? {
        store::forget(&app.db, app.now()).await?;
    }
    Ok(())
}
