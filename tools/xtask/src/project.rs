//! What the project consists of: read from `spin.toml`, so that nothing is listed twice.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where components are built for.
pub const WASM: &str = "wasm32-wasip2";

/// The top of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The host program, once it is built.
pub fn host() -> PathBuf {
    root().join("target/tools/scooterbooter-host")
}

/// The local S3 server, once it is built.
pub fn objects() -> PathBuf {
    root().join("target/tools/scooterbooter-objects")
}

/// The worker that processes pictures and videos, once it is built.
pub fn transcoder() -> PathBuf {
    root().join("target/tools/scooterbooter-transcoder")
}

/// What of the manifest the commands need.
pub struct Manifest {
    /// The components, which are packages of the same name.
    pub components: Vec<String>,
    /// The databases they open.
    pub databases: Vec<String>,
    /// The variables and their defaults.
    pub defaults: Vec<(String, String)>,
}

impl Manifest {
    /// Reads `spin.toml`.
    pub fn read() -> Result<Self> {
        let path = root().join("spin.toml");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} cannot be understood", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let manifest: toml::Table = text.parse()?;
        let table = |name: &str| manifest.get(name).and_then(toml::Value::as_table);
        let components = table("component").context("there is no [component]")?;
        let mut databases: Vec<String> = components
            .values()
            .filter_map(|component| component.get("sqlite_databases")?.as_array())
            .flatten()
            .filter_map(|label| Some(label.as_str()?.to_owned()))
            .collect();
        databases.sort();
        databases.dedup();
        let defaults = table("variables")
            .into_iter()
            .flatten()
            .filter_map(|(name, variable)| {
                Some((name.clone(), variable.get("default")?.as_str()?.to_owned()))
            })
            .collect();
        Ok(Self { components: components.keys().cloned().collect(), databases, defaults })
    }

    /// The default of a variable, or the empty text.
    pub fn default_of(&self, name: &str) -> &str {
        self.defaults.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The built file of every component.
    pub fn built(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        let folder = root().join("target").join(WASM).join("release");
        self.components.iter().map(move |name| (name.as_str(), folder.join(format!("{name}.wasm"))))
    }

    /// `-p` for every component.
    pub fn packages(&self) -> Vec<&str> {
        self.components.iter().flat_map(|name| ["-p", name.as_str()]).collect()
    }
}
