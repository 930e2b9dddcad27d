//! Answers that go on: streams of events. A request opens one and is over; from then on one task of the instance writes to all
//! of them, since a task for each would look for news a thousand times, and tasks of requests may not wake each other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Instant;
use crate::ids::Id;
use crate::platform::Outlet;

/// A stream that was opened.
pub struct Arrival {
    /// Its row.
    pub stream: i64,
    /// Whose it is: their row, and their id.
    pub person: i64,
    /// Their id.
    pub user: Id,
    /// The number of the last event it needs no more.
    pub seq: i64,
    /// When it ends: with the token that opened it.
    pub ends: Instant,
    /// What is written before anything else.
    pub opening: String,
    /// Where it is written.
    pub outlet: Outlet,
}

/// The streams that requests of this instance opened, until whoever serves them takes them over.
#[derive(Default)]
pub struct Streams(Mutex<State>);

#[derive(Default)]
struct State {
    arrivals: Vec<Arrival>,
    served: bool,
}

impl Streams {
    /// Hands a stream over. Who is told so must begin to serve: nobody does yet.
    pub fn open(&self, arrival: Arrival) -> bool {
        let mut state = self.state();
        state.arrivals.push(arrival);
        !std::mem::replace(&mut state.served, true)
    }

    /// What arrived since this was asked last.
    pub fn arrivals(&self) -> Vec<Arrival> {
        std::mem::take(&mut self.state().arrivals)
    }

    /// Stops serving, unless something arrived meanwhile.
    pub fn leave(&self) -> bool {
        let mut state = self.state();
        state.served = !state.arrivals.is_empty();
        !state.served
    }

    /// Whoever served is gone without a word: what arrived ends, and its clients come again.
    pub fn abandon(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::platform;

    fn arrival(stream: i64) -> Arrival {
        let now = Clock::default().now();
        let (outlet, _) = platform::stream();
        Arrival { stream, person: 1, user: Id::new(now), seq: 0, ends: now, opening: String::new(), outlet }
    }

    #[test]
    fn the_first_stream_begins_the_serving_and_no_stream_is_left_behind() {
        let streams = Streams::default();
        assert!(streams.open(arrival(1)));
        assert!(!streams.open(arrival(2)), "somebody serves");
        assert!(!streams.leave(), "two wait");
        assert_eq!(streams.arrivals().iter().map(|one| one.stream).collect::<Vec<_>>(), [1, 2]);
        assert!(streams.leave());
        assert!(streams.open(arrival(3)), "nobody serves any more");
        streams.abandon();
        assert!(streams.arrivals().is_empty());
        assert!(streams.open(arrival(4)));
    }

    #[tokio::test]
    async fn an_outlet_writes_to_who_reads_and_ends_with_them() {
        use http_body_util::BodyExt;
        let (outlet, response) = platform::stream();
        let mut body = response.into_body();
        let outlet = outlet.send(b"one".to_vec()).await.unwrap();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
        drop(outlet);
        assert!(body.frame().await.is_none(), "the end of the outlet is the end of the answer");
        let (outlet, response) = platform::stream();
        drop(response);
        assert!(outlet.send(b"two".to_vec()).await.is_none());
    }
}
