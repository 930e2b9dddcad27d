//! What a job in work is asked from outside: how far it is, and whether to stop.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::failure::{Failure, Outcome};

/// Why a job ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nobody wants the result any more.
    Unwanted,
    /// Another worker has the job.
    LeaseLost,
    /// This process was asked to stop.
    Shutdown,
}

/// One job in work, shared by the thread that does it, its heartbeat and the thread that stops everything.
#[derive(Debug, Default)]
pub struct Control {
    progress: AtomicU8,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stop: Option<Stop>,
    finished: bool,
    groups: Vec<Pid>,
}

impl Control {
    /// How far the job is, 0 to 100.
    pub fn progress(&self) -> u8 {
        self.progress.load(Ordering::Relaxed)
    }

    /// Sets how far the job is; it never goes back.
    pub fn set_progress(&self, percent: f64) {
        let percent = percent.clamp(0.0, 100.0) as u8;
        if self.progress.fetch_max(percent, Ordering::Relaxed) < percent {
            self.changed.notify_all();
        }
    }

    /// Ends the job: kills its processes, and every later step answers `cancelled`. The first reason stays.
    pub fn stop(&self, why: Stop) {
        let mut state = self.state();
        state.stop.get_or_insert(why);
        // Under the lock, so that no group is left out and none is named after it is gone.
        for group in &state.groups {
            let _ = kill_process_group(*group, Signal::KILL);
        }
        self.changed.notify_all();
    }

    /// Why the job was ended from outside, where it was.
    pub fn stopped(&self) -> Option<Stop> {
        self.state().stop
    }

    /// An error where the job was ended from outside.
    pub fn check(&self) -> Outcome<()> {
        self.stopped().map_or(Ok(()), |_| Err(Failure::cancelled()))
    }

    /// The job is done; its heartbeat ends.
    pub fn finish(&self) {
        self.state().finished = true;
        self.changed.notify_all();
    }

    /// Whether the job was ended or is done.
    pub fn is_over(&self) -> bool {
        let state = self.state();
        state.finished || state.stop.is_some()
    }

    /// Waits until something changed, for `time` at the most.
    pub fn wait(&self, time: Duration) {
        let state = self.state();
        if !state.finished && state.stop.is_none() {
            drop(self.changed.wait_timeout(state, time));
        }
    }

    /// Sleeps; an end from outside cuts it short.
    pub fn sleep(&self, time: Duration) -> Outcome<()> {
        let state = self.state();
        let wait = self.changed.wait_timeout_while(state, time, |state| state.stop.is_none());
        drop(wait);
        self.check()
    }

    /// Names a process group to be killed at the end.
    pub(crate) fn enter(&self, group: Pid) {
        let mut state = self.state();
        state.groups.push(group);
        if state.stop.is_some() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Takes a process group off the list, before it may be gone.
    pub(crate) fn leave(&self, group: Pid) {
        self.state().groups.retain(|one| *one != group);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is inside is valid at every moment, so a panic elsewhere is no reason to fail here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_never_goes_back() {
        let control = Control::default();
        for (set, is) in [(40.0, 40), (20.0, 40), (170.0, 100), (f64::NAN, 100)] {
            control.set_progress(set);
            assert_eq!(control.progress(), is);
        }
    }

    #[test]
    fn the_first_reason_to_stop_stays() {
        let control = Control::default();
        assert!(control.check().is_ok());
        control.stop(Stop::LeaseLost);
        control.stop(Stop::Shutdown);
        assert_eq!(control.stopped(), Some(Stop::LeaseLost));
        assert!(control.check().is_err() && control.sleep(Duration::from_secs(60)).is_err());
    }
}
