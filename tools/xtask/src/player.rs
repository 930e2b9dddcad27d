//! The player of the journeys: hls.js from npm, in Chromium.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::project::root;
use crate::steps::{run, say};

/// Installs what `tests/player` names into `target` unless it is there; the file of hls.js. `None` where this machine lacks npm
/// or Chromium.
pub fn prepare() -> Result<Option<PathBuf>> {
    let source = root().join("tests/player");
    let folder = root().join("target/player");
    let lock = std::fs::read(source.join("package-lock.json")).context("reading what the player needs")?;
    for (program, remedy) in
        [("npm", "Node.js with npm"), ("chromium", "Chromium (apt-get install chromium)")]
    {
        let mut asked = Command::new(program);
        asked.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if !asked.status().is_ok_and(|status| status.success()) {
            say(&format!("==> a stream in a browser: skipped, {remedy} is not installed"));
            return Ok(None);
        }
    }
    let file = folder.join("node_modules/hls.js/dist/hls.min.js");
    let installed = folder.join("package-lock.json");
    if file.exists() && std::fs::read(&installed).is_ok_and(|there| there == lock) {
        return Ok(Some(file));
    }
    std::fs::create_dir_all(&folder)?;
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(source.join(name), folder.join(name))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix"]).arg(&folder);
    run("installing hls.js", &mut npm)?;
    Ok(Some(file))
}
