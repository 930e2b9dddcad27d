//! A process of ours: in a process group of its own so that Ctrl-C reaches it through us alone, and with a
//! watcher that ends it when this process dies without a goodbye.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// A started program and its watcher.
pub struct Process {
    /// The program.
    pub child: Child,
    watcher: Child,
}

impl Process {
    /// Starts `command`, which reads nothing.
    pub fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let started = command.stdin(Stdio::null()).process_group(0).spawn();
        let mut child = started.with_context(|| format!("{program} cannot be started"))?;
        match watch(child.id()) {
            Ok(watcher) => Ok(Self { child, watcher }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to stop; kills it, with what it started, when it has not after `limit`.
    pub fn stop(mut self, limit: Duration) {
        self.dismiss_watcher();
        if self.ended().is_some() {
            return;
        }
        signal("TERM", &self.child.id().to_string());
        let start = Instant::now();
        while self.ended().is_none() {
            if start.elapsed() > limit {
                // The whole group.
                signal("KILL", &format!("-{}", self.child.id()));
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn dismiss_watcher(&mut self) {
        // It must not take the end of its pipe for our death, when the number may be another process's.
        let _ = self.watcher.kill();
        let _ = self.watcher.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.dismiss_watcher();
        if self.ended().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The standard library sends no signals; every shell does.
fn signal(name: &str, process: &str) {
    let _ = Command::new("sh")
        .args(["-c", "kill -s \"$1\" -- \"$2\"", "sh", name, process])
        .stderr(Stdio::null())
        .status();
}

/// A shell that reads until the other end of its pipe is gone, which is this process.
fn watch(process: u32) -> Result<Child> {
    Command::new("sh")
        .args(["-c", "read _; kill -TERM \"$1\"", "sh", &process.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("`sh` cannot be started")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::start(Command::new("sh").args(["-c", script]).stdout(Stdio::piped())).unwrap()
    }

    fn first_line(process: &mut Process) -> String {
        use std::io::BufRead;
        let mut line = String::new();
        let out = process.child.stdout.as_mut().unwrap();
        std::io::BufReader::new(out).read_line(&mut line).unwrap();
        line
    }

    #[test]
    fn a_process_that_heeds_the_signal_is_not_killed() {
        let file = std::env::temp_dir().join(format!("scooterbooter-process-{}", std::process::id()));
        let script = format!(
            "trap 'echo well > {}; exit 0' TERM; echo up; while :; do sleep 0.05; done",
            file.display()
        );
        let mut process = shell(&script);
        assert_eq!(first_line(&mut process), "up\n");
        process.stop(Duration::from_secs(10));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "well\n");
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn a_process_that_does_not_is_killed_with_what_it_started() {
        let mut process = shell("trap '' TERM; sleep 300 & echo $!; while :; do sleep 0.05; done");
        let sleeping = first_line(&mut process);
        let start = Instant::now();
        process.stop(Duration::from_millis(200));
        assert!(start.elapsed() < Duration::from_secs(5));
        let stat = format!("/proc/{}/stat", sleeping.trim());
        // Gone, or waiting for somebody to collect it.
        let gone = || {
            std::fs::read_to_string(&stat).is_err() || std::fs::read_to_string(&stat).unwrap().contains(") Z")
        };
        while !gone() {
            assert!(start.elapsed() < Duration::from_secs(5), "{sleeping} is still there");
        }
    }

    #[test]
    fn how_a_process_ended_is_seen() {
        let mut process = shell("exit 3");
        let status = process.child.wait().unwrap();
        assert_eq!((status.code(), process.ended()), (Some(3), Some(status)));
    }
}
