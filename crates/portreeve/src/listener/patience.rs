//! How long a connection waits for its host: to begin, to finish a request's head, to ask again, and to take what was
//! written. The server in between has a timer for heads only, which it sets anew for every request; here a timer is
//! moved only when it rings too early, so that a busy connection costs none.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use portreeve_core::limits::Limits;
use portreeve_gateway::Body;
use portreeve_gateway::respond::BodyError;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How HTTP/2 begins, as far as nothing else does, and how long its beginning is as a whole.
const HTTP2: [u8; 3] = *b"PRI";
const HTTP2_BEGINS: usize = 24;

/// The requests of one connection that are under way. A clone is the same.
#[derive(Debug, Clone)]
pub(super) struct Requests(Arc<Count>);

#[derive(Debug)]
struct Count {
    start: Instant,
    under_way: AtomicUsize,
    /// When the last request ended, in nanoseconds since `start`.
    ended: AtomicU64,
}

/// A request that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Requests);

/// An answer's body; its request is under way until it is dropped.
pub(super) struct Answer {
    body: Body,
    _under_way: UnderWay,
}

/// A connection whose host must do its part in time.
pub(super) struct Patient<S> {
    stream: S,
    requests: Requests,
    head_read: Duration,
    idle: Duration,
    write: Duration,
    opening: [u8; HTTP2.len()],
    /// How many bytes came, as far as they tell the versions of HTTP apart.
    seen: usize,
    /// When the present head began. Over when a request has ended after it.
    head_since: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
    /// Set while the host takes nothing.
    stuck: Option<Pin<Box<Sleep>>>,
}

/// What a host is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Head,
    Request,
}

// === impl Requests ===

impl Requests {
    pub(super) fn none() -> Self {
        Self(Arc::new(Count {
            start: Instant::now(),
            under_way: AtomicUsize::new(0),
            ended: AtomicU64::new(0),
        }))
    }

    pub(super) fn begin(&self) -> UnderWay {
        self.0.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay(self.clone())
    }

    /// Since when there has been none; `None` while there is one.
    fn quiet_since(&self) -> Option<Instant> {
        let quiet = self.0.under_way.load(Ordering::Acquire) == 0;
        quiet.then(|| self.0.start + Duration::from_nanos(self.0.ended.load(Ordering::Acquire)))
    }
}

// === impl UnderWay ===

impl UnderWay {
    /// The request stays under way until its answer has gone.
    pub(super) fn until_gone(self, body: Body) -> Answer {
        Answer {
            body,
            _under_way: self,
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let count = &self.0.0;
        let since = u64::try_from(count.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        count.ended.store(since, Ordering::Release);
        count.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

// === impl Answer ===

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

// === impl Patient ===

impl<S> Patient<S> {
    pub(super) fn new(stream: S, requests: Requests, limits: &Limits) -> Self {
        Self {
            stream,
            head_since: Some(requests.0.start),
            requests,
            head_read: limits.head_read,
            idle: limits.idle_connection,
            write: limits.host_write,
            opening: Default::default(),
            seen: 0,
            alarm: None,
            stuck: None,
        }
    }

    /// Notes what was read.
    fn read(&mut self, bytes: &[u8]) {
        if self.seen < HTTP2_BEGINS {
            for (place, byte) in self.opening.iter_mut().skip(self.seen).zip(bytes) {
                *place = *byte;
            }
            self.seen += bytes.len();
        }
        if let Some(quiet) = self.requests.quiet_since()
            && self.head_since.is_none_or(|since| since < quiet)
        {
            self.head_since = Some(Instant::now());
        }
    }

    /// Until when the host is waited for, and for what; `None` while it waits for us. On HTTP/2, bytes between requests
    /// say nothing: they may be answers to pings.
    fn due(&self) -> Option<(Instant, Awaited)> {
        let quiet = self.requests.quiet_since()?;
        let is_http2 = self.opening == HTTP2 && self.seen >= HTTP2_BEGINS;
        let begun = self.head_since.filter(|since| *since >= quiet && !is_http2);
        Some(match begun {
            Some(since) => (since + self.head_read, Awaited::Head),
            None => (quiet + self.idle, Awaited::Request),
        })
    }

    /// Ready when the host is late.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Awaited> {
        let (due, idle) = (self.due(), self.idle);
        // Set while a request is under way as well: the server may not look for the next one when its answer has gone,
        // and then it is the alarm that makes it look.
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(idle)));
        if let Some((due, _)) = due
            && alarm.deadline() > due
        {
            alarm.as_mut().reset(due);
        }
        while alarm.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            match due {
                Some((due, awaited)) if due <= now => return Poll::Ready(awaited),
                Some((due, _)) => alarm.as_mut().reset(due),
                None => alarm.as_mut().reset(now + idle),
            }
        }
        Poll::Pending
    }

    /// A write that waits for the host waits only so long.
    fn in_time<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stuck = None;
            return polled;
        }
        let write = self.write;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(write)));
        stuck
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the host does not read")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_ready() {
            self.read(buffer.filled().get(before..).unwrap_or_default());
            return polled;
        }
        self.poll_late(cx).map(|awaited| match awaited {
            Awaited::Head => Err(io::Error::new(io::ErrorKind::TimedOut, "no request came")),
            // As if the host had hung up: there is nothing to break off.
            Awaited::Request => Ok(()),
        })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.in_time(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.in_time(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.in_time(cx, polled)
    }
}
