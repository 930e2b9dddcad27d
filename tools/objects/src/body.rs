//! A request's body that can be read to its end after the answer is known.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

/// How much is read of a body that is not wanted, and for how long.
const MOST_UNWANTED: usize = 64 << 20;
const UNWANTED_LIMIT: Duration = Duration::from_secs(10);

/// A body of which one half is read by the server and the other kept for [`Shared::drain`].
#[derive(Clone)]
pub struct Shared {
    incoming: Arc<Mutex<Incoming>>,
}

impl Shared {
    /// Shares `incoming`.
    pub fn new(incoming: Incoming) -> Self {
        Self { incoming: Arc::new(Mutex::new(incoming)) }
    }

    /// Reads what is left and forgets it. A refusal that is sent while the client still sends is lost: the
    /// connection breaks before it is read, and the client learns nothing of why.
    pub async fn drain(mut self) {
        let mut left = MOST_UNWANTED;
        let reading = async {
            while let Some(Ok(frame)) = self.frame().await {
                let length = frame.data_ref().map_or(0, Bytes::len);
                let Some(rest) = left.checked_sub(length) else { return };
                left = rest;
            }
        };
        // A client that sends more, or slower, than this has its connection closed.
        let _ = tokio::time::timeout(UNWANTED_LIMIT, reading).await;
    }
}

impl Body for Shared {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut incoming = self.incoming.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *incoming).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}
