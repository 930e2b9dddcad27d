//! The one task of an instance that looks for news and writes to all its streams.
//!
//! A stream holds no more than one write that is under way. What happens meanwhile stays in the log: the stream is behind, and reads
//! from there when it can write again. So a client that reads slowly costs nothing, holds up nobody and misses nothing, and so it is
//! where `notifications` does not answer.

mod round;
mod work;

use std::collections::HashMap;

use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use shared::app::Ctx;
use shared::clock::Instant;
use shared::ids::Id;
use shared::platform::{self, Outlet, sleep};
use shared::trace::log;

use crate::model::{AWAKE, DOZE, PAUSE, POLL};
use crate::store::Cursor;
use work::Work;

/// A stream of this instance.
struct Stream {
    person: i64,
    user: Id,
    /// The last number it has, or needs not have.
    seq: i64,
    /// Whether there may be more in the log than it was given.
    behind: bool,
    ends: Instant,
    /// None while something is written.
    outlet: Option<Outlet>,
    written: Instant,
    /// What it was last told is unread.
    unread: Option<i64>,
}

struct Poller {
    app: Ctx,
    streams: HashMap<i64, Stream>,
    work: FuturesUnordered<Work>,
    /// People of whom `notifications` is being asked, or did not answer: left alone until then.
    held: HashMap<i64, Option<Instant>>,
    /// Streams whose rows are to go.
    closed: Vec<i64>,
    cursor: Cursor,
    /// The people of all streams, as the statement takes them; none where they changed.
    people: Option<String>,
    renewed: Instant,
    /// When something happened last to its people.
    stirred: Instant,
}

/// Begins to serve the streams of this instance. It goes on until there are none.
pub fn serve(app: &Ctx) {
    let app = app.clone();
    platform::spawn(async move {
        let mut guard = Guard(Some(app.clone()));
        Poller::new(app).run().await;
        guard.0 = None;
    });
}

/// Where serving is ended from outside, the next stream begins it anew.
struct Guard(Option<Ctx>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(app) = &self.0 {
            app.streams.abandon();
        }
    }
}

impl Poller {
    fn new(app: Ctx) -> Self {
        let now = app.now();
        Self {
            app,
            streams: HashMap::new(),
            work: FuturesUnordered::new(),
            held: HashMap::new(),
            closed: Vec::new(),
            cursor: Cursor::default(),
            people: None,
            renewed: now,
            stirred: now,
        }
    }

    async fn run(mut self) {
        loop {
            self.take_over();
            let wait = match self.round().await {
                Ok(()) if self.app.now() < self.stirred.plus(AWAKE) => POLL,
                Ok(()) => DOZE,
                Err(error) => {
                    let fields = serde_json::json!({ "error": error.to_string() });
                    log("warn", self.app.service.name, "no look for news", fields);
                    PAUSE
                }
            };
            if self.streams.is_empty() && self.closed.is_empty() && self.app.streams.leave() {
                return;
            }
            let mut rest = std::pin::pin!(sleep(wait));
            while !self.work.is_empty() {
                match select(rest.as_mut(), self.work.next()).await {
                    Either::Left(_) => break,
                    Either::Right((done, _)) => done.into_iter().for_each(|done| self.note(done)),
                }
            }
            if self.work.is_empty() {
                rest.as_mut().await;
            }
        }
    }
}
