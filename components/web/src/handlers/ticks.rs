//! The clock: what makes things happen that no request asks for.

use std::future::ready;
use std::time::Duration;

use axum::extract::State;
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use http::StatusCode;
use serde_json::{Map, Value, json};
use shared::answer;
use shared::app::{App, Ctx};
use shared::auth::{Worker, forget_expired};
use shared::clients::Client;
use shared::clock::Instant;
use shared::error::ApiResult;
use shared::platform::{self, sleep};
use shared::trace::{Trace, log};

use crate::SERVICES;

/// How long the tick of one service may take; what it does not finish, the next goes on with.
const TICK_TIME: Duration = Duration::from_secs(30);
/// How long the answer waits for all. Who is slower, at a store that crawls, say, must not hold up the next tick of the others.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often remembered tokens that ended are looked for.
const FORGETTING: Duration = Duration::from_secs(600);
/// When that was last done. In key-value, since an instance may not outlive two ticks.
const FORGOTTEN_AT: &str = "web:tokens_forgotten_at";

/// `POST /worker/tick`: one tick of every service, side by side. With the worker token.
///
/// Two at once do no harm: a service relays by cursors its subscribers keep, and sweeps what has
/// ended in any case.
pub async fn create_tick(_: Worker, State(app): State<Ctx>, trace: Trace) -> ApiResult {
    let mut told: Map<String, Value> = SERVICES
        .iter()
        .map(|service| ((*service).to_owned(), json!({ "ok": true, "working": true })))
        .collect();
    let mut working: FuturesUnordered<_> =
        SERVICES.iter().map(|service| Box::pin(tick(app.clone(), trace.clone(), service))).collect();
    let mut patience = std::pin::pin!(sleep(PATIENCE));
    while let Either::Left((Some((service, answer)), _)) = select(working.next(), patience.as_mut()).await {
        told.insert(service.to_owned(), answer);
    }
    if !working.is_empty() {
        platform::spawn(working.for_each(|_| ready(())));
    }
    forget_tokens(&app).await;
    Ok(answer::json(StatusCode::OK, &json!({ "services": told })))
}

/// A tick of one service, and what it told.
async fn tick(app: Ctx, trace: Trace, service: &'static str) -> (&'static str, Value) {
    let client = Client::new(&app, &trace, service);
    let told = match client.post_within::<Value>("/internal/tick", &json!({}), TICK_TIME).await {
        Ok(mut told) => {
            if let Some(members) = told.as_object_mut() {
                members.insert("ok".to_owned(), true.into());
            }
            told
        }
        Err(error) => {
            let fields = json!({ "failing": service, "error": error.to_string() });
            log("warn", app.service.name, "tick failed", fields);
            json!({ "ok": false })
        }
    };
    (service, told)
}

/// Lets the authorizer forget tokens that ended, now and then. Key-value is a cache: where it
/// fails, the next tick tries again.
async fn forget_tokens(app: &App) {
    let now = app.now();
    let done = async {
        let last = app.platform.kv_get(FORGOTTEN_AT).await?;
        let last = last.and_then(|text| Instant::parse(std::str::from_utf8(&text).ok()?));
        // A time ahead of now was written under a clock that has been set back since.
        if last.is_some_and(|last| last <= now && now < last.plus(FORGETTING)) {
            return Ok(());
        }
        app.platform.kv_set(FORGOTTEN_AT, now.rfc3339().as_bytes()).await?;
        forget_expired(&app.platform, now).await.map(|_| ())
    };
    let done: Result<(), String> = done.await;
    if let Err(error) = done {
        log("warn", app.service.name, "tokens not forgotten", json!({ "error": error }));
    }
}
