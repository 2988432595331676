//! What bounds a stream on either side: how much the server may send, how long it may be silent and how long it may go
//! on; and how long the host may leave what it was sent.
//!
//! Nothing here sets a timer. The first three are asked for whenever the relay hears something, silence included. The
//! last one is looked at by a round that passes all streams every few seconds, since a host that takes nothing is a
//! stream that nobody polls.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use portreeve_core::limits::Limits;

use crate::respond::{Body, BodyError};

/// The bounds of one stream on the server's side.
#[derive(Debug)]
pub(super) struct Bounds {
    opened: Instant,
    heard: Instant,
    /// Bytes that may still come, and how long the server may be silent; none for streams without an end of their own.
    of_a_call: Option<(usize, Duration)>,
    limit: usize,
    lifetime: Duration,
}

/// A bound that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Overrun {
    /// No event for too long.
    #[error("the server fell silent")]
    Silence,
    /// Too many bytes.
    #[error("the server's stream is longer than {0} bytes")]
    Bytes(usize),
    /// The stream is too old.
    #[error("the server's stream is open for longer than {} s", .0.as_secs())]
    Lifetime(Duration),
}

// === impl Bounds ===

impl Bounds {
    /// The bounds of a call's answer, whose server may be silent for so long.
    pub(super) fn of_call(limits: &Limits, patience: Duration) -> Self {
        Self {
            of_a_call: Some((limits.streamed_result_bytes, patience)),
            ..Self::endless(limits)
        }
    }

    /// The bounds of a stream that has no end of its own: a subscription, or the stream of a session.
    pub(super) fn endless(limits: &Limits) -> Self {
        let now = Instant::now();
        Self {
            opened: now,
            heard: now,
            of_a_call: None,
            limit: limits.streamed_result_bytes,
            lifetime: limits.stream_lifetime,
        }
    }

    /// The server sent so many bytes. Says as well when the stream was too old at its last event: one that speaks
    /// without a pause is never silent long enough to be asked.
    pub(super) fn took(&mut self, bytes: usize) -> Result<(), Overrun> {
        if self.heard.duration_since(self.opened) >= self.lifetime {
            return Err(Overrun::Lifetime(self.lifetime));
        }
        if let Some((room, _)) = &mut self.of_a_call {
            *room = room.checked_sub(bytes).ok_or(Overrun::Bytes(self.limit))?;
        }
        Ok(())
    }

    /// The server sent a whole event or comment. Bytes alone are no sign of life: one a second would do.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// How long to listen at most before the bounds are asked for again.
    pub(super) fn listen(&self, keep_alive: Duration) -> Duration {
        let now = Instant::now();
        let life = self.lifetime.saturating_sub(now.duration_since(self.opened));
        let patience = self.of_a_call.map_or(life, |(_, patience)| {
            patience.saturating_sub(now.duration_since(self.heard))
        });
        keep_alive.min(life).min(patience)
    }

    /// Whether the server was silent for too long, or the stream is too old.
    pub(super) fn check(&self) -> Result<(), Overrun> {
        if self.opened.elapsed() >= self.lifetime {
            return Err(Overrun::Lifetime(self.lifetime));
        }
        match self.of_a_call {
            Some((_, patience)) if self.heard.elapsed() >= patience => Err(Overrun::Silence),
            _ => Ok(()),
        }
    }
}

/// Most bytes that are handed to the connection at once: a slow host that takes something now and then is told apart
/// from one that takes nothing, however large the event.
const PIECE: usize = 64 * 1024;

/// The streams of a node on the hosts' side.
#[derive(Debug, Default)]
pub(super) struct Hosts(Mutex<Vec<Weak<Side>>>);

/// One stream on its host's side.
#[derive(Debug)]
struct Side(Mutex<Offer>);

#[derive(Debug)]
struct Offer {
    /// What the host gets; gone when the host took nothing for too long.
    body: Option<Body>,
    /// What is left of the last frame.
    rest: Bytes,
    /// When the last piece was handed out, if nobody asked for another one since: it waits for the host.
    since: Option<Instant>,
}

/// The body that the connection polls.
struct Watched(Arc<Side>);

/// The host took nothing of its stream for too long.
#[derive(Debug, thiserror::Error)]
#[error("the host did not read its stream")]
struct HostStalled;

// === impl Hosts ===

impl Hosts {
    /// Looks after a stream from now on.
    pub(super) fn watch(&self, body: Body) -> Body {
        let side = Arc::new(Side(Mutex::new(Offer {
            body: Some(body),
            rest: Bytes::new(),
            since: None,
        })));
        let mut sides = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sides.push(Arc::downgrade(&side));
        drop(sides);
        Watched(side).boxed_unsync()
    }

    /// Ends the streams whose hosts took nothing for so long: their servers, places and records are let go at once,
    /// the connection when the host looks at it again. Says how many there were.
    pub(super) fn cut_stalled(&self, patience: Duration) -> usize {
        let sides: Vec<Arc<Side>> = {
            let mut sides = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            sides.retain(|side| side.strong_count() > 0);
            sides.iter().filter_map(Weak::upgrade).collect()
        };
        let cut = sides.iter().filter_map(|side| side.cut(patience));
        // Dropped here, where no lock is held.
        cut.map(drop).count()
    }
}

// === impl Side ===

impl Side {
    fn lock(&self) -> MutexGuard<'_, Offer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self, patience: Duration) -> Option<Body> {
        let mut offer = self.lock();
        if offer.since.is_none_or(|since| since.elapsed() < patience) {
            return None;
        }
        offer.rest = Bytes::new();
        offer.body.take()
    }
}

// === impl Watched ===

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut offer = self.0.lock();
        offer.since = None;
        if offer.rest.is_empty() {
            let Some(body) = &mut offer.body else {
                return Poll::Ready(Some(Err(HostStalled.into())));
            };
            match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => offer.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return other,
            }
        }
        let length = offer.rest.len().min(PIECE);
        let piece = offer.rest.split_to(length);
        offer.since = Some(Instant::now());
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        let offer = self.0.lock();
        offer.rest.is_empty() && offer.body.as_ref().is_some_and(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests;
