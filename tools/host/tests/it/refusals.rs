//! What the host does not start with, and the sentence it says instead.

use crate::common::{MANIFEST, fresh_dir, refusal, write_manifest};

/// Starts with a changed manifest and checks that the refusal names all of `words`.
fn refused(name: &str, change: impl Fn(&str) -> String, words: &[&str]) {
    let dir = fresh_dir(name);
    write_manifest(&dir, &change(MANIFEST));
    let said = refusal(&dir, &["--variable", "token=x"]);
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
}

#[test]
fn a_missing_manifest_is_named() {
    let dir = fresh_dir("no-manifest");
    let said = refusal(&dir, &[]);
    assert!(said.contains("spin.toml") && said.contains("--from"), "{said}");
}

#[test]
fn a_required_variable_is_named_with_its_environment_variable() {
    let dir = fresh_dir("no-token");
    write_manifest(&dir, MANIFEST);
    let said = refusal(&dir, &[]);
    assert!(said.contains("`token`") && said.contains("SPIN_VARIABLE_TOKEN"), "{said}");
}

#[test]
fn a_busy_port_is_named_with_the_flag() {
    let dir = fresh_dir("busy");
    write_manifest(&dir, MANIFEST);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refusal(&dir, &["--variable", "token=x", "--listen", &address]);
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
}

#[test]
fn a_missing_component_is_named_with_the_way_to_build_it() {
    let change = |manifest: &str| manifest.replacen("FIXTURE", "gone.wasm", 1);
    refused("gone", change, &["`one`", "gone.wasm", "cargo build"]);
}

#[test]
fn a_file_that_is_no_component_is_named() {
    let change = |manifest: &str| manifest.replacen("FIXTURE", "spin.toml", 1);
    refused("text", change, &["`one`", "spin.toml", "no component"]);
}

#[test]
fn an_unknown_key_is_named() {
    let change = |manifest: &str| manifest.replace("[component.two]", "[component.two]\nfrobs = 1");
    refused("unknown-key", change, &["line", "frobs"]);
}

#[test]
fn an_undefined_database_is_named() {
    let change = |manifest: &str| {
        manifest.replace("sqlite_databases = [\"default\"]", "sqlite_databases = [\"posts\"]")
    };
    refused("no-database", change, &["`one`", "`posts`", "--runtime-config-file"]);
}

#[test]
fn another_kind_of_database_is_named() {
    let dir = fresh_dir("libsql");
    write_manifest(&dir, MANIFEST);
    std::fs::write(dir.join("rt.toml"), "[sqlite_database.default]\ntype = \"libsql\"\nurl = \"http://x\"\n")
        .unwrap();
    let said = refusal(&dir, &["--variable", "token=x", "--runtime-config-file", "rt.toml"]);
    assert!(said.contains("`libsql`") && said.contains("sqlite_database.default"), "{said}");
}

#[test]
fn an_unknown_argument_is_named() {
    let said = refusal(&fresh_dir("argument"), &["--frob"]);
    assert!(said.contains("--frob") && said.contains("--help"), "{said}");
}
