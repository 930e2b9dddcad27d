//! A program run on a file of somebody we do not know: bounded in time, memory and size of files, without our
//! environment, in a process group of its own that ends with us.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::control::Control;
use crate::failure::{Code, Failure, Outcome};
use crate::tools::search_path;

/// Sets the limits and becomes the program. Beside it a shell of the same group reads from the pipe that this
/// process holds open: a read that ends means that this process is gone, however it went, and the group with it.
/// A limit below ours that the machine set already stays in force.
const SCRIPT: &str = r#"
exec 3<&0
( read -r _ <&3; kill -s KILL -- "-$$" ) >/dev/null 2>&1 &
exec 3<&-
ulimit -c 0
ulimit -v "$1" 2>/dev/null || :
ulimit -f "$2" 2>/dev/null || :
input=$3
shift 3
exec "$@" <"$input"
"#;

/// A line of output beyond this is cut into several.
const LINE: u64 = 64 * 1024;
/// How much of what a program says last is kept for the log.
const TAIL: usize = 4096;
/// How often the clock and the wish to stop are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What a program may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From start to end.
    pub time: Duration,
    /// Address space in bytes.
    pub memory: u64,
    /// The largest file it may write, in bytes.
    pub file: u64,
}

/// A program to run.
#[derive(Debug)]
pub struct Run<'a> {
    /// Its path, or a name looked for in `PATH`.
    pub program: &'a Path,
    /// What follows the name.
    pub arguments: Vec<OsString>,
    /// Where it runs; files are named relative to it.
    pub dir: &'a Path,
    /// A file in `dir` that it reads as its standard input.
    pub input: Option<&'a str>,
    /// What it may use.
    pub limits: Limits,
}

/// How a program ended by itself.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// The end of its standard error, for the log alone: a file may have put words into it.
    pub words: String,
}

impl Run<'_> {
    /// Runs it to its end and hands each line of its standard output to `line`. Too slow: `timed_out`; the job
    /// was ended: `cancelled`; an error of `line` ends it too.
    pub fn run(self, control: &Control, line: &mut dyn FnMut(&str) -> Outcome<()>) -> Outcome<Ended> {
        control.check()?;
        let mut child = self.start()?;
        let group = Pid::from_child(&child);
        control.enter(group);
        let words = child.stderr.take().map(|stderr| std::thread::spawn(move || last_words(stderr)));
        let (sender, lines) = sync_channel(256);
        let reader = child.stdout.take().map(|stdout| std::thread::spawn(move || read(stdout, &sender)));
        let followed = follow(&lines, control, self.limits.time, line);
        // A reader that waits for room must not wait for ever.
        drop(lines);
        let status = end(&mut child, group, control, followed.is_ok(), self.limits.time);
        let words = joined(words).unwrap_or_default();
        joined(reader);
        // An end from outside shows as a program that was killed: say what it was.
        control.check()?;
        followed.map_err(|failure| Failure { cause: failure.cause.or_else(|| said(&words)), ..failure })?;
        Ok(Ended { status: status?, words })
    }

    fn start(&self) -> Outcome<Child> {
        let mut command = Command::new("sh");
        command
            .args(["-c", SCRIPT, "sh"])
            .arg((self.limits.memory / 1024).to_string())
            .arg((self.limits.file / 512).to_string())
            .arg(self.input.unwrap_or("/dev/null"))
            .arg(self.program)
            .args(&self.arguments)
            .current_dir(self.dir)
            // The worker's token is in our environment and no business of theirs.
            .env_clear()
            .env("PATH", search_path())
            .env("LC_ALL", "C")
            .env("AV_LOG_FORCE_NOCOLOR", "1")
            // An arena for each thread would reserve address space by the gigabyte on a large machine.
            .env("MALLOC_ARENA_MAX", "4")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        command.spawn().context("`sh` cannot be started").map_err(Failure::from)
    }
}

fn said(words: &str) -> Option<anyhow::Error> {
    (!words.is_empty()).then(|| anyhow::Error::msg(words.to_owned()))
}

/// Hands lines on until the program closes its output.
fn follow(
    lines: &Receiver<String>,
    control: &Control,
    time: Duration,
    line: &mut dyn FnMut(&str) -> Outcome<()>,
) -> Outcome<()> {
    let deadline = Instant::now() + time;
    loop {
        match lines.recv_timeout(LOOK) {
            Ok(text) => line(&text)?,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        control.check()?;
        if Instant::now() > deadline {
            return Err(Failure::new(
                Code::TimedOut,
                "Processing the file took longer than any file may take.",
            ));
        }
    }
}

/// Waits for the program where it closed its output, else kills it, and its group in both cases.
fn end(child: &mut Child, group: Pid, control: &Control, wait: bool, time: Duration) -> Outcome<ExitStatus> {
    let deadline = Instant::now() + time;
    let mut pause = Duration::from_millis(1);
    while wait && control.stopped().is_none() && Instant::now() < deadline {
        if child.try_wait()?.is_some() {
            break;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LOOK);
    }
    control.leave(group);
    // The shell that watches over the group is still in it, so the number is still the group's own.
    let _ = kill_process_group(group, Signal::KILL);
    Ok(child.wait()?)
}

fn joined<T>(thread: Option<JoinHandle<T>>) -> Option<T> {
    thread.and_then(|thread| thread.join().ok())
}

fn read(stdout: ChildStdout, lines: &SyncSender<String>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        match stdout.by_ref().take(LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if lines.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
            return;
        }
    }
}

/// Reads to the end, so that the program never waits for us, and keeps the last of it.
fn last_words(mut stderr: impl Read) -> String {
    let mut kept = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = stderr.read(&mut piece) {
        kept.extend_from_slice(&piece[..length]);
        kept.drain(..kept.len().saturating_sub(TAIL));
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// The words of a command line.
pub fn arguments<I: IntoIterator>(words: I) -> Vec<OsString>
where
    I::Item: Into<OsString>,
{
    words.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Stop;

    const LIMITS: Limits = Limits { time: Duration::from_secs(20), memory: 1 << 30, file: 1 << 20 };

    fn shell<'a>(script: &str, dir: &'a Path, limits: Limits) -> Run<'a> {
        Run { program: Path::new("sh"), arguments: arguments(["-c", script]), dir, input: None, limits }
    }

    #[test]
    fn lines_and_last_words_come_back() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("in"), "two").unwrap();
        let run =
            Run { input: Some("in"), ..shell("echo one; cat; echo oh >&2; exit 3", dir.path(), LIMITS) };
        let mut lines = Vec::new();
        let ended = run
            .run(&Control::default(), &mut |line| {
                lines.push(line.to_owned());
                Ok(())
            })
            .unwrap();
        assert_eq!(
            (lines, ended.words.as_str(), ended.status.code()),
            (vec!["one".into(), "two".into()], "oh", Some(3))
        );
    }

    #[test]
    fn what_takes_too_long_is_killed_with_all_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { time: Duration::from_millis(300), ..LIMITS };
        let start = Instant::now();
        let script = "(sleep 2; touch late) & sleep 60";
        let failure =
            shell(script, dir.path(), limits).run(&Control::default(), &mut |_| Ok(())).unwrap_err();
        assert_eq!(failure.code, Code::TimedOut);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        std::thread::sleep(Duration::from_secs(2));
        assert!(!dir.path().join("late").exists());
    }

    #[test]
    fn a_job_that_is_ended_ends_its_programs() {
        let dir = tempfile::tempdir().unwrap();
        let control = Control::default();
        let failure = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(200));
                control.stop(Stop::Unwanted);
            });
            shell("sleep 60", dir.path(), LIMITS).run(&control, &mut |_| Ok(())).unwrap_err()
        });
        assert_eq!(failure.code, Code::Cancelled);
        let again = shell("touch again", dir.path(), LIMITS).run(&control, &mut |_| Ok(()));
        assert!(again.is_err() && !dir.path().join("again").exists());
    }

    #[test]
    fn memory_and_files_are_bounded_and_the_environment_is_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        let script =
            "ulimit -v; ulimit -f; env | grep -c CARGO; head -c 3000000 /dev/zero > big; wc -c < big";
        let mut lines = Vec::new();
        let ended = shell(script, dir.path(), LIMITS).run(&Control::default(), &mut |line| {
            lines.push(line.trim().to_owned());
            Ok(())
        });
        assert!(ended.is_ok());
        assert_eq!(lines, ["1048576", "2048", "0", "1048576"]);
    }

    #[test]
    fn a_program_that_is_not_there_ends_with_127() {
        let dir = tempfile::tempdir().unwrap();
        let run = Run { program: Path::new("no-such-program"), ..shell("", dir.path(), LIMITS) };
        assert_eq!(run.run(&Control::default(), &mut |_| Ok(())).unwrap().status.code(), Some(127));
    }
}
