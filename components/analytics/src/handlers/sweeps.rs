//! What the clock makes the service do.

use shared::app::{Ctx, is_due};
use shared::error::ApiResult;

use crate::model::{ACTIVITY_DAYS, day_of};
use crate::store;

/// Once an hour: forgets who was active when, as far as nothing is told of it any more.
pub async fn tick(app: &Ctx) -> ApiResult<()> {
    if is_due(app, "activity", 3_600).await? {
        store::forget_activity(&app.db, day_of(app.now()) - ACTIVITY_DAYS).await?;
    }
    Ok(())
}
