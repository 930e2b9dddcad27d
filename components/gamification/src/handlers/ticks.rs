//! What the clock makes the service do.

use shared::app::{Ctx, is_due};
use shared::error::ApiResult;
use shared::trace::Trace;
use shared::{events, people};

use super::badges::award_badges;
use crate::model::{ENDED_AT_ONCE, ENDINGS_A_MINUTE, MOVES_KEPT, REBUILD_ENDS};
use crate::store;

/// Every tick: badges that were earned, told at once. Every ten seconds: people not told of. Every minute: old moves and boards.
pub async fn tick(app: &Ctx) -> ApiResult<()> {
    store::end_rebuilds(&app.db, app.now().minus(REBUILD_ENDS)).await?;
    if award_badges(app).await? {
        events::relay(app).await?;
    }
    if is_due(app, "unknown", 10).await? {
        let trace = Trace::fresh(app.now());
        for person in store::list_unknown(&app.db).await? {
            // Where `users` does not answer, the next time.
            let _ = people::ensure(app, &trace, person).await;
        }
    }
    if is_due(app, "moves", 60).await? {
        store::forget_moves(&app.db, MOVES_KEPT).await?;
    }
    if is_due(app, "boards", 60).await? {
        for _ in 0..ENDINGS_A_MINUTE {
            if !store::end_board(&app.db, app.now(), ENDED_AT_ONCE).await? {
                break;
            }
        }
    }
    Ok(())
}
