//! The object store of a stack, and the workers that process what is in it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::{Log, Process, built, lock};
use crate::stack::WORKER_TOKEN;

/// The bucket of every stack.
pub const BUCKET: &str = "scooterbooter";
/// The access key id of every stack.
pub const ACCESS_KEY_ID: &str = "journey-access-key";
/// The secret access key of every stack.
pub const SECRET_ACCESS_KEY: &str = "journey-secret-access-key";

const START_TIME: Duration = Duration::from_secs(20);
/// A worker hands its jobs back before it ends.
const STOP_TIME: Duration = Duration::from_secs(30);

/// An S3 server on a folder. Stops when dropped.
pub struct Store {
    /// Where it answers, the same after every start.
    pub url: String,
    folder: PathBuf,
    process: Mutex<Option<Process>>,
    log: Log,
}

impl Store {
    /// Starts the server on a port of its own.
    ///
    /// # Errors
    /// Where it is not built, or does not start in time.
    pub fn start(folder: PathBuf) -> Result<Self> {
        let mut store = Self { url: String::new(), folder, process: Mutex::default(), log: Log::default() };
        store.launch("127.0.0.1:0")?;
        let log = store.log();
        let line = log.lines().find_map(|line| line.strip_prefix("Serving "));
        line.context("it does not say where it serves")?.clone_into(&mut store.url);
        Ok(store)
    }

    /// Starts it again after [`Store::kill`], where it was.
    ///
    /// # Errors
    /// As [`Store::start`].
    pub fn start_again(&self) -> Result<()> {
        self.launch(self.url.trim_start_matches("http://"))
    }

    /// Ends it as a power cut would. What it has stays.
    pub fn kill(&self) {
        lock(&self.process).take();
    }

    /// The keys of all objects, sorted: the parts of unfinished uploads are none.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn keys(&self) -> Result<Vec<String>> {
        let bucket = self.folder.join(BUCKET);
        let (mut keys, mut folders) = (Vec::new(), vec![bucket.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    keys.push(path.strip_prefix(&bucket)?.display().to_string());
                }
            }
        }
        keys.sort();
        Ok(keys)
    }

    /// What the server wrote so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    fn launch(&self, listen: &str) -> Result<()> {
        let mut command = Command::new(built("SCOOTERBOOTER_OBJECTS", "scooterbooter-objects")?);
        command
            .args(["--bucket", BUCKET, "--listen", listen, "--folder"])
            .arg(&self.folder)
            .env("SCOOTERBOOTER_S3_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("SCOOTERBOOTER_S3_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY);
        let serving = || self.log().lines().filter(|line| line.starts_with("Serving ")).count();
        let before = serving();
        let mut process = Process::start(&mut command, &self.log)?;
        let deadline = Instant::now() + START_TIME;
        while serving() == before {
            if let Some(status) = process.ended() {
                bail!("the S3 server ended with {status}:\n{}", self.log());
            }
            if Instant::now() > deadline {
                bail!("the S3 server is not ready in time:\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        *lock(&self.process) = Some(process);
        Ok(())
    }
}

/// A worker of a stack. It goes on when this is dropped, and ends with the stack.
#[derive(Clone)]
pub struct Transcoder {
    process: Arc<Mutex<Option<Process>>>,
    log: Log,
}

impl Transcoder {
    /// Starts `program` as a worker of the application at `url` with `arguments`; what they leave out is one job of
    /// any kind.
    pub(crate) fn start(
        program: &Path,
        url: &str,
        state: &Path,
        number: usize,
        arguments: &[&str],
    ) -> Result<Self> {
        let mut command = Command::new(program);
        let folder = state.join(format!("transcoder-{number}"));
        std::fs::create_dir_all(&folder)?;
        let (name, folder) = (format!("journey-{number}"), folder.display().to_string());
        let defaults = [
            ("--url", url),
            ("--jobs", "1"),
            ("--kinds", "video,image"),
            ("--worker", &name),
            ("--work-dir", &folder),
        ];
        for (flag, value) in defaults {
            if !arguments.contains(&flag) {
                command.args([flag, value]);
            }
        }
        command.args(arguments).env("SCOOTERBOOTER_WORKER_TOKEN", WORKER_TOKEN);
        let log = Log::default();
        let process = Process::start(&mut command, &log)?;
        Ok(Self { process: Arc::new(Mutex::new(Some(process))), log })
    }

    /// Ends it as a power cut would: SIGKILL, no goodbye.
    pub fn kill(&self) {
        lock(&self.process).take();
    }

    /// Asks it to stop with SIGTERM, and waits until it did.
    ///
    /// # Errors
    /// Where it is not running, or does not stop in 30 s.
    pub fn terminate(&self) -> Result<ExitStatus> {
        let process = lock(&self.process).take().context("it is not running")?;
        process.terminate(STOP_TIME)
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        lock(&self.process).as_mut().is_some_and(|process| process.ended().is_none())
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        self.log.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{fetch, upload};
    use crate::faults::{Fault, Proxy};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_store_answers_where_it_was_after_it_was_killed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::start(folder.path().join("objects")).unwrap();
        let ask = || fetch("GET", &format!("{}/{BUCKET}/a", store.url), &[], b"");
        assert_eq!(ask().unwrap().status, 403);
        store.kill();
        assert!(ask().is_err());
        store.start_again().unwrap();
        assert_eq!(ask().unwrap().status, 403);
        assert!(store.keys().unwrap().is_empty());
    }

    #[test]
    fn a_refused_upload_is_an_answer_and_a_cut_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::start(folder.path().join("objects")).unwrap();
        let proxy = Proxy::start(&store.url).unwrap();
        let told = serde_json::json!({
            "method": "PUT",
            "url": format!("{}/{BUCKET}/a", proxy.url),
            "headers": { "Content-Type": "image/png", "Content-Length": "3", "If-None-Match": "*" },
        });
        // More than any buffer on the way holds, so that the whole body must be taken before the refusal is read.
        let refused = upload(&told, &vec![7; 8 << 20]).unwrap().expect(403);
        assert_eq!(refused.header("access-control-allow-origin"), "*");
        proxy.set(Fault::CutAfter(100_000));
        assert!(upload(&told, &vec![7; 8 << 20]).is_err());
        proxy.set(Fault::Pass);
        upload(&told, b"abc").unwrap().expect(403);
    }

    #[test]
    fn a_worker_is_asked_to_stop_or_killed() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("worker");
        let script = "#!/bin/sh\ntrap 'echo bye; exit 0' TERM\necho \"$SCOOTERBOOTER_WORKER_TOKEN $*\"\n\
                      while :; do sleep 0.02; done\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let start = || {
            let arguments = ["--kinds", "image"];
            let worker = Transcoder::start(&program, "http://a", folder.path(), 7, &arguments).unwrap();
            let deadline = Instant::now() + Duration::from_secs(10);
            while worker.log().is_empty() {
                assert!(Instant::now() < deadline, "it does not start");
            }
            worker
        };
        let worker = start();
        let said = worker.log();
        assert!(
            said.starts_with(&format!("{WORKER_TOKEN} --url http://a --jobs 1 --worker journey-7 ")),
            "{said}"
        );
        assert!(said.trim_end().ends_with("--kinds image") && said.matches("--kinds").count() == 1, "{said}");
        assert!(worker.is_running());
        assert!(worker.terminate().unwrap().success());
        assert!(!worker.is_running() && worker.terminate().is_err());
        let worker = start();
        worker.clone().kill();
        assert!(!worker.is_running() && !worker.log().contains("bye"));
    }
}
