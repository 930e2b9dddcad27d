//! The OpenAPI document seen from outside, by well-kept tools from PyPI: a validator, requests that schemathesis
//! generates, and a client that a public generator makes.
//!
//! `cargo xtask test` installs the tools and names their folder in `SCOOTERBOOTER_GENERATED_TOOLS`.
//! `SCOOTERBOOTER_GENERATED_MINUTES` (`cargo xtask test generated --generated-minutes 10`) is how long requests are
//! generated, a minute unless said otherwise; `SCOOTERBOOTER_GENERATED_SEED` makes others than those of every run.

use std::path::{Path, PathBuf};
use std::process::Command;

use journeys::Stack;
use journeys::stack::root;

use crate::{setting, stack};

const PREFIX: &str = "scooterbooter-generated-";
const NEEDS: &str = "SCOOTERBOOTER_GENERATED_TOOLS is not set: run `cargo xtask test generated`";

/// A folder for what a tool leaves behind, and the document in it.
fn workspace() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::TempDir::with_prefix(PREFIX).expect("a folder");
    let document = folder.path().join("openapi.json");
    let answer = stack().anonymous().get("/openapi.json").expect(200);
    std::fs::write(&document, answer.body.to_string()).expect("the document in a file");
    (folder, document)
}

/// One of the tools, run in `folder`, where it finds its fellows.
fn tool(name: &str, folder: &Path) -> Command {
    let tools = PathBuf::from(std::env::var_os("SCOOTERBOOTER_GENERATED_TOOLS").expect(NEEDS));
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(tools.join(name));
    command.current_dir(folder).env("PATH", format!("{}:{path}", tools.display()));
    command
}

/// Runs a tool to its end; what it said where it fails.
#[track_caller]
fn passes(command: &mut Command) {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.output().unwrap_or_else(|error| panic!("{name}: {error}"));
    let (said, complained) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{name}: {}\n{said}\n{complained}", done.status);
}

#[test]
#[ignore = "needs the tools that cargo xtask test installs"]
fn the_document_is_valid_openapi() {
    let (folder, document) = workspace();
    passes(tool("openapi-spec-validator", folder.path()).arg(document));
}

#[test]
#[ignore = "needs the tools that cargo xtask test installs"]
fn generated_requests_find_no_5xx_and_nothing_undocumented() {
    let minutes = setting("SCOOTERBOOTER_GENERATED_MINUTES").filter(|minutes| *minutes > 0).unwrap_or(1);
    // The token has to outlive the run: with another than a good one everything is a documented 401.
    let token_minutes = (minutes + 15).to_string();
    let stack = Stack::start(&[("access_token_minutes", &token_minutes)]).expect("a stack");
    let alice = stack.person("alice");
    let folder = tempfile::TempDir::with_prefix(PREFIX).expect("a folder");
    let seed = setting("SCOOTERBOOTER_GENERATED_SEED").unwrap_or(1);
    let mut schemathesis = tool("schemathesis", folder.path());
    schemathesis
        .arg("--config-file")
        .arg(root().join("tests/generated/schemathesis.toml"))
        .args(["run", &format!("{}/openapi.json", stack.url)])
        .args(["--header", &format!("Authorization: Bearer {}", alice.token)])
        .args(["--max-time", &(60 * minutes).to_string(), "--seed", &seed.to_string()]);
    passes(&mut schemathesis);
}

#[test]
#[ignore = "needs the tools that cargo xtask test installs"]
fn a_generated_client_registers_posts_and_reads_its_feed() {
    let (folder, document) = workspace();
    let package = folder.path().join("scooter_booter_client");
    let mut generator = tool("openapi-python-client", folder.path());
    // A warning is an operation that the client lacks.
    generator.args(["generate", "--meta", "none", "--fail-on-warning", "--config"]);
    generator.arg(root().join("tests/generated/client.yaml")).arg("--path").arg(document);
    passes(generator.arg("--output-path").arg(&package));
    let mut client = tool("python", folder.path());
    client.env("PYTHONPATH", folder.path()).arg(root().join("tests/generated/client.py"));
    passes(client.arg(&stack().url));
}
