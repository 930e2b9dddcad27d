//! A running application of a test's own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::client::{Person, agent};
use crate::faults::Proxy;
use crate::objects::{ACCESS_KEY_ID, BUCKET, SECRET_ACCESS_KEY, Store, Transcoder};
use crate::process::{Log, Process, built, lock};

/// A first start compiles the components, several stacks at once on a new machine.
const READY_TIME: Duration = Duration::from_secs(180);

/// The worker token of every stack.
pub const WORKER_TOKEN: &str = "journey-worker-token";
/// The service token of every stack.
pub const INTERNAL_TOKEN: &str = "journey-internal-token";

/// A runtime with an empty state, its object store, and the clock that ticks it. Stops when dropped.
pub struct Stack {
    /// Where it answers, without a trailing slash.
    pub url: String,
    /// Its object store.
    pub objects: Store,
    faults: Option<Proxy>,
    state: TempDir,
    variables: Vec<(String, String)>,
    process: Mutex<Option<Process>>,
    transcoders: Mutex<Vec<Transcoder>>,
    ticking: Arc<AtomicBool>,
    log: Log,
}

impl Stack {
    /// Starts the built components with `variables` besides the tokens of tests. Limits are off
    /// unless a variable says otherwise.
    ///
    /// # Errors
    /// Where something is not built, or does not get ready in time.
    pub fn start(variables: &[(&str, &str)]) -> Result<Self> {
        let stack = Self::prepare(variables)?;
        stack.launch()?;
        stack.tick_every_half_second();
        Ok(stack)
    }

    /// A stack whose runtime has not started yet, and that nobody ticks.
    ///
    /// # Errors
    /// Where no port or no folder is to be had.
    pub fn prepare(variables: &[(&str, &str)]) -> Result<Self> {
        Self::prepare_with(variables, false)
    }

    /// [`Stack::start`], where the application and the workers reach the object store through a network that can be
    /// made bad (see [`Stack::faults`]). Links for people lead past it, unless `s3_public_endpoint` says otherwise.
    ///
    /// # Errors
    /// As [`Stack::start`].
    pub fn start_behind_faults(variables: &[(&str, &str)]) -> Result<Self> {
        let stack = Self::prepare_with(variables, true)?;
        stack.launch()?;
        stack.tick_every_half_second();
        Ok(stack)
    }

    fn prepare_with(variables: &[(&str, &str)], behind_faults: bool) -> Result<Self> {
        let state = TempDir::with_prefix("scooterbooter-journey-")?;
        let objects = Store::start(state.path().join("objects"))?;
        let faults = if behind_faults { Some(Proxy::start(&objects.url)?) } else { None };
        let s3_endpoint = faults.as_ref().map_or(&objects.url, |proxy| &proxy.url).clone();
        let mut all = vec![
            ("s3_endpoint".to_owned(), s3_endpoint),
            ("s3_public_endpoint".to_owned(), objects.url.clone()),
            ("s3_bucket".to_owned(), BUCKET.to_owned()),
            ("s3_access_key_id".to_owned(), ACCESS_KEY_ID.to_owned()),
            ("s3_secret_access_key".to_owned(), SECRET_ACCESS_KEY.to_owned()),
            ("worker_token".to_owned(), WORKER_TOKEN.to_owned()),
            ("internal_token".to_owned(), INTERNAL_TOKEN.to_owned()),
            ("rate_limits".to_owned(), "off".to_owned()),
            ("allow_private_endpoints".to_owned(), "on".to_owned()),
        ];
        all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let port = free_port()?;
        Ok(Self {
            url: format!("http://127.0.0.1:{port}"),
            objects,
            faults,
            state,
            variables: all,
            process: Mutex::default(),
            transcoders: Mutex::default(),
            ticking: Arc::default(),
            log: Log::default(),
        })
    }

    /// Starts the runtime on the state it has.
    ///
    /// # Errors
    /// As [`Stack::start`].
    pub fn launch(&self) -> Result<()> {
        self.spawn()?;
        self.wait_until_ready()
    }

    /// [`Stack::launch`] without waiting for it.
    ///
    /// # Errors
    /// Where the runtime cannot be started.
    pub fn spawn(&self) -> Result<()> {
        let root = root();
        let config = self.state.path().join("runtime-config.toml");
        std::fs::write(&config, runtime_config(&root, self.state.path())?)?;
        let listen = self.url.trim_start_matches("http://").to_owned();
        let mut command = match std::env::var("SCOOTERBOOTER_RUNTIME").as_deref() {
            Ok("spin") => {
                let mut command = Command::new("spin");
                command.args(["up", "--quiet"]);
                command
            }
            _ => Command::new(built("SCOOTERBOOTER_HOST", "scooterbooter-host")?),
        };
        command
            .arg("--from")
            .arg(root.join("spin.toml"))
            .arg("--runtime-config-file")
            .arg(&config)
            .arg("--state-dir")
            .arg(self.state.path())
            .args(["--listen", &listen]);
        // An empty public_url would make tokens of one stack good at another.
        command.env("SPIN_VARIABLE_PUBLIC_URL", &self.url);
        for (name, value) in &self.variables {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        *lock(&self.process) = Some(Process::start(&mut command, &self.log)?);
        Ok(())
    }

    fn wait_until_ready(&self) -> Result<()> {
        let deadline = Instant::now() + READY_TIME;
        loop {
            if let Some(process) = lock(&self.process).as_mut()
                && let Some(status) = process.ended()
            {
                bail!("the runtime ended with {status}:\n{}", self.log());
            }
            let ready = agent().get(format!("{}/readyz", self.url)).call();
            if ready.is_ok_and(|answer| answer.status() == 200) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("not ready in time:\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn tick_every_half_second(&self) {
        let (url, ticking) = (self.url.clone(), self.ticking.clone());
        ticking.store(true, Ordering::Release);
        std::thread::spawn(move || {
            while ticking.load(Ordering::Acquire) {
                // A stack that is killed in a test answers nothing for a while.
                let _ = agent()
                    .post(format!("{url}/worker/tick"))
                    .header("authorization", format!("Bearer {WORKER_TOKEN}"))
                    .send_empty();
                std::thread::sleep(Duration::from_millis(500));
            }
        });
    }

    /// Ends the runtime as a power cut would: SIGKILL, no goodbye.
    pub fn kill(&self) {
        lock(&self.process).take();
    }

    /// The memory of the runtime, in KB; 0 where it does not run.
    pub fn memory(&self) -> u64 {
        lock(&self.process).as_ref().map_or(0, Process::memory)
    }

    /// What the runtime and the components wrote so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// The network between the application and its object store.
    ///
    /// # Panics
    /// Where the stack was not started by [`Stack::start_behind_faults`].
    pub fn faults(&self) -> &Proxy {
        self.faults.as_ref().unwrap_or_else(|| panic!("this stack is not behind faults"))
    }

    /// Starts a worker with more `arguments`, such as `&["--kinds", "image"]`; several may run at once. It ends with the
    /// stack.
    ///
    /// # Errors
    /// Where it is not built or cannot be started.
    pub fn start_transcoder(&self, arguments: &[&str]) -> Result<Transcoder> {
        let program = built("SCOOTERBOOTER_TRANSCODER", "scooterbooter-transcoder")?;
        let mut transcoders = lock(&self.transcoders);
        let number = transcoders.len();
        let transcoder = Transcoder::start(&program, &self.url, self.state.path(), number, arguments)?;
        transcoders.push(transcoder.clone());
        Ok(transcoder)
    }

    /// Somebody new with an account: `stack.person("alice")`. The address and the handle carry a
    /// number of their own, so that journeys on one stack do not meet.
    ///
    /// # Panics
    /// Where registering fails: no journey can go on without.
    pub fn person(&self, name: &str) -> Person {
        Person::register(self, name)
    }

    /// Nobody: requests without a token.
    pub fn anonymous(&self) -> Person {
        Person::anonymous(&self.url)
    }

    /// The database of a service.
    pub fn database(&self, service: &str) -> PathBuf {
        self.state.path().join(format!("{service}.db"))
    }

    /// One value of a statement on the database of a service, read beside the running service.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn query<T: rusqlite::types::FromSql>(&self, service: &str, sql: &str) -> Result<T> {
        let connection = rusqlite::Connection::open(self.database(service))?;
        connection.busy_timeout(Duration::from_secs(5))?;
        Ok(connection.query_row(sql, [], |row| row.get(0))?)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.ticking.store(false, Ordering::Release);
        if std::thread::panicking() {
            eprintln!("what the runtime wrote:\n{}", self.log());
        }
        for transcoder in lock(&self.transcoders).iter() {
            transcoder.kill();
        }
        self.kill();
        self.objects.kill();
    }
}

/// The top of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The manifest names the databases; each gets a file in the state folder.
fn runtime_config(root: &Path, state: &Path) -> Result<String> {
    let manifest: toml::Table = std::fs::read_to_string(root.join("spin.toml"))?.parse()?;
    let components = manifest.get("component").and_then(toml::Value::as_table).context("no components")?;
    let mut config = format!(
        "[key_value_store.default]\ntype = \"spin\"\npath = {:?}\n",
        state.join("key_value.db").display().to_string()
    );
    for component in components.values() {
        for label in component.get("sqlite_databases").and_then(toml::Value::as_array).into_iter().flatten() {
            let label = label.as_str().context("a database label is no text")?;
            let path = state.join(format!("{label}.db")).display().to_string();
            config.push_str(&format!("\n[sqlite_database.{label}]\ntype = \"spin\"\npath = {path:?}\n"));
        }
    }
    Ok(config)
}

/// A port nobody uses now.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Asks again until `holds`, for at most 2 s: how long an effect in another service may take.
///
/// # Panics
/// Where it does not hold by then.
#[track_caller]
pub fn eventually(what: &str, holds: impl FnMut() -> bool) {
    eventually_within(Duration::from_secs(2), what, holds);
}

/// [`eventually`] for what takes longer: a worker, a store that is away.
///
/// # Panics
/// Where it does not hold by then.
#[track_caller]
pub fn eventually_within(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {} s: {what}", limit.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{fetch, upload};
    use crate::faults::Fault;
    use base64::Engine as _;
    use serde_json::json;

    /// One red point.
    const PNG: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

    #[test]
    fn a_stack_behind_faults_reaches_its_store_through_them() {
        let stack = Stack::start_behind_faults(&[]).unwrap();
        let alice = stack.person("alice");
        let picture = base64::engine::general_purpose::STANDARD.decode(PNG).unwrap();
        let declared = json!({ "contentType": "image/png", "size": picture.len() });
        let place = alice.post("/upload-url", declared).expect(201).body;
        stack.faults().set(Fault::Refuse);
        // People are led past the faults; the application is not.
        upload(&place, &picture).unwrap().expect(200);
        let path = format!("/media/{}", place["key"].as_str().unwrap());
        assert_eq!(alice.get(&path).expect(200).body["status"], "pending");
        stack.faults().set(Fault::Pass);
        let worker = stack.start_transcoder(&["--kinds", "image"]).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let ready = loop {
            let media = alice.get(&path).expect(200).body;
            if media["status"] == "ready" {
                break media;
            }
            assert!(Instant::now() < deadline, "{media}\n{}", worker.log());
            std::thread::sleep(Duration::from_millis(50));
        };
        assert!(stack.faults().connections() > 0);
        assert!(stack.objects.keys().unwrap().len() > 1);
        fetch("GET", ready["url"].as_str().unwrap(), &[], b"").unwrap().expect(200);
        assert!(worker.terminate().unwrap().success(), "{}", worker.log());
    }
}
