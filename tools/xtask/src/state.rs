//! The state folder of an `up`: databases, secrets made at the first start, who uses it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project::Manifest;

/// The variables that hold a secret of each installation's own.
pub const SECRETS: &[&str] = &["internal_token", "worker_token", "s3_access_key_id", "s3_secret_access_key"];

/// A state folder.
pub struct State {
    folder: PathBuf,
}

/// What an `up` says of itself, for `doctor`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Where it answers.
    pub url: String,
    /// `test_clock_offset_seconds`.
    pub clock_offset: String,
    /// Whether tokens come from an outside issuer.
    pub has_outside_issuer: bool,
    /// Where the object store answers.
    pub objects: String,
}

impl State {
    /// The folder, which need not exist.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// The folder, made where it is missing.
    pub fn create(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| {
            format!("the state folder {} cannot be made: give another with --state", folder.display())
        })?;
        Ok(Self::at(folder))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Holds the folder for as long as the answer lives: two applications on the same databases would do
    /// everything twice.
    pub fn hold(&self) -> Result<File> {
        let file = File::create(self.folder.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                let place = self.running().map(|running| format!(" at {}", running.url)).unwrap_or_default();
                bail!(
                    "another `up`{place} uses the state {}: stop it, or give another with --state",
                    self.folder.display()
                )
            }
            // Some network file systems have no locks; they are no reason not to start.
            Err(TryLockError::Error(_)) => Ok(file),
        }
    }

    /// The file of a database.
    pub fn database(&self, label: &str) -> PathBuf {
        self.folder.join(format!("{label}.db"))
    }

    /// The folder of the local S3 server.
    pub fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    /// The secrets, made at the first start.
    pub fn secrets(&self) -> Result<Vec<(String, String)>> {
        let known = self.known_secrets();
        let mut secrets = Vec::new();
        for name in SECRETS {
            let value = match known.iter().find(|(known, _)| known == name) {
                Some((_, value)) => value.clone(),
                None => random_token()?,
            };
            secrets.push(((*name).to_owned(), value));
        }
        if secrets != known {
            let table: toml::Table =
                secrets.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            write_private(&self.folder.join("secrets.toml"), &table.to_string())?;
        }
        Ok(secrets)
    }

    /// The secrets made before.
    pub fn known_secrets(&self) -> Vec<(String, String)> {
        let table = read_table(&self.folder.join("secrets.toml")).unwrap_or_default();
        let known = |name: &&str| Some(((*name).to_owned(), table.get(*name)?.as_str()?.to_owned()));
        SECRETS.iter().filter_map(known).filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The worker token of the application: from the environment, as it gets it, or made before.
    pub fn worker_token(&self) -> Option<String> {
        let given = std::env::var("SPIN_VARIABLE_WORKER_TOKEN").ok().filter(|token| !token.is_empty());
        let kept = || self.known_secrets().into_iter().find(|(name, _)| name == "worker_token");
        given.or_else(|| kept().map(|(_, token)| token))
    }

    /// Writes the runtime configuration that puts every database and the key-value store here.
    pub fn write_runtime_config(&self, manifest: &Manifest) -> Result<PathBuf> {
        let text = |path: PathBuf| toml::Value::from(path.display().to_string()).to_string();
        let mut config = format!(
            "# Written by `cargo xtask up` at every start.\n\n[key_value_store.default]\ntype = \"spin\"\npath = {}\n",
            text(self.folder.join("key_value.db"))
        );
        for label in &manifest.databases {
            config.push_str(&format!(
                "\n[sqlite_database.{label}]\ntype = \"spin\"\npath = {}\n",
                text(self.database(label))
            ));
        }
        let path = self.folder.join("runtime-config.toml");
        std::fs::write(&path, config).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(path)
    }

    /// Notes what runs on this state.
    pub fn note_running(&self, running: &Running) -> Result<()> {
        let mut table = toml::Table::new();
        table.insert("url".to_owned(), running.url.clone().into());
        table.insert("clock_offset".to_owned(), running.clock_offset.clone().into());
        table.insert("has_outside_issuer".to_owned(), running.has_outside_issuer.into());
        table.insert("objects".to_owned(), running.objects.clone().into());
        Ok(std::fs::write(self.folder.join("up.toml"), table.to_string())?)
    }

    /// What runs, or ran last, on this state.
    pub fn running(&self) -> Option<Running> {
        let table = read_table(&self.folder.join("up.toml"))?;
        let text = |name: &str| table.get(name).and_then(toml::Value::as_str).map(ToOwned::to_owned);
        Some(Running {
            url: text("url")?,
            clock_offset: text("clock_offset").unwrap_or_default(),
            has_outside_issuer: table.get("has_outside_issuer").and_then(toml::Value::as_bool)?,
            objects: text("objects").unwrap_or_default(),
        })
    }
}

fn read_table(path: &Path) -> Option<toml::Table> {
    std::fs::read_to_string(path).ok()?.parse().ok()
}

fn random_token() -> Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Writes a file that only its owner reads.
fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(file.write_all(text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(name: &str) -> State {
        let folder = std::env::temp_dir().join(format!("scooterbooter-state-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        State::create(&folder).unwrap()
    }

    #[test]
    fn secrets_are_made_once_and_kept_from_others() {
        let state = fresh("secrets");
        let first = state.secrets().unwrap();
        assert_eq!(first.len(), SECRETS.len());
        assert!(first.iter().all(|(_, value)| value.len() == 64));
        assert_ne!(first[0].1, first[1].1);
        assert_eq!(state.secrets().unwrap(), first);
        assert_eq!(state.known_secrets(), first);
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(state.folder().join("secrets.toml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn one_state_serves_one_up() {
        let state = fresh("hold");
        let running = Running { url: "http://127.0.0.1:1".into(), ..Running::default() };
        state.note_running(&running).unwrap();
        assert_eq!(state.running(), Some(running));
        let held = state.hold().unwrap();
        assert!(state.hold().unwrap_err().to_string().contains("http://127.0.0.1:1"));
        drop(held);
        assert!(state.hold().is_ok());
    }

    #[test]
    fn the_runtime_configuration_names_every_database_of_the_manifest() {
        let state = fresh("config");
        let manifest = Manifest::read().unwrap();
        let path = state.write_runtime_config(&manifest).unwrap();
        let config: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
        assert!(!manifest.databases.is_empty());
        for label in &manifest.databases {
            let path = config["sqlite_database"][label]["path"].as_str().unwrap();
            assert_eq!(Path::new(path), state.database(label));
        }
    }
}
