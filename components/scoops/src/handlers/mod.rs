//! The handlers, by noun.

pub mod close_friends;
pub mod feed;
pub mod internal;
pub mod lists;
pub mod scoops;
pub mod sweeps;
pub mod views;

use shared::app::Ctx;
use shared::auth::Bearer;
use shared::db::DbError;
use shared::error::ApiResult;

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
