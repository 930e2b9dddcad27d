//! Long steps: each says its name and its time, and ends when the person says so.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::options::Runtime;
use crate::project::{Manifest, WASM, host, objects, root};

static STOP: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl-C, SIGTERM and SIGHUP are seen by [`stop_asked`] instead of ending the process.
pub fn heed_signals() -> Result<()> {
    static HEEDED: OnceLock<()> = OnceLock::new();
    if HEEDED.set(()).is_err() {
        return Ok(());
    }
    let asked = || {
        if STOP.swap(true, Ordering::AcqRel) {
            // Asked twice: what this process started ends with it (see `stack`).
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(asked).context("signals cannot be received")
}

/// Whether somebody wants this to end.
pub fn stop_asked() -> bool {
    STOP.load(Ordering::Acquire)
}

/// Writes a line to standard error. Nobody reading any more is no reason to end.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A time as people read it.
pub fn human(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f32()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Runs a command from the top of the repository, its output passing through; an error where it fails.
pub fn run(name: &str, command: &mut Command) -> Result<()> {
    say(&format!("==> {name}"));
    let start = Instant::now();
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .current_dir(root())
        .stdin(std::process::Stdio::null())
        .spawn()
        .with_context(|| format!("{name}: `{program}` cannot be started; is it installed?"))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if stop_asked() {
            let _ = child.kill();
            let _ = child.wait();
            bail!("stopped");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    if stop_asked() {
        bail!("stopped");
    }
    if !status.success() {
        bail!("{name} failed after {}", human(start.elapsed()));
    }
    say(&format!("    {name}: {}", human(start.elapsed())));
    Ok(())
}

/// The cargo that runs us, building into the folder `spin.toml` names.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).env("CARGO_TARGET_DIR", root().join("target"));
    // Set by the cargo that runs us; they would make its child rebuild what reads them.
    command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME").env_remove("CARGO_PKG_VERSION");
    command
}

/// Installs the target of the components where it is missing.
pub fn ensure_wasm_target() -> Result<()> {
    let asked = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM])
        .current_dir(root())
        .output()
        .context("`rustc` cannot be started: install Rust with rustup (https://rustup.rs)")?;
    let folder = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    if asked.status.success() && std::path::Path::new(&folder).is_dir() {
        return Ok(());
    }
    run(&format!("installing the target {WASM}"), Command::new("rustup").args(["target", "add", WASM]))
        .with_context(|| format!("the target {WASM} is missing: run `rustup target add {WASM}`"))
}

/// Builds the components, with `more` packages.
pub fn build_components(manifest: &Manifest, more: &[&str]) -> Result<()> {
    let mut command = cargo(&["build", "--release", "--target", WASM]);
    command.args(manifest.packages());
    command.args(more.iter().flat_map(|package| ["-p", package]));
    run("building the components", &mut command)
}

/// Builds the host, or makes sure that Spin is there, and builds what runs beside it either way.
pub fn prepare_runtime(runtime: Runtime) -> Result<()> {
    let first = |program: &Path| if program.exists() { "" } else { " (some minutes, the first time)" };
    match runtime {
        Runtime::Embedded => {
            let mut command = cargo(&["build", "--profile", "tools", "-p", "host"]);
            run(&format!("building the host{}", first(&host())), &mut command)?;
        }
        Runtime::Spin => check_spin()?,
    }
    // Not in the command above: their features would join the host's, and the tests of the host, which are built
    // without them, would compile wasmtime a second time.
    let mut command = cargo(&["build", "--profile", "tools", "-p", "objects", "-p", "transcoder"]);
    run(&format!("building the S3 server and the transcoder{}", first(&objects())), &mut command)
}

fn check_spin() -> Result<()> {
    const REMEDY: &str = "install Spin 4.1 or newer (https://spinframework.dev), or leave out --runtime spin";
    let Ok(asked) = Command::new("spin").arg("--version").output() else {
        bail!("the command `spin` is missing: {REMEDY}");
    };
    let said = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    match spin_version(&said) {
        Some(version) if version >= (4, 1) => Ok(()),
        _ => bail!("`spin --version` says `{said}`, which is too old: {REMEDY}"),
    }
}

/// Major and minor of `spin 4.1.0 (abcdef 2026-01-01)`.
fn spin_version(said: &str) -> Option<(u32, u32)> {
    let version = said.split_whitespace().nth(1)?;
    let mut numbers = version.split(['.', '-']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_spin_is_read_from_its_own_words() {
        assert_eq!(spin_version("spin 4.1.0 (abc 2026-01-01)"), Some((4, 1)));
        assert_eq!(spin_version("spin 4.1.0-pre0 (abc 2026-01-01)"), Some((4, 1)));
        assert_eq!(spin_version("spin 3.5.1"), Some((3, 5)));
        assert_eq!(spin_version(""), None);
    }
}
