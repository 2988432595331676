//! What an answer's body is: bytes at once, or a stream of events.

use std::convert::Infallible;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// A body.
pub(crate) enum Answer {
    Whole(Option<Bytes>),
    Events(Events),
    /// One event, then silence until the other side leaves.
    Held(Option<Bytes>),
}

/// Events of progress, and the result behind them.
pub(crate) struct Events {
    pub(crate) token: String,
    pub(crate) count: u32,
    pub(crate) interval: Duration,
    pub(crate) result: Option<Bytes>,
    sent: u32,
    pause: Option<Pin<Box<Sleep>>>,
}

// === impl Answer ===

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match self.get_mut() {
            Self::Whole(bytes) => bytes.take(),
            Self::Events(events) => ready!(events.next(context)),
            Self::Held(first) => match first.take() {
                Some(first) => Some(first),
                None => return Poll::Pending,
            },
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Events(_) | Self::Held(_) => SizeHint::default(),
        }
    }
}

// === impl Events ===

impl Events {
    pub(crate) fn new(token: String, count: u32, interval: Duration, result: Bytes) -> Self {
        Self {
            token,
            count,
            interval,
            result: Some(result),
            sent: 0,
            pause: None,
        }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.sent == self.count {
            return Poll::Ready(self.result.take());
        }
        if self.sent > 0 && !self.interval.is_zero() {
            let interval = self.interval;
            let pause = self
                .pause
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(interval)));
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        self.sent += 1;
        Poll::Ready(Some(progress(&self.token, self.sent, self.count)))
    }
}

/// One event of progress.
pub(crate) fn progress(token: &str, done: u32, total: u32) -> Bytes {
    Bytes::from(format!(
        "event: message\ndata: {{\"jsonrpc\":\"2.0\",{},\"params\":{{\"progressToken\":{token},\"progress\":{done},\
         \"total\":{total}}}}}\n\n",
        portreeve_bench::message::PROGRESS
    ))
}
