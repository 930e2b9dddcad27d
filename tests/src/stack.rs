//! A running application of a test's own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::client::{Person, agent};

/// A first start compiles the components, several stacks at once on a new machine.
const READY_TIME: Duration = Duration::from_secs(180);

/// The worker token of every stack.
pub const WORKER_TOKEN: &str = "journey-worker-token";
/// The service token of every stack.
pub const INTERNAL_TOKEN: &str = "journey-internal-token";

/// A runtime with an empty state, and the clock that ticks it. Stops when dropped.
pub struct Stack {
    /// Where it answers, without a trailing slash.
    pub url: String,
    state: TempDir,
    variables: Vec<(String, String)>,
    process: Mutex<Option<Guarded>>,
    ticking: Arc<AtomicBool>,
    log: Arc<Mutex<String>>,
}

/// The runtime, and a watcher that ends it when this process ends without dropping the stack, as a
/// test binary does with what it keeps in a static.
struct Guarded {
    runtime: Child,
    watcher: Child,
}

impl Guarded {
    fn new(runtime: Child) -> Result<Self> {
        // The watcher reads until the other end of its pipe is gone, which is this process.
        let watcher = Command::new("sh")
            .args(["-c", "read _; kill -9 \"$1\"", "sh", &runtime.id().to_string()])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting the watcher")?;
        Ok(Self { runtime, watcher })
    }

    fn kill(mut self) {
        for process in [&mut self.watcher, &mut self.runtime] {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
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
        let mut all = vec![
            ("worker_token".to_owned(), WORKER_TOKEN.to_owned()),
            ("internal_token".to_owned(), INTERNAL_TOKEN.to_owned()),
            ("rate_limits".to_owned(), "off".to_owned()),
            ("allow_private_endpoints".to_owned(), "on".to_owned()),
        ];
        all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let port = free_port()?;
        Ok(Self {
            url: format!("http://127.0.0.1:{port}"),
            state: TempDir::with_prefix("scooterbooter-journey-")?,
            variables: all,
            process: Mutex::default(),
            ticking: Arc::default(),
            log: Arc::default(),
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
            _ => Command::new(host(&root)?),
        };
        command
            .arg("--from")
            .arg(root.join("spin.toml"))
            .arg("--runtime-config-file")
            .arg(&config)
            .arg("--state-dir")
            .arg(self.state.path())
            .args(["--listen", &listen])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // An empty public_url would make tokens of one stack good at another.
        command.env("SPIN_VARIABLE_PUBLIC_URL", &self.url);
        for (name, value) in &self.variables {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        let mut process = command.spawn().context("starting the runtime")?;
        for stream in [
            process.stdout.take().map(|out| Box::new(out) as Box<dyn std::io::Read + Send>),
            process.stderr.take().map(|err| Box::new(err) as Box<dyn std::io::Read + Send>),
        ]
        .into_iter()
        .flatten()
        {
            let log = self.log.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let mut log = log.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    log.push_str(&line);
                    log.push('\n');
                }
            });
        }
        *lock(&self.process) = Some(Guarded::new(process)?);
        Ok(())
    }

    fn wait_until_ready(&self) -> Result<()> {
        let deadline = Instant::now() + READY_TIME;
        loop {
            if let Some(process) = lock(&self.process).as_mut()
                && let Some(status) = process.runtime.try_wait()?
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
        let process = lock(&self.process).take();
        if let Some(process) = process {
            process.kill();
        }
    }

    /// What the runtime and the components wrote so far.
    pub fn log(&self) -> String {
        lock(&self.log).clone()
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
        self.kill();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The top of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

fn host(root: &Path) -> Result<PathBuf> {
    let built = root.join("target/tools/scooterbooter-host");
    let host = std::env::var_os("SCOOTERBOOTER_HOST").map_or(built, PathBuf::from);
    if !host.exists() {
        bail!("{} is not built; run `cargo xtask test`, which builds it", host.display());
    }
    Ok(host)
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
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(2);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 2 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
