//! The worker: slots that lease and work, a heartbeat for each job, and the way out.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::backoff;
use crate::client::{Client, Trouble};
use crate::control::{Control, Stop};
use crate::failure::{Code, Failure, Outcome};
use crate::job;
use crate::log::Log;
use crate::options::Options;
use crate::store::Store;
use crate::tools::Tools;
use crate::wire::{Lease, Result as Made};

/// A lease holds for 60 s; this leaves two more tries.
const BEAT: Duration = Duration::from_secs(20);
/// How soon after one heartbeat progress is told by another.
const SOONEST_BEAT: Duration = Duration::from_secs(2);
/// How soon a heartbeat that was not heard is sent again.
const RETRY: Duration = Duration::from_secs(4);
/// The longest wait for a server that is down.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How often an answer is told to a server that does not hear: some two minutes.
const TELLINGS: u32 = 28;
/// How long the slots may take to hand their jobs back.
const WAY_OUT: Duration = Duration::from_secs(4);
/// Folders of jobs that nobody touched for so long were left by a worker that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(6 * 3600);

/// A worker, shared by its slots and whoever stops it.
#[derive(Debug)]
pub struct Worker {
    options: Options,
    tools: Tools,
    client: Client,
    store: Store,
    log: Log,
    is_down: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_stopping: bool,
    active: Vec<Arc<Control>>,
}

impl Worker {
    /// A worker that has not started.
    pub fn new(options: Options, tools: Tools, log: Log) -> Self {
        let client = Client::new(&options.url, &options.token);
        Self {
            options,
            tools,
            client,
            store: Store::default(),
            log,
            is_down: AtomicBool::new(false),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Works until [`Worker::stop`], then hands back what is in work. Slots that wait for a job are left waiting:
    /// the end of the process ends them.
    pub fn run(self: &Arc<Self>) {
        sweep(&self.options.work_dir, &self.log);
        for _ in 0..self.options.jobs {
            let worker = Arc::clone(self);
            std::thread::spawn(move || worker.slot());
        }
        let state = self.changed.wait_while(self.state(), |state| !state.is_stopping);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let jobs = state.active.len();
        self.log.info("stopping", &[("jobs_handed_back", &jobs)]);
        for control in &state.active {
            control.stop(Stop::Shutdown);
        }
        let rest = self.changed.wait_timeout_while(state, WAY_OUT, |state| !state.active.is_empty());
        let (state, _) = rest.unwrap_or_else(PoisonError::into_inner);
        if !state.active.is_empty() {
            self.log.warn("some jobs could not be handed back; their leases end by themselves", &[]);
        }
    }

    /// Asks the worker to stop; `false` where it was asked before.
    pub fn stop(&self) -> bool {
        let mut state = self.state();
        let is_first = !state.is_stopping;
        state.is_stopping = true;
        self.changed.notify_all();
        is_first
    }

    /// Kills what is in work, for an end at once.
    pub fn kill(&self) {
        for control in &self.state().active {
            control.stop(Stop::Shutdown);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.state().is_stopping
    }

    /// Sleeps; the wish to stop cuts it short.
    fn sleep(&self, time: Duration) {
        drop(self.changed.wait_timeout_while(self.state(), time, |state| !state.is_stopping));
    }

    fn slot(&self) {
        let mut failed = 0;
        while !self.is_stopping() {
            match self.client.lease(&self.options.worker, &self.options.kinds) {
                Ok(job) => {
                    failed = 0;
                    self.is_up();
                    if let Some(lease) = job {
                        self.job(&lease);
                    }
                }
                Err(trouble) => {
                    failed += 1;
                    self.tell_once(&trouble);
                    self.sleep(backoff::delay(failed, LONGEST_WAIT));
                }
            }
        }
    }

    /// One line when the server goes away, however many slots notice.
    fn tell_once(&self, trouble: &Trouble) {
        if self.is_down.swap(true, Ordering::Relaxed) || self.is_stopping() {
            return;
        }
        let url = &self.options.url;
        match trouble {
            Trouble::Refused => self.log.error(
                "the application does not accept the token: set SCOOTERBOOTER_WORKER_TOKEN to its variable worker_token",
                &[("url", url)],
            ),
            Trouble::LeaseLost => {}
            Trouble::Passing(error) | Trouble::Final(error) => self.log.warn(
                "no jobs from the application; trying on until there are",
                &[("url", url), ("why", error)],
            ),
        }
    }

    fn is_up(&self) {
        if self.is_down.swap(false, Ordering::Relaxed) {
            self.log.info("the application answers again", &[("url", &self.options.url)]);
        }
    }

    fn job(&self, lease: &Lease) {
        let control = Arc::new(Control::default());
        {
            let mut state = self.state();
            state.active.push(Arc::clone(&control));
            if state.is_stopping {
                control.stop(Stop::Shutdown);
            }
        }
        let log = self.log.of_job(&lease.id, &lease.key);
        let start = Instant::now();
        log.info("leased", &[("attempt", &lease.attempt), ("bytes", &lease.source.size)]);
        std::thread::scope(|scope| {
            scope.spawn(|| self.heartbeats(lease, &control, &log));
            let work = || job::work(&self.tools, &self.store, &self.options.work_dir, lease, &control, &log);
            // A panic would leave the heartbeat alive, and the job in the hands of nobody.
            let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
                .unwrap_or_else(|_| Err(anyhow::anyhow!("the worker panicked").into()));
            self.answer(lease, worked, &control, &log, start);
            control.finish();
        });
        log.end_progress();
        let mut state = self.state();
        state.active.retain(|one| !Arc::ptr_eq(one, &control));
        self.changed.notify_all();
    }

    fn heartbeats(&self, lease: &Lease, control: &Control, log: &Log) {
        let (mut told, mut last, mut pause) = (0, Instant::now(), BEAT);
        while !control.is_over() {
            let is_news = pause == BEAT && control.progress() > told;
            let left = (if is_news { SOONEST_BEAT } else { pause }).saturating_sub(last.elapsed());
            if !left.is_zero() {
                control.wait(left);
                continue;
            }
            let progress = control.progress();
            let beat = self.client.heartbeat(lease, progress);
            last = Instant::now();
            pause = if beat.is_ok() { BEAT } else { RETRY };
            match beat {
                Ok(beat) if beat.cancelled => control.stop(Stop::Unwanted),
                Ok(_) => told = progress,
                Err(Trouble::LeaseLost) => control.stop(Stop::LeaseLost),
                Err(Trouble::Refused) => log.error("the application no longer accepts the token", &[]),
                Err(Trouble::Passing(error) | Trouble::Final(error)) => {
                    log.warn("a heartbeat was not heard", &[("why", &error)]);
                }
            }
        }
    }

    /// Tells the application what became of the job.
    fn answer(&self, lease: &Lease, worked: Outcome<Made>, control: &Control, log: &Log, start: Instant) {
        let seconds = format!("{:.1}", start.elapsed().as_secs_f64());
        match (worked, control.stopped()) {
            (_, Some(Stop::Unwanted)) => log.info("given up: nobody wants it any more", &[]),
            (_, Some(Stop::LeaseLost)) => log.warn("given up: the lease was lost", &[]),
            (Ok(made), _) => {
                if self.tell(control, log, || self.client.complete(lease, &made)) {
                    log.info("done", &[("seconds", &seconds)]);
                }
            }
            (Err(failure), stopped) => {
                let failure = if stopped.is_some() { Failure::cancelled() } else { failure };
                let Failure { code, cause, .. } = &failure;
                let cause = cause.as_ref().map(|cause| format!("{cause:#}")).unwrap_or_default();
                if *code == Code::Cancelled {
                    log.info("handed back", &[("seconds", &seconds)]);
                } else {
                    let fields: [(&str, &dyn std::fmt::Display); 4] = [
                        ("code", &code.as_str()),
                        ("detail", &failure.detail),
                        ("why", &cause),
                        ("seconds", &seconds),
                    ];
                    log.warn("failed", &fields);
                }
                self.tell(control, log, || self.client.fail(lease, &failure));
            }
        }
    }

    /// Tells until it is heard; the application takes the same answer twice.
    fn tell(&self, control: &Control, log: &Log, ask: impl Fn() -> Result<(), Trouble>) -> bool {
        for failed in 1..=TELLINGS {
            match ask() {
                Ok(()) => return true,
                Err(Trouble::LeaseLost) => {
                    log.warn("given up: the lease was lost", &[]);
                    return false;
                }
                Err(Trouble::Refused) => {
                    log.error("the application no longer accepts the token", &[]);
                    return false;
                }
                Err(Trouble::Final(error)) => {
                    log.error("the application does not take the answer", &[("why", &error)]);
                    return false;
                }
                Err(Trouble::Passing(error)) if failed == 1 => {
                    log.warn("the answer was not heard; telling it again", &[("why", &error)]);
                }
                Err(Trouble::Passing(_)) => {}
            }
            // Where this process is to end there is time for a few quick tries alone.
            let stopping = control.stopped().is_some();
            if stopping && failed >= 4 {
                break;
            }
            if stopping {
                std::thread::sleep(backoff::delay(failed, Duration::from_millis(500)));
            } else {
                self.sleep(backoff::delay(failed, LONGEST_WAIT));
            }
        }
        log.error("the answer was never heard; the lease ends by itself", &[]);
        false
    }
}

/// Removes what a worker that was killed left.
fn sweep(work_dir: &Path, log: &Log) {
    let Ok(entries) = std::fs::read_dir(work_dir) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(job::FOLDER);
        let age = entry.metadata().and_then(|data| data.modified()).ok();
        let age = age.and_then(|time| SystemTime::now().duration_since(time).ok());
        if is_ours
            && age.is_some_and(|age| age > LEFT_BEHIND)
            && std::fs::remove_dir_all(entry.path()).is_ok()
        {
            log.info(
                "removed what a killed worker left",
                &[("folder", &entry.file_name().to_string_lossy())],
            );
        }
    }
}
