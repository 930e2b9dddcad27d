//! The handlers, by noun.

pub mod comments;
pub mod feed;
pub mod internal;
pub mod lists;
pub mod posts;
pub mod reactions;
pub mod views;

use shared::app::Ctx;
use shared::auth::Bearer;
use shared::db::DbError;
use shared::error::ApiResult;
use shared::people;
use shared::trace::Trace;

use crate::model::Text;
use crate::store;

/// Runs a statement that joins its caller; where it finds nothing and the caller turns out to be in
/// good standing, once more, because they may have been new here.
async fn settled<T, F>(app: &Ctx, caller: &Bearer, run: impl Fn() -> F) -> ApiResult<Option<T>>
where
    F: Future<Output = Result<Option<T>, DbError>>,
{
    if let Some(found) = run().await? {
        return Ok(Some(found));
    }
    caller.settle(app).await?;
    Ok(run().await?)
}

/// Brings the people a text names into the projection. One who cannot be looked up is not named.
async fn meet_mentioned(app: &Ctx, trace: &Trace, text: &Text) -> ApiResult<()> {
    if text.handles.is_empty() {
        return Ok(());
    }
    for handle in store::unknown_handles(&app.db, &text.handles).await? {
        let _ = people::find_by_handle(app, trace, &handle).await;
    }
    Ok(())
}
