//! `rebuild`: a service that is made of events alone is made again of all that was ever told.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::http;
use crate::options::RebuildOptions;
use crate::state::State;

const LIMIT: Duration = Duration::from_secs(60);

/// Begins the rebuild and ticks until nothing waits; what waits for other services is among it.
pub fn rebuild(options: &RebuildOptions) -> Result<()> {
    let state = State::at(&options.state);
    let noted = state.running().unwrap_or_default().url;
    let url = options.url.clone().unwrap_or(noted);
    let url = if url.is_empty() { "http://127.0.0.1:3000" } else { url.trim_end_matches('/') };
    let Some(token) = state.worker_token() else {
        bail!(
            "the worker token is not known: set SPIN_VARIABLE_WORKER_TOKEN, or name the state with --state"
        );
    };
    let service = json!({ "service": options.service });
    let begun = http::post_json_as(&format!("{url}/worker/rebuild"), &token, &service, LIMIT)?;
    match begun.status {
        202 => {}
        401 => bail!("the worker token of the application at {url} is another"),
        status => bail!(
            "{url}/worker/rebuild answers {status}: {}",
            begun.json()["detail"].as_str().unwrap_or_default()
        ),
    }
    println!("{} begins anew; told again by {}", options.service, names(&begun.json()["sources"]));
    let started = Instant::now();
    let mut last = None;
    loop {
        let ticked = http::post(&format!("{url}/worker/tick"), &token, LIMIT)?;
        if ticked.status != 200 {
            bail!("{url}/worker/tick answers {}", ticked.status);
        }
        let waiting = waiting(&ticked.json())?;
        if waiting == 0 {
            println!("done in {:.1} s", started.elapsed().as_secs_f32());
            return Ok(());
        }
        if last != Some(waiting) {
            println!("{waiting} events wait");
        }
        last = Some(waiting);
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn names(list: &Value) -> String {
    let names = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.collect::<Vec<_>>().join(", ")
}

/// How many events wait in all, as a tick tells.
fn waiting(told: &Value) -> Result<i64> {
    let mut all = 0;
    for (service, told) in told["services"].as_object().into_iter().flatten() {
        match told["waiting"].as_i64() {
            Some(waiting) => all += waiting,
            // It has not told yet, so this was not the last.
            None if told["working"] == true => all += 1,
            None => bail!("service {service} does not tick: see its lines in the log"),
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_summed_and_a_service_that_does_not_tick_is_named() {
        let told = json!({ "services": { "posts": { "ok": true, "waiting": 3 }, "users": { "ok": true, "waiting": 4 } } });
        assert_eq!(waiting(&told).unwrap(), 7);
        let told = json!({ "services": { "posts": { "ok": true, "waiting": 0 }, "media": { "ok": true, "working": true } } });
        assert_eq!(waiting(&told).unwrap(), 1);
        let told = json!({ "services": { "posts": { "ok": false } } });
        assert!(waiting(&told).unwrap_err().to_string().contains("posts"));
    }
}
