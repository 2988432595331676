//! Open connections that wait for the next request to the same place.
//!
//! Before it: `egress` wants to send. After it: the connector, when nothing waits here. A connection comes back when
//! the body of its answer has ended; one whose answer was given up is closed, which is how HTTP/1.1 tells a server that
//! nobody waits any more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::destination::Place;
use crate::stream::{Speech, Stream, Stuck};

/// How connections are kept, and what is read from them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keeping {
    /// How long an idle connection is kept.
    pub(crate) idle_timeout: Duration,
    /// How many idle connections to one place are kept.
    pub(crate) idle_per_place: usize,
}

/// The idle connections of one way out.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    idle: Arc<Mutex<Idle>>,
    keeping: Keeping,
}

#[derive(Debug, Default)]
struct Idle {
    places: HashMap<Place, Vec<Waiting>>,
    /// Whether somebody looks after connections that wait too long.
    swept: bool,
}

#[derive(Debug)]
struct Waiting {
    line: Line,
    since: Instant,
}

/// An open connection, as whoever sends on it sees it.
#[derive(Debug)]
pub(crate) struct Line {
    sender: Sender,
    speech: Speech,
    stuck: Stuck,
}

#[derive(Debug)]
enum Sender {
    Http1 {
        sender: http1::SendRequest<Full<Bytes>>,
        /// Held, so that the connection ends with it.
        _driven: Driven,
    },
    /// Many requests share it: a copy waits here while others are under way.
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// The task that drives a connection. It ends with the last who could send on it: a server that does not read would
/// otherwise hold what was written to it for ever.
#[derive(Debug)]
struct Driven(AbortHandle);

/// Brings a connection back to its pool.
#[derive(Debug)]
pub(crate) struct Lease {
    line: Line,
    is_last: bool,
    place: Place,
    idle: Weak<Mutex<Idle>>,
    most: usize,
}

// === impl Pool ===

impl Pool {
    pub(crate) fn new(keeping: Keeping) -> Self {
        Self {
            idle: Arc::default(),
            keeping,
        }
    }

    /// The connection that came back last: it is the least likely to have been closed meanwhile.
    pub(crate) fn take(&self, place: &Place) -> Option<Line> {
        let mut idle = lock(&self.idle);
        let waiting = idle.places.get_mut(place)?;
        for at in (0..waiting.len()).rev() {
            let one = waiting.get_mut(at)?;
            if one.line.is_closed() || one.since.elapsed() > self.keeping.idle_timeout {
                waiting.remove(at);
                continue;
            }
            if let Some(copy) = one.line.share() {
                one.since = Instant::now();
                return Some(copy);
            }
            // A server may answer before it has read the request, and may never read the rest: until it has, the
            // connection takes no other.
            if one.line.is_ready() {
                return Some(waiting.remove(at).line);
            }
        }
        None
    }

    /// Ties a connection to its place here.
    pub(crate) fn lease(&self, line: Line, place: &Place) -> Lease {
        Lease {
            line,
            is_last: false,
            place: place.clone(),
            idle: Arc::downgrade(&self.idle),
            most: self.keeping.idle_per_place,
        }
    }

    /// Takes notice of a connection that was just opened.
    pub(crate) fn opened(&self, line: &Line, place: &Place) {
        if let Some(copy) = line.share() {
            self.lease(copy, place).give_back();
        }
        self.sweep();
    }

    /// Closes what waits too long, for as long as anything waits.
    fn sweep(&self) {
        if std::mem::replace(&mut lock(&self.idle).swept, true) {
            return;
        }
        let (idle, patience) = (Arc::downgrade(&self.idle), self.keeping.idle_timeout);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(patience.max(Duration::from_millis(100)) / 2).await;
                let Some(idle) = idle.upgrade() else { return };
                let mut idle = lock(&idle);
                idle.places.retain(|_, waiting| {
                    waiting.retain(|one| !one.line.is_closed() && one.since.elapsed() <= patience);
                    !waiting.is_empty()
                });
                if idle.places.is_empty() {
                    idle.swept = false;
                    return;
                }
            }
        });
    }
}

/// A panic while it was locked left whole values behind.
fn lock(idle: &Mutex<Idle>) -> MutexGuard<'_, Idle> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

// === impl Line ===

impl Line {
    /// Speaks HTTP on a connection that was just opened. The connection is driven on the runtime that calls this.
    pub(crate) async fn begin(stream: Stream) -> hyper::Result<Self> {
        let (speech, stuck) = (stream.speech(), stream.stuck());
        let sender = match speech {
            Speech::Http1 | Speech::Proxied => {
                let (sender, connection) = http1::Builder::new()
                    .max_buf_size(256 * 1024)
                    .handshake(stream)
                    .await?;
                let task = tokio::spawn(async move { told(connection.await) });
                Sender::Http1 {
                    sender,
                    _driven: Driven(task.abort_handle()),
                }
            }
            Speech::Http2 => {
                let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .max_header_list_size(64 * 1024)
                    // Finds a peer that vanished while streams are open; silence on an open stream is normal for MCP.
                    .keep_alive_interval(Duration::from_secs(20))
                    .keep_alive_timeout(Duration::from_secs(10))
                    .handshake(stream)
                    .await?;
                tokio::spawn(async move { told(connection.await) });
                Sender::Http2(sender)
            }
        };
        Ok(Self {
            sender,
            speech,
            stuck,
        })
    }

    /// Which HTTP is spoken, and to whom.
    pub(crate) fn speech(&self) -> Speech {
        self.speech
    }

    /// A second one on the same connection, if many requests can share it.
    fn share(&self) -> Option<Self> {
        match &self.sender {
            Sender::Http1 { .. } => None,
            Sender::Http2(sender) => Some(Self {
                sender: Sender::Http2(sender.clone()),
                speech: self.speech,
                stuck: self.stuck.clone(),
            }),
        }
    }

    /// Whether the next request would be sent at once, with nothing of an earlier one before it.
    fn is_ready(&self) -> bool {
        match &self.sender {
            Sender::Http1 { sender, .. } => sender.is_ready() && !self.stuck.is_stuck(),
            Sender::Http2(sender) => sender.is_ready(),
        }
    }

    fn is_closed(&self) -> bool {
        match &self.sender {
            Sender::Http1 { sender, .. } => sender.is_closed(),
            Sender::Http2(sender) => sender.is_closed(),
        }
    }

    /// Sends a request. A request that surely did not leave comes back with the error.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        match &mut self.sender {
            Sender::Http1 { sender, .. } => {
                // Not ready means closed, and then sending says so and gives the request back.
                let _ = sender.ready().await;
                sender.try_send_request(request).await
            }
            Sender::Http2(sender) => {
                let _ = sender.ready().await;
                sender.try_send_request(request).await
            }
        }
    }
}

fn told(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection to a server ended early");
    }
}

// === impl Driven ===

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.abort();
    }
}

// === impl Lease ===

impl Lease {
    pub(crate) fn line(&mut self) -> &mut Line {
        &mut self.line
    }

    /// Lets no other request follow on this connection.
    pub(crate) fn make_last(&mut self) {
        self.is_last = true;
    }

    /// The answer has ended: the connection waits for the next request.
    pub(crate) fn give_back(self) {
        if self.is_last {
            return;
        }
        // A shared connection waits already.
        let Some(idle) = self.idle.upgrade() else { return };
        let mut idle = lock(&idle);
        let waiting = match idle.places.get_mut(&self.place) {
            Some(waiting) => waiting,
            None => idle.places.entry(self.place).or_default(),
        };
        let is_shared = matches!(self.line.sender, Sender::Http2(_));
        if (is_shared && !waiting.is_empty()) || waiting.len() >= self.most {
            return;
        }
        waiting.push(Waiting {
            line: self.line,
            since: Instant::now(),
        });
    }
}
