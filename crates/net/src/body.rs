//! The body of a response: streamed by whoever reads its frames, or read whole within limits in bytes and time.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::error::NetError;
use crate::pool::Lease;

/// A body on its way in. Its connection waits for the next request as soon as the body has ended, and is closed when
/// the body is dropped before.
#[derive(Debug)]
pub struct ResponseBody {
    source: Source,
    lease: Option<Lease>,
    /// What comes before the source.
    ahead: Option<Box<Ahead>>,
}

/// What was read of a body and is read once more.
#[derive(Debug)]
struct Ahead {
    bytes: Option<Bytes>,
    broken: Option<hyper::Error>,
}

#[derive(Debug)]
enum Source {
    Incoming(Incoming),
    /// Made here; nothing once it was read.
    Ready(Option<Bytes>),
    /// Made here, bit by bit.
    Piped(mpsc::Receiver<Bytes>),
}

// === impl ResponseBody ===

impl ResponseBody {
    pub(crate) fn new(incoming: Incoming, lease: Lease) -> Self {
        let mut body = Self {
            source: Source::Incoming(incoming),
            lease: Some(lease),
            ahead: None,
        };
        body.settle();
        body
    }

    /// A body that came over no network: the answer of a part of this process, for whoever reads answers.
    pub fn ready(bytes: Bytes) -> Self {
        Self {
            source: Source::Ready(Some(bytes).filter(|bytes| !bytes.is_empty())),
            lease: None,
            ahead: None,
        }
    }

    /// A body that came over no network and is still being made. Whoever makes it learns from the channel that nobody reads
    /// it any more.
    pub fn piped(pieces: mpsc::Receiver<Bytes>) -> Self {
        Self {
            source: Source::Piped(pieces),
            lease: None,
            ahead: None,
        }
    }

    /// The same body with these bytes before what is left of it: for who read them to see what comes, and lets somebody
    /// else read it. How it broke off, if it did, comes after them once more.
    #[must_use]
    pub fn after(mut self, bytes: Bytes, broken: Option<hyper::Error>) -> Self {
        let bytes = Some(bytes).filter(|bytes| !bytes.is_empty());
        let is_anything = bytes.is_some() || broken.is_some();
        self.ahead = is_anything.then(|| Box::new(Ahead { bytes, broken }));
        self
    }

    /// Gives the connection back if nothing more comes.
    fn settle(&mut self) {
        if self.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.give_back();
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(ahead) = &mut self.ahead {
            if let Some(bytes) = ahead.bytes.take() {
                self.ahead = self.ahead.take().filter(|ahead| ahead.broken.is_some());
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            let broken = self.ahead.take().and_then(|ahead| ahead.broken);
            return Poll::Ready(broken.map(Err));
        }
        let incoming = match &mut self.source {
            Source::Incoming(incoming) => incoming,
            Source::Ready(bytes) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Source::Piped(pieces) => {
                return pieces
                    .poll_recv(context)
                    .map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))));
            }
        };
        let frame = ready!(Pin::new(incoming).poll_frame(context));
        match &frame {
            None => {
                if let Some(lease) = self.lease.take() {
                    lease.give_back();
                }
            }
            Some(Ok(_)) => self.settle(),
            Some(Err(_)) => self.lease = None,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        if self.ahead.is_some() {
            return false;
        }
        match &self.source {
            Source::Incoming(incoming) => incoming.is_end_stream(),
            Source::Ready(bytes) => bytes.is_none(),
            Source::Piped(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        if self.ahead.is_some() {
            return SizeHint::default();
        }
        match &self.source {
            Source::Incoming(incoming) => incoming.size_hint(),
            Source::Ready(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Source::Piped(_) => SizeHint::default(),
        }
    }
}

// === Reading it whole ===

/// Reads a body of at most `max` bytes, which must be there within `limit`. The time is for the whole: a server that
/// sends a little now and then would otherwise hold a connection and a caller for days.
pub async fn read_body(mut body: ResponseBody, max: usize, limit: Duration) -> Result<Bytes, NetError> {
    let too_large = NetError::BodyTooLarge { limit: max };
    // What the server announces is believed only when it is too much.
    if body.size_hint().lower() > max as u64 {
        return Err(too_large);
    }
    let mut read = Gathered::Nothing;
    let deadline = Instant::now() + limit;
    loop {
        let frame = timeout_at(deadline, body.frame())
            .await
            .map_err(|_| NetError::BodyLate { limit })?;
        let Some(frame) = frame else {
            return Ok(read.finish());
        };
        let frame = frame.map_err(|cause| NetError::BodyBroken(Arc::new(cause)))?;
        // Trailers say nothing that anybody here asks for.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > max - read.len() {
            return Err(too_large);
        }
        read.add(data);
        if body.is_end_stream() {
            return Ok(read.finish());
        }
    }
}

/// What was read so far. Most bodies come in one piece, and that piece is not copied.
enum Gathered {
    Nothing,
    One(Bytes),
    Many(BytesMut),
}

impl Gathered {
    fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(bytes) => bytes.len(),
            Self::Many(bytes) => bytes.len(),
        }
    }

    fn add(&mut self, more: Bytes) {
        match self {
            Self::Nothing => *self = Self::One(more),
            Self::One(first) => {
                let mut many = BytesMut::with_capacity(2 * (first.len() + more.len()));
                many.extend_from_slice(first);
                many.extend_from_slice(&more);
                *self = Self::Many(many);
            }
            Self::Many(many) => many.extend_from_slice(&more),
        }
    }

    fn finish(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.freeze(),
        }
    }
}
