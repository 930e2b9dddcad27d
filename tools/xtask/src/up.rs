//! `up`: everything on this machine, until Ctrl-C.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::http;
use crate::objects::{BUCKET, Objects};
use crate::options::UpOptions;
use crate::project::Manifest;
use crate::stack::{Plan, Stack, free_address, local_url};
use crate::state::{Running, State};
use crate::steps::{
    build_components, ensure_wasm_target, heed_signals, human, prepare_runtime, say, stop_asked,
};
use crate::transcoder::{Transcoder, prepare_tools};
use crate::welcome::Told;

/// How often the clock ticks.
const TICK: Duration = Duration::from_secs(1);

/// Builds, starts, ticks, until somebody asks to stop.
pub fn up(options: &UpOptions) -> Result<()> {
    heed_signals()?;
    let start = Instant::now();
    // What cannot work is told before anything is built.
    let listen = free_address(options.listen)?;
    let manifest = Manifest::read()?;
    let state = State::create(&options.state)?;
    let held = state.hold()?;
    prepare_runtime(options.runtime)?;
    ensure_wasm_target()?;
    build_components(&manifest, &[])?;
    let kinds = prepare_tools();
    if stop_asked() {
        bail!("stopped");
    }

    say("==> starting");
    let url = local_url(listen);
    let given = given_variables(std::env::vars());
    let store_is_elsewhere = given.get("s3_endpoint").is_some_and(|endpoint| !endpoint.is_empty());
    let mut objects =
        if store_is_elsewhere { None } else { Some(Objects::start(&state, options.listen.ip())?) };
    let local_store = objects.as_ref().map(|objects| objects.url.as_str());
    let variables = variables(&manifest, given, state.secrets()?, &url, local_store);
    let value = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| known == name)
            .map_or(manifest.default_of(name), |(_, value)| value)
    };
    let config = state.write_runtime_config(&manifest)?;
    state.note_running(&Running {
        url: url.clone(),
        clock_offset: value("test_clock_offset_seconds").to_owned(),
        has_outside_issuer: !value("auth_issuer").is_empty(),
        objects: value("s3_endpoint").to_owned(),
    })?;
    let plan = Plan {
        runtime: options.runtime,
        listen,
        state: state.folder(),
        config: &config,
        variables: &variables,
        memory_file: None,
    };
    let mut stack = Stack::start(&plan)?;
    let served = serve(&mut stack, objects.as_mut(), &url, value("worker_token"), || {
        say(&format!("    ready after {}\n", human(start.elapsed())));
        let told = Told {
            runtime: options.runtime,
            manifest: &manifest,
            state: &state,
            url: &url,
            public_url: value("public_url"),
            mail_url: value("mail_url"),
            s3_endpoint: value("s3_endpoint"),
            store_is_elsewhere,
            kinds,
        };
        say(&told.welcome());
        Transcoder::start(&state, &url, value("worker_token"), kinds)
    });
    stack.stop();
    if let Some(objects) = objects {
        objects.stop();
    }
    drop(held);
    say("stopped");
    served
}

fn serve(
    stack: &mut Stack,
    mut objects: Option<&mut Objects>,
    url: &str,
    worker_token: &str,
    ready: impl FnOnce() -> Transcoder,
) -> Result<()> {
    if !stack.wait_until_ready(url)? {
        return Ok(());
    }
    let transcoder = ready();
    let clock = Clock::start(format!("{url}/worker/tick"), worker_token.to_owned());
    let ended = loop {
        if stop_asked() {
            break None;
        }
        if let Some(status) = stack.ended() {
            break Some(("runtime", status));
        }
        if let Some(status) = objects.as_mut().and_then(|objects| objects.ended()) {
            break Some(("S3 server", status));
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    drop(clock);
    // While there is still somebody to hand its jobs back to.
    transcoder.stop();
    match ended {
        None => Ok(()),
        Some((what, status)) => {
            bail!("the {what} ended with {status}; start `cargo xtask up` again, nothing is lost")
        }
    }
}

/// The application's variables: what the environment gives, else what belongs to this state and
/// address; the rest have their default in `spin.toml`. `local_store` is where the S3 server of this state
/// answers, if it has one.
fn variables(
    manifest: &Manifest,
    mut given: BTreeMap<String, String>,
    mut ours: Vec<(String, String)>,
    url: &str,
    local_store: Option<&str>,
) -> Vec<(String, String)> {
    let shouted = |name: &str| format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
    for name in given.keys().filter(|name| !manifest.defaults.iter().any(|(known, _)| known == *name)) {
        say(&format!("    {}: there is no such variable in spin.toml", shouted(name)));
    }
    ours.push(("public_url".to_owned(), url.to_owned()));
    ours.push(("allow_private_endpoints".to_owned(), "on".to_owned()));
    match local_store {
        Some(store) => {
            for name in ["s3_bucket", "s3_access_key_id", "s3_secret_access_key"] {
                if given.remove(name).is_some() {
                    let endpoint = shouted("s3_endpoint");
                    say(&format!("    {}: passed over, it belongs to a {endpoint}", shouted(name)));
                }
            }
            // An empty text is as good as none.
            given.remove("s3_endpoint");
            ours.push(("s3_endpoint".to_owned(), store.to_owned()));
            ours.push(("s3_public_endpoint".to_owned(), store.to_owned()));
            ours.push(("s3_bucket".to_owned(), BUCKET.to_owned()));
        }
        None => {
            // The credentials of this state are those of its own server.
            ours.retain(|(name, _)| !name.starts_with("s3_"));
            if let Some(endpoint) = given.get("s3_endpoint") {
                ours.push(("s3_public_endpoint".to_owned(), endpoint.clone()));
            }
        }
    }
    for (name, value) in ours {
        given.entry(name).or_insert(value);
    }
    given.into_iter().collect()
}

/// `SPIN_VARIABLE_<NAME>` of the environment, by the variable's name, whichever case it is written in.
fn given_variables(environment: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    environment
        .filter_map(|(name, value)| {
            let name = name.strip_prefix("SPIN_VARIABLE_")?.to_ascii_lowercase();
            Some((name, value))
        })
        .collect()
}

/// Ticks until dropped.
struct Clock {
    stopped: Arc<AtomicBool>,
}

impl Clock {
    fn start(url: String, worker_token: String) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let seen = stopped.clone();
        std::thread::spawn(move || {
            let mut fault = String::new();
            while !seen.load(Ordering::Acquire) {
                let start = Instant::now();
                let now = tick(&url, &worker_token);
                // Told when it changes, not every second.
                if now != fault && !seen.load(Ordering::Acquire) {
                    let line = if now.is_empty() { "the clock ticks again".to_owned() } else { now.clone() };
                    say(&format!("[up] {line}"));
                }
                fault = now;
                std::thread::sleep(TICK.saturating_sub(start.elapsed()));
            }
        });
        Self { stopped }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
    }
}

/// One tick; what went wrong, or the empty text.
fn tick(url: &str, worker_token: &str) -> String {
    match http::post(url, worker_token, Duration::from_secs(60)) {
        Ok(answer) if answer.status == 200 => {
            let services = answer.json()["services"].as_object().cloned().unwrap_or_default();
            let failing: Vec<&str> = services
                .iter()
                .filter(|(_, told)| told["ok"] != true)
                .map(|(name, _)| name.as_str())
                .collect();
            if failing.is_empty() {
                String::new()
            } else {
                format!("the tick failed in {}", failing.join(", "))
            }
        }
        Ok(answer) => format!("a tick was answered with {}", answer.status),
        Err(error) => format!("a tick was not answered: {error:#}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_environment_are_taken_in_either_case() {
        let environment = [("SPIN_VARIABLE_MAIL_URL", "a"), ("SPIN_VARIABLE_public_url", "b"), ("HOME", "c")];
        let given = given_variables(
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let expected = [("mail_url".to_owned(), "a".to_owned()), ("public_url".to_owned(), "b".to_owned())];
        assert_eq!(given.into_iter().collect::<Vec<_>>(), expected);
    }

    fn with(given: &[(&str, &str)], local_store: Option<&str>) -> BTreeMap<String, String> {
        let manifest = Manifest { components: Vec::new(), databases: Vec::new(), defaults: Vec::new() };
        let text = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let given = text(given).into_iter().collect();
        let ours = text(&[("worker_token", "w"), ("s3_access_key_id", "k"), ("s3_secret_access_key", "s")]);
        variables(&manifest, given, ours, "http://a", local_store).into_iter().collect()
    }

    #[test]
    fn the_local_store_has_its_own_credentials_and_may_have_another_address_outside() {
        let all = with(&[("s3_access_key_id", "other"), ("s3_endpoint", "")], Some("http://b"));
        assert_eq!(
            (all["s3_endpoint"].as_str(), all["s3_public_endpoint"].as_str()),
            ("http://b", "http://b")
        );
        assert_eq!((all["s3_bucket"].as_str(), all["s3_access_key_id"].as_str()), (BUCKET, "k"));
        assert_eq!(all["s3_secret_access_key"], "s");
        let all = with(&[("s3_public_endpoint", "http://c"), ("worker_token", "given")], Some("http://b"));
        assert_eq!(
            (all["s3_endpoint"].as_str(), all["s3_public_endpoint"].as_str()),
            ("http://b", "http://c")
        );
        assert_eq!(all["worker_token"], "given");
    }

    #[test]
    fn a_store_elsewhere_gets_none_of_our_credentials() {
        let all = with(&[("s3_endpoint", "https://s3.example"), ("s3_access_key_id", "other")], None);
        assert_eq!(all["s3_public_endpoint"], "https://s3.example");
        assert_eq!(all["s3_access_key_id"], "other");
        assert_eq!((all.get("s3_secret_access_key"), all.get("s3_bucket")), (None, None));
        assert_eq!(all["worker_token"], "w");
    }
}
