//! `up`: everything on this machine, until Ctrl-C.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::http;
use crate::options::{Runtime, UpOptions};
use crate::project::Manifest;
use crate::stack::{Plan, Stack, free_address, local_url};
use crate::state::{Running, State};
use crate::steps::{
    build_components, ensure_wasm_target, heed_signals, human, prepare_runtime, say, stop_asked,
};

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

    let url = local_url(listen);
    let variables = variables(&manifest, &state, &url)?;
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
    })?;

    say("==> starting");
    let plan = Plan {
        runtime: options.runtime,
        listen,
        state: state.folder(),
        config: &config,
        variables: &variables,
        memory_file: None,
    };
    let mut stack = Stack::start(&plan)?;
    let served = serve(&mut stack, &url, value("worker_token"), || {
        say(&format!("    ready after {}\n", human(start.elapsed())));
        say(&welcome(options, &manifest, &state, &url, (value("public_url"), value("mail_url"))));
    });
    stack.stop();
    drop(held);
    say("stopped");
    served
}

fn serve(stack: &mut Stack, url: &str, worker_token: &str, ready: impl FnOnce()) -> Result<()> {
    if !stack.wait_until_ready(url)? {
        return Ok(());
    }
    ready();
    let clock = Clock::start(format!("{url}/worker/tick"), worker_token.to_owned());
    let ended = loop {
        if stop_asked() {
            break None;
        }
        if let Some(status) = stack.ended() {
            break Some(status);
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    drop(clock);
    match ended {
        None => Ok(()),
        Some(status) => {
            bail!("the runtime ended with {status}; start `cargo xtask up` again, nothing is lost")
        }
    }
}

/// The application's variables: what the environment gives, else what belongs to this state and
/// address; the rest have their default in `spin.toml`.
fn variables(manifest: &Manifest, state: &State, url: &str) -> Result<Vec<(String, String)>> {
    let mut given = given_variables(std::env::vars());
    for name in given.keys().filter(|name| !manifest.defaults.iter().any(|(known, _)| known == *name)) {
        say(&format!(
            "    SPIN_VARIABLE_{}: there is no such variable in spin.toml",
            name.to_ascii_uppercase()
        ));
    }
    let mut ours = state.secrets()?;
    ours.push(("public_url".to_owned(), url.to_owned()));
    ours.push(("allow_private_endpoints".to_owned(), "on".to_owned()));
    for (name, value) in ours {
        given.entry(name).or_insert(value);
    }
    Ok(given.into_iter().collect())
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

fn welcome(
    options: &UpOptions,
    manifest: &Manifest,
    state: &State,
    url: &str,
    (public_url, mail_url): (&str, &str),
) -> String {
    let runtime = match options.runtime {
        Runtime::Embedded => "tools/host",
        Runtime::Spin => "spin up",
    };
    let folder = state.folder().display();
    let mut lines = vec![
        format!("ScooterBooter answers at {url}"),
        String::new(),
        format!("  services   {}, run by {runtime}", manifest.components.join(", ")),
        format!("  databases  {folder}/<service>.db, key-value in key_value.db"),
        format!("  secrets    {folder}/secrets.toml"),
        "  clock      POST /worker/tick every second".to_owned(),
        match mail_url {
            "" => "  mail       in this log, from auth".to_owned(),
            hook => format!("  mail       by POST to {hook}"),
        },
    ];
    if public_url != url {
        lines.push(format!("  public at  {public_url}"));
    }
    lines.extend([
        String::new(),
        "Try it:".to_owned(),
        String::new(),
        format!("  curl -s {url}/auth/register -H 'content-type: application/json' \\"),
        "    -d '{\"email\": \"alice@example.com\", \"password\": \"correct horse battery\", \"handle\": \"alice\"}'"
            .to_owned(),
        String::new(),
        "Ctrl-C stops everything.".to_owned(),
    ]);
    lines.join("\n")
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
}
