//! When an instance starts, how many requests it serves and when it ends.
//!
//! The figures are Spin's defaults: an instance serves up to 128 requests (`--max-instance-reuse-count`, as Spin's), 16 of
//! them at a time, and goes after a second without work. What a component spawned after its response keeps its instance alive for
//! as long as it works: answers that go on are written by such work.

use crate::imports::{ComponentEnv, Ctx};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{Sleep, sleep};
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// Requests one instance serves at a time.
const MOST_CONCURRENT: usize = 16;

/// How long an idle instance is kept.
const IDLE: Duration = Duration::from_secs(1);

/// How long a component may take until its response begins.
const RESPONSE_LIMIT: Duration = Duration::from_secs(120);

/// How long work may go on after the last response of an instance once the host stops. A stream of events would never end.
const FAREWELL: Duration = Duration::from_secs(2);

/// When an instance ends that is in a state since `since`; none where it may be for as long as it likes.
fn deadline(status: WorkerStatus, since: Instant, stopped: Option<Instant>) -> Option<Instant> {
    match status {
        WorkerStatus::Idle => Some(stopped.unwrap_or(since + IDLE)),
        WorkerStatus::Requests => Some(since + RESPONSE_LIMIT),
        WorkerStatus::PostReturn => stopped.map(|stopped| stopped.max(since) + FAREWELL),
    }
}

/// Dropped when whatever holds it ends; the host waits for all of them when it stops.
pub type Alive = mpsc::Sender<std::convert::Infallible>;

/// Starts the instances of one component.
pub struct Starter {
    /// The component, compiled and linked.
    pub pre: ServicePre<Ctx>,
    /// What its instances share.
    pub env: Arc<ComponentEnv>,
    /// Requests one instance serves before it is replaced.
    pub most_requests: usize,
    /// Turns true when the host stops.
    pub stopping: watch::Receiver<bool>,
    /// Keeps the host alive while an instance works.
    pub alive: mpsc::WeakSender<std::convert::Infallible>,
}

impl HandlerState for Starter {
    type StoreData = Ctx;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Ctx, Expiration, Worker>> {
        let mut store = Store::new(self.pre.engine(), Ctx::new(self.env.clone()));
        store.limiter(|ctx| ctx);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let service = self.pre.instantiate_async(&mut store).await?;
        let mut stopping = self.stopping.clone();
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: Ctx::http_view,
            expiration: Expiration {
                sleep: Box::pin(sleep(IDLE)),
                // A sender gone is a host gone: stop as well.
                stopping: Box::pin(async move { drop(stopping.wait_for(|stopping| *stopping).await) }),
                stopped: None,
            },
            state: Worker {
                env: self.env.clone(),
                most_requests: self.most_requests,
                _alive: self.alive.upgrade(),
            },
        })
    }
}

/// Says when an instance has been idle, or busy, for too long.
pub struct Expiration {
    sleep: Pin<Box<Sleep>>,
    stopping: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    stopped: Option<Instant>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if self.stopped.is_none() && self.stopping.as_mut().poll(context).is_ready() {
            self.stopped = Some(Instant::now());
        }
        let Some(deadline) = deadline(status, start, self.stopped) else {
            return Poll::Pending;
        };
        let deadline = deadline.into();
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(context)
    }
}

/// The rules for one instance.
pub struct Worker {
    env: Arc<ComponentEnv>,
    most_requests: usize,
    _alive: Option<Alive>,
}

impl WorkerState for Worker {
    type StoreData = Ctx;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.most_requests {
            ShouldAccept::Never
        } else if concurrent >= MOST_CONCURRENT {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Ctx>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(sleep(RESPONSE_LIMIT))
    }

    fn drop(&self, store: Store<Ctx>, result: Result<(), wasmtime::Error>) {
        if let Err(error) = result {
            // The root only: a panic has already said where, and a backtrace of a stripped component says little.
            self.env.log.print(format!("the instance is gone: {}", error.root_cause()).as_bytes());
        }
        drop(store);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_that_works_after_its_responses_stays_until_the_host_stops() {
        let since = Instant::now();
        let stopped = since + Duration::from_secs(9);
        assert_eq!(deadline(WorkerStatus::Idle, since, None), Some(since + IDLE));
        assert_eq!(deadline(WorkerStatus::Idle, since, Some(stopped)), Some(stopped));
        assert_eq!(deadline(WorkerStatus::Requests, since, Some(stopped)), Some(since + RESPONSE_LIMIT));
        assert_eq!(deadline(WorkerStatus::PostReturn, since, None), None);
        assert_eq!(deadline(WorkerStatus::PostReturn, since, Some(stopped)), Some(stopped + FAREWELL));
        assert_eq!(deadline(WorkerStatus::PostReturn, stopped, Some(since)), Some(stopped + FAREWELL));
    }
}
