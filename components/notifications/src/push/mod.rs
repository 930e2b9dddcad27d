//! Pushes: what is due in the queue goes to where people want it, and comes back to the queue where that failed.

mod answers;
mod expo;
mod fcm;
mod message;
pub mod seal;
pub mod vapid;
mod webpush;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use shared::app::{App, Ctx};
use shared::clock::Instant;
use shared::db::DbError;
use shared::platform::{sleep, spawn};
use shared::trace::log;

use crate::model::{Provider, TRIED, backoff, is_wanted};
use crate::quiet::quiet_until;
use crate::store::{self, Claimed};
use answers::Verdict;
use message::Message;
use vapid::Vapid;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
const ANSWER: usize = 64 << 10;
/// Pushes sent side by side.
const BATCH: u32 = 16;
/// How long a claim holds: longer than two requests, for a token and for a push.
const LEASE: Duration = Duration::from_secs(45);
/// How long one run goes on with what is due; the next tick goes on with the rest.
const RUN: Duration = Duration::from_secs(10);
/// How long a tick waits for what it sends, and how often it looks.
const TICK: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);
/// What is due within this time after events were heard is waited for; anything else is the tick's.
const SOON: Duration = Duration::from_secs(3);

/// Sends what the events just heard have queued, when it is due: a tick may be a minute away.
pub fn send_soon(app: &Ctx) {
    let app = app.clone();
    spawn(async move { note(&app, wait_and_send(&app).await) });
}

/// Sends what is due, and is waited for a moment: a place that hangs must not hold up the clock of all services.
pub async fn send_at_tick(app: &Ctx) {
    let done = Arc::new(AtomicBool::new(false));
    let (app, told) = (app.clone(), done.clone());
    spawn(async move {
        note(&app, send_due(&app).await);
        told.store(true, Ordering::Release);
    });
    let mut waited = Duration::ZERO;
    while waited < TICK && !done.load(Ordering::Acquire) {
        sleep(LOOK).await;
        waited += LOOK;
    }
}

fn note(app: &App, sent: Result<(), DbError>) {
    if let Err(error) = sent {
        log("warn", app.service.name, "pushes not read", json!({ "error": error.to_string() }));
    }
}

async fn wait_and_send(app: &App) -> Result<(), DbError> {
    let now = app.now();
    match store::next_due(&app.db).await? {
        Some(due) if due <= now.plus(SOON).millis() => {
            let wait = u64::try_from(due - now.millis()).unwrap_or(0);
            sleep(Duration::from_millis(wait)).await;
            send_due(app).await
        }
        _ => Ok(()),
    }
}

/// Sends what is due. Two at once send each push once: who claims it has it.
async fn send_due(app: &App) -> Result<(), DbError> {
    let end = app.now().plus(RUN);
    let mut vapid = None;
    while app.now() < end {
        let claimed = store::claim_pushes(&app.db, app.now(), LEASE, BATCH).await?;
        if claimed.is_empty() {
            break;
        }
        if vapid.is_none() && claimed.iter().any(|push| push.endpoint.provider == Provider::Webpush) {
            vapid = find_key(app).await;
        }
        let sent = join_all(claimed.iter().map(|push| send_one(app, vapid.as_ref(), push))).await;
        sent.into_iter().collect::<Result<(), DbError>>()?;
    }
    Ok(())
}

async fn find_key(app: &App) -> Option<Vapid> {
    let key = vapid::key(app).await;
    if let Err(error) = &key {
        log("error", app.service.name, "no key for pushes", json!({ "error": format!("{error:#}") }));
    }
    key.ok()
}

async fn send_one(app: &App, vapid: Option<&Vapid>, push: &Claimed) -> Result<(), DbError> {
    let now = app.now();
    let preferences = push.preferences();
    let wanted = push
        .told
        .as_ref()
        .filter(|told| preferences.as_ref().is_none_or(|preferences| is_wanted(preferences, told.kind())));
    // Read, withdrawn, or never wanted: there is nothing to say.
    let Some(told) = wanted else { return store::end_push(&app.db, push).await };
    let hours = preferences.as_ref().and_then(|preferences| preferences.quiet_hours.as_ref());
    if let Some(until) = hours.and_then(|hours| quiet_until(hours, now)) {
        return store::hold_push(&app.db, push, until).await;
    }
    let message = Message::new(app.config.public_url(), told);
    let verdict = match push.endpoint.provider {
        Provider::Webpush => match vapid {
            Some(vapid) => webpush::send(app, vapid, &push.endpoint, &message).await,
            None => Verdict::later("there is no key"),
        },
        Provider::Expo => expo::send(app, &push.endpoint, &message).await,
        Provider::Fcm => fcm::send(app, &push.endpoint, &message).await,
    };
    settle(app, push, verdict, now).await
}

async fn settle(app: &App, push: &Claimed, verdict: Verdict, sent_at: Instant) -> Result<(), DbError> {
    let now = app.now();
    let tell = |message: &str, why: &str| {
        // No address: who knows it may push there.
        let fields =
            json!({ "provider": push.endpoint.provider, "failures": push.endpoint.failures, "why": why });
        log("warn", app.service.name, message, fields);
    };
    match verdict {
        Verdict::Delivered => {
            store::end_push(&app.db, push).await?;
            if push.endpoint.failures > 0 {
                store::note_success(&app.db, push.endpoint.pk).await?;
            }
            Ok(())
        }
        Verdict::Gone => store::forget_endpoint(&app.db, &push.endpoint).await,
        Verdict::Dropped(why) => {
            tell("push dropped", &why);
            store::end_push(&app.db, push).await
        }
        Verdict::Later { why, .. }
            if push.tried_at.is_some_and(|first| first <= now.minus(TRIED).millis()) =>
        {
            tell("push given up", &why);
            store::end_push(&app.db, push).await
        }
        Verdict::Later { after, why } => {
            tell("push not delivered yet", &why);
            let pause = backoff(push.endpoint.failures + 1, getrandom::u32().unwrap_or_default());
            let until = now.plus(pause.max(after.unwrap_or_default().min(TRIED)));
            store::postpone_push(&app.db, push, sent_at, until).await
        }
    }
}
