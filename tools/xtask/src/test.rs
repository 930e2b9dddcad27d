//! `test`: what CI runs, and what runs before a push.

use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use crate::generated;
use crate::options::{Runtime, TestOptions};
use crate::player;
use crate::project::{Manifest, WASM, host, objects, transcoder};
use crate::steps::{
    build_components, cargo, ensure_wasm_target, heed_signals, human, prepare_runtime, run, say,
};

/// The crate of the journeys.
const JOURNEYS: &str = "journeys";
/// Built for wasm alone, by the host's tests.
const FIXTURE: &str = "host-fixture";

/// Runs every step and stops at the first that fails.
pub fn test(options: &TestOptions) -> Result<bool> {
    heed_signals()?;
    let start = Instant::now();
    let manifest = Manifest::read()?;
    ensure_wasm_target()?;
    let all = options.filter.is_none();
    if all {
        lint(&manifest)?;
        check_dependencies()?;
    }
    test_crates(options)?;
    build_components(&manifest, &[FIXTURE])?;
    prepare_runtime(options.runtime)?;
    if options.runtime == Runtime::Embedded {
        test_host(options)?;
    }
    test_journeys(options)?;
    test_player(options)?;
    test_generated(options)?;
    say(&format!("\nall good after {}", human(start.elapsed())));
    Ok(true)
}

fn lint(manifest: &Manifest) -> Result<()> {
    run("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    let native = ["clippy", "--workspace", "--all-targets", "--exclude", FIXTURE, "--", "-D", "warnings"];
    run("lints", &mut cargo(&native))?;
    let mut wasm = cargo(&["clippy", "--target", WASM]);
    wasm.args(manifest.packages()).args(["-p", FIXTURE, "--", "-D", "warnings"]);
    run("lints of the components", &mut wasm)
}

/// Licences, bans and sources; advisories need the network, and have a day of their own.
fn check_dependencies() -> Result<()> {
    let there =
        Command::new("cargo-deny").arg("--version").output().is_ok_and(|asked| asked.status.success());
    if !there {
        say("==> dependencies: skipped, cargo-deny is not installed (cargo install cargo-deny)");
        return Ok(());
    }
    run("dependencies", &mut cargo(&["deny", "--offline", "check", "bans", "licenses", "sources"]))
}

fn test_crates(options: &TestOptions) -> Result<()> {
    let mut command = cargo(&["test", "--workspace"]);
    // The host's tests and the journeys need what is built after this.
    for package in ["host", FIXTURE, JOURNEYS] {
        command.args(["--exclude", package]);
    }
    run("tests of the crates", command.args(&options.filter))
}

fn test_host(options: &TestOptions) -> Result<()> {
    let mut command = cargo(&["test", "--profile", "tools", "-p", "host"]);
    run("tests of the host", command.args(&options.filter))
}

fn test_journeys(options: &TestOptions) -> Result<()> {
    let mut command = journeys(options);
    // How long the random kills go on.
    command.env("SCOOTERBOOTER_CRASH_MINUTES", options.crash_minutes.to_string());
    run("journeys", command.args(&options.filter))
}

/// A browser needs a machine for itself.
fn test_player(options: &TestOptions) -> Result<()> {
    const MODULE: &str = "player";
    if options.filter.as_ref().is_some_and(|filter| !filter.starts_with(MODULE)) {
        return Ok(());
    }
    let Some(file) = player::prepare()? else { return Ok(()) };
    let mut command = journeys(options);
    command.env("SCOOTERBOOTER_PLAYER", file);
    run("streams in browsers", command.args([MODULE, "--", "--ignored"]))
}

/// After the journeys rather than beside them, since it keeps a machine busy.
fn test_generated(options: &TestOptions) -> Result<()> {
    const MODULE: &str = "generated";
    if options.filter.as_ref().is_some_and(|filter| !filter.starts_with(MODULE)) {
        return Ok(());
    }
    let Some(tools) = generated::prepare()? else { return Ok(()) };
    let mut command = journeys(options);
    command.env("SCOOTERBOOTER_GENERATED_TOOLS", tools);
    command.env("SCOOTERBOOTER_GENERATED_MINUTES", options.generated_minutes.to_string());
    let filter = options.filter.as_deref().unwrap_or(MODULE);
    run("generated requests and client", command.args([filter, "--", "--ignored"]))
}

/// What the journeys start: the host program, the S3 server, the worker. `SCOOTERBOOTER_RUNTIME=spin` runs them on Spin.
fn journeys(options: &TestOptions) -> Command {
    let mut command = cargo(&["test", "-p", JOURNEYS]);
    command.env("SCOOTERBOOTER_HOST", host());
    command.env("SCOOTERBOOTER_OBJECTS", objects());
    command.env("SCOOTERBOOTER_TRANSCODER", transcoder());
    match options.runtime {
        Runtime::Embedded => command.env_remove("SCOOTERBOOTER_RUNTIME"),
        Runtime::Spin => command.env("SCOOTERBOOTER_RUNTIME", "spin"),
    };
    command
}
