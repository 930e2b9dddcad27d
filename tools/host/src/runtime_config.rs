//! Reads `runtime-config.toml`: which file stands behind each database and store label.
//!
//! Paths resolve as Spin resolves them, odd as it is: a database's from the working directory, a key-value
//! store's from the directory of the runtime configuration, the defaults in the state directory.

use crate::manifest::{Manifest, from_toml};
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file behind each label; `None` is a database in memory.
#[derive(Debug, Default)]
pub struct RuntimeConfig {
    /// `[sqlite_database.<label>]`.
    pub sqlite: BTreeMap<String, SqliteConfig>,
    /// `[key_value_store.<label>]`.
    pub key_value: BTreeMap<String, Option<PathBuf>>,
}

/// One database.
#[derive(Debug, Clone, Default)]
pub struct SqliteConfig {
    /// Its file; `None` gives every connection a database of its own in memory.
    pub path: Option<PathBuf>,
    /// Whether `ATTACH` may open other files.
    pub allow_attach_file: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    state_dir: Option<String>,
    #[serde(default)]
    sqlite_database: BTreeMap<String, toml::Table>,
    #[serde(default)]
    key_value_store: BTreeMap<String, toml::Table>,
    // Known to Spin, refused here by name.
    log_dir: Option<toml::Value>,
    llm_compute: Option<toml::Value>,
    variables_provider: Option<toml::Value>,
    config_provider: Option<toml::Value>,
    outbound_http: Option<toml::Value>,
    outbound_networking: Option<toml::Value>,
    outbound_redis: Option<toml::Value>,
    outbound_pg: Option<toml::Value>,
    outbound_mysql: Option<toml::Value>,
    outbound_mqtt: Option<toml::Value>,
    client_tls: Option<toml::Value>,
    max_instance_memory: Option<toml::Value>,
    solo_instances: Option<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSqlite {
    path: Option<PathBuf>,
    #[serde(default)]
    allow_attach_file: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStore {
    path: Option<PathBuf>,
}

/// What the paths are resolved from.
pub struct Places<'a> {
    /// The runtime configuration's own file, if there is one.
    pub file: Option<&'a Path>,
    /// Where the process runs.
    pub working_dir: &'a Path,
    /// `--state-dir`, if given.
    pub state_dir: Option<&'a Path>,
    /// The manifest's directory.
    pub app_dir: &'a Path,
}

/// Reads the file, if any, and adds the `default` labels. Also answers with the state directory.
pub fn load(places: &Places<'_>) -> Result<(RuntimeConfig, PathBuf)> {
    let Some(file) = places.file else {
        return parse("", places);
    };
    let text = std::fs::read_to_string(file).with_context(|| {
        format!(
            "cannot read the runtime configuration {}: give its path with --runtime-config-file",
            file.display()
        )
    })?;
    parse(&text, places).with_context(|| format!("the runtime configuration {} is not right", file.display()))
}

fn parse(text: &str, places: &Places<'_>) -> Result<(RuntimeConfig, PathBuf)> {
    let raw: RawConfig = from_toml(text)?;
    refuse_unsupported(&raw)?;
    let state_dir = match (places.state_dir, raw.state_dir.as_deref()) {
        (Some(dir), _) => places.working_dir.join(dir),
        (None, Some("")) => {
            bail!("an empty `state_dir` (nothing kept) is not supported: name a directory")
        }
        (None, Some(dir)) => places.working_dir.join(dir),
        (None, None) => places.app_dir.join(".spin"),
    };
    let mut config = RuntimeConfig::default();
    for (label, table) in raw.sqlite_database {
        let table = take_type(table, &format!("sqlite_database.{label}"))?;
        let RawSqlite { path, allow_attach_file } = table_into(table, &format!("sqlite_database.{label}"))?;
        let path = path.map(|path| places.working_dir.join(path));
        config.sqlite.insert(label, SqliteConfig { path, allow_attach_file });
    }
    let store_dir = places.file.and_then(Path::parent).unwrap_or(places.working_dir);
    for (label, table) in raw.key_value_store {
        let table = take_type(table, &format!("key_value_store.{label}"))?;
        let RawStore { path } = table_into(table, &format!("key_value_store.{label}"))?;
        config.key_value.insert(label, path.map(|path| store_dir.join(path)));
    }
    config.sqlite.entry("default".to_owned()).or_insert_with(|| SqliteConfig {
        path: Some(state_dir.join("sqlite_db.db")),
        allow_attach_file: false,
    });
    config
        .key_value
        .entry("default".to_owned())
        .or_insert_with(|| Some(state_dir.join("sqlite_key_value.db")));
    Ok((config, state_dir))
}

fn refuse_unsupported(raw: &RawConfig) -> Result<()> {
    let known = [
        ("log_dir", &raw.log_dir),
        ("llm_compute", &raw.llm_compute),
        ("variables_provider", &raw.variables_provider),
        ("config_provider", &raw.config_provider),
        ("outbound_http", &raw.outbound_http),
        ("outbound_networking", &raw.outbound_networking),
        ("outbound_redis", &raw.outbound_redis),
        ("outbound_pg", &raw.outbound_pg),
        ("outbound_mysql", &raw.outbound_mysql),
        ("outbound_mqtt", &raw.outbound_mqtt),
        ("client_tls", &raw.client_tls),
        ("max_instance_memory", &raw.max_instance_memory),
        ("solo_instances", &raw.solo_instances),
    ];
    match known.iter().find(|(_, value)| value.is_some()) {
        Some((key, _)) => {
            bail!("`{key}` is not supported by this host: remove it, or run the application with `spin up`")
        }
        None => Ok(()),
    }
}

fn take_type(mut table: toml::Table, section: &str) -> Result<toml::Table> {
    match table.remove("type") {
        Some(toml::Value::String(kind)) if kind == "spin" => Ok(table),
        Some(toml::Value::String(kind)) => {
            bail!(
                "[{section}] has the type `{kind}`, which this host does not support: write type = \"spin\", or run the application with `spin up`"
            )
        }
        _ => bail!("[{section}] has no `type`: write type = \"spin\""),
    }
}

fn table_into<T: serde::de::DeserializeOwned>(table: toml::Table, section: &str) -> Result<T> {
    table.try_into().map_err(|error| anyhow::anyhow!("[{section}]: {}", error.message()))
}

impl RuntimeConfig {
    /// Refuses a manifest that names a label this configuration does not define.
    pub fn check_labels(&self, manifest: &Manifest) -> Result<()> {
        for (id, component) in &manifest.components {
            if let Some(label) =
                component.sqlite_databases.iter().find(|label| !self.sqlite.contains_key(*label))
            {
                bail!(
                    "component `{id}` uses the database `{label}`, which is not defined: add [sqlite_database.{label}] with type = \"spin\" to the file given with --runtime-config-file"
                );
            }
            if let Some(label) =
                component.key_value_stores.iter().find(|label| !self.key_value.contains_key(*label))
            {
                bail!(
                    "component `{id}` uses the key-value store `{label}`, which is not defined: add [key_value_store.{label}] with type = \"spin\" to the file given with --runtime-config-file"
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places<'a>(state_dir: Option<&'a str>) -> Places<'a> {
        Places {
            file: Some(Path::new("/conf/rt.toml")),
            working_dir: Path::new("/srv"),
            state_dir: state_dir.map(Path::new),
            app_dir: Path::new("/app"),
        }
    }

    #[test]
    fn paths_resolve_as_in_spin() {
        let text = "[sqlite_database.posts]\ntype = \"spin\"\npath = \"data/posts.db\"\n\
            [sqlite_database.memory]\ntype = \"spin\"\n\
            [key_value_store.cache]\ntype = \"spin\"\npath = \"cache.db\"\n";
        let (config, state) = parse(text, &places(Some("state"))).unwrap();
        assert_eq!(state, Path::new("/srv/state"));
        assert_eq!(config.sqlite["posts"].path.as_deref(), Some(Path::new("/srv/data/posts.db")));
        assert_eq!(config.sqlite["memory"].path, None);
        assert_eq!(config.sqlite["default"].path.as_deref(), Some(Path::new("/srv/state/sqlite_db.db")));
        assert_eq!(config.key_value["cache"].as_deref(), Some(Path::new("/conf/cache.db")));
        assert_eq!(config.key_value["default"].as_deref(), Some(Path::new("/srv/state/sqlite_key_value.db")));
        let (_, state) = parse("", &places(None)).unwrap();
        assert_eq!(state, Path::new("/app/.spin"));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        for (text, words) in [
            (
                "[sqlite_database.posts]\ntype = \"libsql\"\nurl = \"u\"\n",
                &["sqlite_database.posts", "`libsql`"][..],
            ),
            ("[key_value_store.cache]\ntype = \"redis\"\n", &["key_value_store.cache", "`redis`"]),
            ("[key_value_store.cache]\npath = \"x\"\n", &["key_value_store.cache", "`type`"]),
            ("[sqlite_database.posts]\ntype = \"spin\"\npaht = \"x\"\n", &["sqlite_database.posts", "paht"]),
            ("[[variables_provider]]\ntype = \"vault\"\n", &["`variables_provider`"]),
            ("[[client_tls]]\nhosts = []\n", &["`client_tls`"]),
            ("frob = 1\n", &["line 1", "frob"]),
        ] {
            let said = format!("{:#}", parse(text, &places(None)).unwrap_err());
            for word in words {
                assert!(said.contains(word), "{word}: {said}");
            }
        }
    }
}
