//! The worker that processes pictures and videos beside an `up`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::process::Process;
use crate::project::transcoder;
use crate::state::State;
use crate::steps::{human, run, say, stop_asked};

/// The worker hands its jobs back.
const STOP_TIME: Duration = Duration::from_secs(10);
/// How long until a worker that ended is started again: at first, and at the most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A worker that ran for so long had no trouble of the kind that comes back at once.
const STEADY: Duration = Duration::from_secs(60);
/// How often a worker is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// The programs for videos.
pub const VIDEO_TOOLS: &[&str] = &["ffmpeg", "ffprobe"];
/// The program for pictures in HEIC.
pub const HEIC_TOOL: &str = "heif-convert";

/// Which kinds of media this machine can process, after installing what is missing where that can be done.
pub fn prepare_tools() -> Kinds {
    let missing = |tools: &[&str]| !tools.iter().all(|tool| is_installed(tool));
    if missing(VIDEO_TOOLS) || missing(&[HEIC_TOOL]) {
        install();
    }
    if missing(VIDEO_TOOLS) { Kinds::Images } else { Kinds::All }
}

/// What a worker processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// Videos and images.
    All,
    /// Images alone.
    Images,
}

impl Kinds {
    fn flag(self) -> &'static str {
        match self {
            Self::All => "video,image",
            Self::Images => "image",
        }
    }
}

/// Whether `program` is in `PATH`.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Debian's own programs, where this may install them; quiet where it may not or it fails, since who calls
/// says what is missing.
fn install() {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|asked| asked.stdout == b"0\n");
    if !is_root || !is_installed("apt-get") {
        return;
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let packages = ["install", "-y", "-qq", "--no-install-recommends", "ffmpeg", "libheif-examples"];
    if run("installing ffmpeg and heif-convert", &mut apt(&packages)).is_err()
        && !stop_asked()
        && run("asking for the newest lists of packages", &mut apt(&["update", "-qq"])).is_ok()
    {
        let _ = run("installing ffmpeg and heif-convert", &mut apt(&packages));
    }
}

/// Jobs at once: ffmpeg keeps several cores busy with one, and a picture must not wait behind a video.
pub fn jobs() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).div_ceil(2).clamp(2, 4)
}

/// A worker that is started again when it dies, until this is stopped.
pub struct Transcoder {
    stopped: Arc<AtomicBool>,
    supervisor: Option<JoinHandle<()>>,
}

impl Transcoder {
    /// Starts a worker for the application at `url`.
    pub fn start(state: &State, url: &str, worker_token: &str, kinds: Kinds) -> Self {
        let (url, worker_token) = (url.to_owned(), worker_token.to_owned());
        let folder = state.folder().join("transcoder");
        Self::supervise(move || {
            // Where that fails, the worker says so.
            let _ = std::fs::create_dir_all(&folder);
            command(&transcoder(), &folder, &url, &worker_token, kinds)
        })
    }

    fn supervise(command: impl Fn() -> Command + Send + 'static) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let seen = stopped.clone();
        let supervisor = std::thread::spawn(move || {
            let mut pause = FIRST_PAUSE;
            loop {
                let start = Instant::now();
                let Some(ended) = run_until_it_ends(&mut command(), &seen) else { return };
                if start.elapsed() > STEADY {
                    pause = FIRST_PAUSE;
                }
                say(&format!("[up] the transcoder {ended}; started again in {}", human(pause)));
                let again = Instant::now() + pause;
                while Instant::now() < again {
                    if seen.load(Ordering::Acquire) {
                        return;
                    }
                    std::thread::sleep(LOOK);
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        });
        Self { stopped, supervisor: Some(supervisor) }
    }

    /// Ends the worker, which hands back what it has in work.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stopped.store(true, Ordering::Release);
        if let Some(supervisor) = self.supervisor.take() {
            let _ = supervisor.join();
        }
    }
}

impl Drop for Transcoder {
    fn drop(&mut self) {
        self.end();
    }
}

fn command(program: &Path, folder: &Path, url: &str, worker_token: &str, kinds: Kinds) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--url", url, "--jobs", &jobs().to_string(), "--kinds", kinds.flag()])
        .args(["--worker", &format!("up-{}", std::process::id()), "--work-dir"])
        .arg(folder)
        .env("SCOOTERBOOTER_WORKER_TOKEN", worker_token);
    command
}

/// Runs a worker; how it ended, or nothing where it was asked to.
fn run_until_it_ends(command: &mut Command, stopped: &AtomicBool) -> Option<String> {
    let mut process = match Process::start(command) {
        Ok(process) => process,
        Err(error) => return Some(format!("does not start: {error:#}")),
    };
    loop {
        if stopped.load(Ordering::Acquire) {
            process.stop(STOP_TIME);
            return None;
        }
        if let Some(status) = process.ended() {
            return Some(format!("ended with {status}"));
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_path_is_installed() {
        assert!(is_installed("sh"));
        assert!(!is_installed("a-program-that-nobody-has"));
    }

    #[test]
    fn the_token_is_on_no_command_line() {
        let command = command(Path::new("worker"), Path::new("/tmp/x"), "http://a", "secret", Kinds::Images);
        let arguments: Vec<_> = command.get_args().map(|text| text.to_string_lossy().into_owned()).collect();
        let line = arguments.join(" ");
        assert!(line.starts_with("--url http://a --jobs ") && line.ends_with("--work-dir /tmp/x"), "{line}");
        assert!(line.contains("--kinds image ") && !line.contains("secret"), "{line}");
    }

    #[test]
    fn a_worker_that_dies_is_started_again_and_one_that_is_stopped_is_not() {
        let file = std::env::temp_dir().join(format!("scooterbooter-worker-{}", std::process::id()));
        let _ = std::fs::remove_file(&file);
        let path = file.clone();
        let started = move || std::fs::read_to_string(&path).unwrap_or_default().lines().count();
        let path = file.clone();
        let worker = Transcoder::supervise(move || {
            let mut command = Command::new("sh");
            // The first dies, the second stays.
            let script = "echo started >> \"$1\"; [ $(wc -l < \"$1\") = 1 ] && exit 7; exec sleep 300";
            command.args(["-c", script, "sh"]).arg(&path);
            command
        });
        let start = Instant::now();
        while started() < 2 {
            assert!(start.elapsed() < Duration::from_secs(20), "it is not started again");
            std::thread::sleep(LOOK);
        }
        assert!(start.elapsed() >= FIRST_PAUSE);
        worker.stop();
        std::thread::sleep(FIRST_PAUSE + LOOK);
        assert_eq!(started(), 2);
        std::fs::remove_file(file).unwrap();
    }
}
