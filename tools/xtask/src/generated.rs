//! Requests and a client generated from the OpenAPI document, by tools from PyPI.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::project::root;
use crate::steps::{run, say};

/// Installs the tools of `tests/generated` into a virtual environment in `target` unless they are there; the
/// folder of their programs. `None` where this machine has no Python to make one with.
pub fn prepare() -> Result<Option<PathBuf>> {
    const REMEDY: &str = "python3 with venv is not installed (apt-get install python3-venv)";
    let requirements = root().join("tests/generated/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).context("reading the list of tools")?;
    let environment = root().join("target/generated");
    let (installed, tools) = (environment.join("installed.txt"), environment.join("bin"));
    if std::fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        return Ok(Some(tools));
    }
    let mut asked = Command::new("python3");
    asked.args(["-c", "import ensurepip, venv"]).stdout(Stdio::null()).stderr(Stdio::null());
    if !asked.status().is_ok_and(|status| status.success()) {
        say(&format!("==> generated requests and client: skipped, {REMEDY}"));
        return Ok(None);
    }
    let mut venv = Command::new("python3");
    run("making a Python environment", venv.args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(tools.join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run("installing the tools of tests/generated", pip.arg(&requirements))?;
    // Only after everything is there, so that an installation broken off is made anew.
    std::fs::write(installed, wanted)?;
    Ok(Some(tools))
}
