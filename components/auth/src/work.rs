//! What the clock makes the service do.

use futures_util::future::BoxFuture;
use shared::app::{App, Ctx, is_due};
use shared::clients::{ClientError, Users};
use shared::error::ApiResult;
use shared::trace::Trace;

use crate::store::{self, Ends};
use crate::{keys, mail, model};

/// At every tick: mail that could not be sent, registrations nobody went on with, and now and then
/// what is over.
pub fn tick<'a>(app: &'a Ctx) -> BoxFuture<'a, ApiResult<()>> {
    Box::pin(async move {
        mail::send_due(app).await?;
        settle_abandoned(app).await?;
        if is_due(app, "auth-sweep", 600).await? {
            sweep(app).await?;
        }
        Ok(())
    })
}

/// A registration torn off between `users` and here: where the person exists, their account does
/// from now on, with the password they gave; where not, the address is free again.
async fn settle_abandoned(app: &App) -> ApiResult<()> {
    let abandoned = store::list_abandoned(&app.db, app.now().minus(model::ABANDONED)).await?;
    let trace = Trace::fresh(app.now());
    for attempt in abandoned {
        match Users::new(app, &trace).person(attempt.id).await {
            Ok(person) if person.status != "deleted" => {
                store::activate_account(&app.db, &attempt, app.now()).await?;
            }
            Ok(_) => store::delete_attempt(&app.db, &attempt).await?,
            Err(ClientError::Answered(problem)) if problem.status == 404 => {
                store::delete_attempt(&app.db, &attempt).await?;
            }
            // Users does not answer: the next tick asks again.
            Err(_) => break,
        }
    }
    Ok(())
}

async fn sweep(app: &App) -> ApiResult<()> {
    let now = app.now();
    let ends = Ends {
        now,
        session: now.minus(model::REFRESH_LIVES),
        mail: now.minus(model::MAIL_LIVES),
        key: now.minus(keys::retired_lives(app)),
    };
    Ok(store::sweep(&app.db, &ends).await?)
}
