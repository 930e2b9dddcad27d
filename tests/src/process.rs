//! Programs that a stack starts. They end with this process even when nobody drops the stack, as a test binary does
//! with what it keeps in a static.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What a program writes, as it comes.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<String>>);

impl Log {
    /// Everything so far.
    pub fn text(&self) -> String {
        lock(&self.0).clone()
    }

    fn keep(&self, stream: impl Read + Send + 'static) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let mut log = lock(&log.0);
                log.push_str(&line);
                log.push('\n');
            }
        });
    }
}

/// A running program and its watcher.
pub struct Process {
    child: Child,
    watcher: Child,
}

impl Process {
    /// Its memory, in KB; 0 where that cannot be told.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    /// Starts `command`; what it writes goes to `log`.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(command: &mut Command, log: &Log) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("starting {program}"))?;
        if let Some(out) = child.stdout.take() {
            log.keep(out);
        }
        if let Some(err) = child.stderr.take() {
            log.keep(err);
        }
        // It reads until the other end of its pipe is gone, which is this process.
        let watcher = Command::new("sh")
            .args(["-c", "read _; kill -9 \"$1\"", "sh", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        match watcher {
            Ok(watcher) => Ok(Self { child, watcher }),
            Err(error) => {
                let _ = child.kill();
                Err(error).context("starting the watcher")
            }
        }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to stop and waits for it.
    ///
    /// # Errors
    /// Where it is still there after `limit`; then it is killed.
    pub fn terminate(mut self, limit: Duration) -> Result<ExitStatus> {
        let id = self.id().to_string();
        Command::new("sh").args(["-c", "kill -TERM \"$1\"", "sh", &id]).stderr(Stdio::null()).status()?;
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended() {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("not ended {limit:?} after SIGTERM");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Ends it as a power cut would: SIGKILL, no goodbye.
impl Drop for Process {
    fn drop(&mut self) {
        for process in [&mut self.watcher, &mut self.child] {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// The path of a built program: what `variable` says, else where `cargo xtask` builds it.
///
/// # Errors
/// Where it is not built.
pub fn built(variable: &str, name: &str) -> Result<PathBuf> {
    let usual = crate::stack::root().join("target/tools").join(name);
    let program = std::env::var_os(variable).map_or(usual, PathBuf::from);
    if !program.exists() {
        bail!("{} is not built; run `cargo xtask test`, which builds it", program.display());
    }
    Ok(program)
}

/// A lock, whatever the thread that held it came to.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
