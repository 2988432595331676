//! Event streams: what one read brings goes out in one write; silence is filled with comments; an end without an
//! answer becomes one.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt as _, stream};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use portreeve_core::caller::Principal;
use portreeve_core::limits::Limits;
use portreeve_core::protocol::Era;
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::method::Method;
use portreeve_mcp::{answer, code, sse};
use portreeve_net::ResponseBody;
use prometheus_client::metrics::gauge::Gauge;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use super::Errand;
use super::bounds::{Bounds, Hosts, Overrun};
use crate::record::Record;
use crate::respond::{Body, BodyError, Refusal};
use crate::upstream::drain;

/// Counts the open streams of a node and of each caller.
#[derive(Debug)]
pub struct Streams {
    open: Mutex<HashMap<Principal, usize>>,
    hosts: Hosts,
    limits: Arc<Limits>,
    gauge: Gauge<i64, std::sync::atomic::AtomicI64>,
}

/// One open stream; gives its place back when dropped.
#[derive(Debug)]
pub struct StreamSlot {
    streams: Arc<Streams>,
    principal: Principal,
}

impl Streams {
    /// None open yet.
    pub fn new(limits: Arc<Limits>, gauge: Gauge<i64, std::sync::atomic::AtomicI64>) -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::default(),
            hosts: Hosts::default(),
            limits,
            gauge,
        })
    }

    /// Takes a place, if there is one.
    pub fn open(self: &Arc<Self>, principal: Principal) -> Result<StreamSlot, Refusal> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all = usize::try_from(self.gauge.get()).unwrap_or(0);
        let own = open.entry(principal).or_default();
        if *own >= self.limits.streams_per_caller || all >= self.limits.streams_per_node {
            return Err(Refusal::TooManyStreams);
        }
        *own += 1;
        self.gauge.inc();
        Ok(StreamSlot {
            streams: Arc::clone(self),
            principal,
        })
    }

    /// Ends the streams whose hosts take nothing of what waits for them. Says how many there were.
    pub fn cut_stalled(&self) -> usize {
        self.hosts.cut_stalled(self.limits.host_write)
    }

    /// Looks after the body of a stream, whose host may leave it unread.
    pub(crate) fn watch(&self, body: Body) -> Body {
        self.hosts.watch(body)
    }

    fn give_back(&self, principal: Principal) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        self.gauge.dec();
        if let Some(own) = open.get_mut(&principal) {
            *own -= 1;
            if *own == 0 {
                open.remove(&principal);
            }
        }
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        self.streams.give_back(self.principal);
    }
}

/// What may end a stream from this side.
#[derive(Debug, Default)]
pub struct Ends {
    /// The node stops (subscriptions and session streams only: calls are waited for).
    pub stopping: Option<watch::Receiver<bool>>,
    /// Another stream took this one's place.
    pub replaced: Option<watch::Receiver<bool>>,
}

impl Ends {
    async fn wait(&mut self) {
        let stopping = async {
            let stopped = match &mut self.stopping {
                Some(stopping) => stopping.wait_for(|stop| *stop).await.is_ok(),
                None => false,
            };
            if !stopped {
                std::future::pending::<()>().await;
            }
        };
        let replaced = async {
            match &mut self.replaced {
                Some(replaced) => drop(replaced.wait_for(|over| *over).await.map(|_| ())),
                None => std::future::pending().await,
            }
        };
        tokio::select! { biased; () = stopping => {}, () = replaced => {} }
    }
}

struct Relay {
    upstream: Rest,
    reader: sse::Reader,
    errand: Errand,
    record: Option<Record>,
    ends: Ends,
    answered: bool,
    /// The last id of an event tells the host how to come back for the rest.
    resumable: bool,
    over: bool,
    bounds: Bounds,
    /// When the host was last told something.
    told: Instant,
    /// Rings when silence must be filled or a bound is near. Moved only when it rings, so that a stream that speaks
    /// costs no timer per event.
    alarm: Pin<Box<Sleep>>,
}

/// Bytes that are gathered into one write. Servers write event by event; a read of their connection may hold many.
const GATHERED_BYTES: usize = 64 * 1024;
/// How often other tasks may run before nothing more is expected of the read: the connection to the host may ask again
/// before the one to the server had its turn.
const CHANCES: usize = 3;

/// Passes an upstream's stream on to the host.
pub fn relay(upstream: ResponseBody, errand: Errand, record: Record, slot: StreamSlot, ends: Ends) -> Body {
    let drain = errand.era == Era::Legacy && errand.method.is_some();
    let patience = errand.route.upstream.patience();
    let gateway = Arc::clone(&errand.gateway);
    let bounds = if is_endless(errand.method) {
        Bounds::endless(&gateway.limits)
    } else {
        Bounds::of_call(&gateway.limits, patience)
    };
    let alarm = bounds.listen(gateway.limits.keep_alive);
    let relay = Box::new(Relay {
        upstream: Rest {
            body: Some(upstream),
            drain: drain.then_some(patience),
            slot: Some(slot),
        },
        reader: sse::Reader::new(errand.gateway.limits.held_result_bytes),
        errand,
        record: Some(record),
        ends,
        answered: false,
        resumable: false,
        over: false,
        bounds,
        told: Instant::now(),
        alarm: Box::pin(tokio::time::sleep(alarm)),
    });
    let frames = stream::unfold(relay, |mut relay| async move {
        let bytes = relay.next().await?;
        relay.told = Instant::now();
        if let Some(record) = &mut relay.record {
            record.sent(bytes.len());
        }
        Some((Ok::<_, BodyError>(Frame::data(bytes)), relay))
    });
    gateway.streams.watch(StreamBody::new(frames).boxed_unsync())
}

/// Subscriptions and the streams of sessions.
fn is_endless(method: Option<Method>) -> bool {
    matches!(method, None | Some(Method::Listen))
}

enum Heard {
    Bytes(Bytes),
    Silence,
    End,
    Broken,
    Stop,
}

impl Heard {
    fn of<E>(frame: Option<Result<Frame<Bytes>, E>>) -> Self {
        match frame {
            Some(Ok(frame)) => frame.into_data().map_or(Self::Silence, Self::Bytes),
            Some(Err(_)) => Self::Broken,
            None => Self::End,
        }
    }
}

/// Lets the tasks run that are ready by now. Unlike `tokio::task::yield_now` it does not look at the network first,
/// which would cost a system call per chunk.
async fn give_way() {
    let mut gave = false;
    poll_fn(|context| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Relay {
    /// The next bytes for the host; `None` when the stream is over.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.over {
            let heard = self.hear().await;
            if is_endless(self.errand.method) && !self.errand.still_stands() {
                return self.stop();
            }
            match heard {
                Heard::Bytes(bytes) => {
                    self.reader.feed(&bytes);
                    let (gathered, last) = self.gather(bytes.len()).await;
                    if let Err(overrun) = self.bounds.took(gathered) {
                        return self.overrun(overrun);
                    }
                    let mut out = self.turn_events();
                    if let Some(last) = last.filter(|_| !self.over) {
                        out.extend(self.end(&last).unwrap_or_default());
                    }
                    if !out.is_empty() {
                        return Some(out.freeze());
                    }
                    if let Err(overrun) = self.bounds.check() {
                        return self.overrun(overrun);
                    }
                }
                Heard::Silence => match self.bounds.check() {
                    Ok(()) => return Some(Bytes::from_static(sse::KEEP_ALIVE)),
                    Err(overrun) => return self.overrun(overrun),
                },
                last => return self.end(&last),
            }
        }
        if let Some(record) = self.record.take() {
            record.close();
        }
        None
    }

    fn end(&mut self, last: &Heard) -> Option<Bytes> {
        match last {
            Heard::Stop => self.stop(),
            _ if self.awaits_return() => self.leave_off(),
            Heard::Broken => self.end_with("the server's stream broke off"),
            _ => self.end_with("the server ended its stream without an answer"),
        }
    }

    async fn hear(&mut self) -> Heard {
        let keep_alive = self.errand.gateway.limits.keep_alive;
        let Some(body) = &mut self.upstream.body else {
            return Heard::End;
        };
        loop {
            tokio::select! {
                biased;
                () = self.ends.wait() => return Heard::Stop,
                frame = body.frame() => return Heard::of(frame),
                () = &mut self.alarm => {
                    let rest = keep_alive.checked_sub(self.told.elapsed()).filter(|rest| !rest.is_zero());
                    let next = self.bounds.listen(rest.unwrap_or(keep_alive));
                    self.alarm.as_mut().reset(Instant::now() + next);
                    if rest.is_none() || self.bounds.check().is_err() {
                        return Heard::Silence;
                    }
                }
            }
        }
    }

    /// Takes what else the server has sent by now, so that one read of its connection becomes one write to the host.
    /// How many bytes there are now, and what ended the stream on the way, if anything did.
    async fn gather(&mut self, mut gathered: usize) -> (usize, Option<Heard>) {
        let Some(body) = &mut self.upstream.body else {
            return (gathered, None);
        };
        let mut chances = CHANCES;
        while chances > 0 && gathered < GATHERED_BYTES {
            // The connection's own task puts the next chunk of the same read here, if there is one.
            give_way().await;
            match body.frame().now_or_never().map(Heard::of) {
                Some(Heard::Bytes(bytes)) => {
                    gathered += bytes.len();
                    self.reader.feed(&bytes);
                    chances = CHANCES;
                }
                None | Some(Heard::Silence) => chances -= 1,
                last => return (gathered, last),
            }
        }
        (gathered, None)
    }

    /// A subscription or a session's stream that is old is complete; the host opens another one.
    fn overrun(&mut self, overrun: Overrun) -> Option<Bytes> {
        if is_endless(self.errand.method) {
            self.stop()
        } else {
            self.end_with(&overrun.to_string())
        }
    }

    /// Whether the host will come back for its answer with the id of the last event, which a legacy server may want (it
    /// closes the stream of a long call), and which helps after a broken connection. An error in the answer's place
    /// would end the call for the host.
    fn awaits_return(&self) -> bool {
        self.resumable && !self.answered && self.errand.session.is_some()
    }

    fn turn_events(&mut self) -> BytesMut {
        let mut out = BytesMut::new();
        loop {
            match self.reader.next_event() {
                Ok(Some(event)) => {
                    self.bounds.heard();
                    self.turn_event(&event, &mut out);
                }
                Ok(None) => return out,
                Err(error) => {
                    out.extend_from_slice(&self.end_with(&error.to_string()).unwrap_or_default());
                    return out;
                }
            }
        }
    }

    fn turn_event(&mut self, event: &sse::Event, out: &mut BytesMut) {
        if let Some(id) = &event.id {
            // An empty id takes the last one back.
            self.resumable = !id.is_empty();
        }
        let Some(data) = &event.data else {
            out.extend_from_slice(&event.raw);
            return;
        };
        let Some(turned) = self.errand.turn(data) else {
            tracing::warn!(route = %self.errand.route.route.slug, "an event of the upstream is not a message for the host");
            return;
        };
        if let Some(outcome) = turned.outcome {
            if self.answered && self.errand.method.is_some() {
                tracing::warn!(route = %self.errand.route.route.slug, "the upstream answered twice; the first answer counts");
                return;
            }
            self.answered = true;
            if let Some(record) = &mut self.record {
                record.ended(outcome);
            }
        }
        if turned.bytes == *data && event.name.is_some() {
            out.extend_from_slice(&event.raw);
        } else if event.id.is_some() {
            out.extend_from_slice(&event.with_data(&turned.bytes));
        } else {
            out.extend_from_slice(&sse::message(&turned.bytes));
        }
    }

    /// Ends the stream. A request that was not answered gets an error, since its answer is lost; it is not sent again,
    /// because it may have had effects.
    fn end_with(&mut self, reason: &str) -> Option<Bytes> {
        self.over = true;
        self.upstream.body = None;
        let record = self.record.as_mut();
        match &self.errand.host_id {
            Some(id) if !self.answered => {
                if let Some(record) = record {
                    record.ended(UsageOutcome::UpstreamError);
                }
                let error = answer::error(
                    Some(id),
                    code::UPSTREAM,
                    &format!("Upstream error: {reason}"),
                    None,
                );
                Some(sse::message(&error))
            }
            Some(_) => None,
            None => {
                if let Some(record) = record {
                    record.ended(UsageOutcome::Ok);
                }
                None
            }
        }
    }

    /// Ends the stream and leaves the request open: its answer comes on the stream that the host opens next.
    fn leave_off(&mut self) -> Option<Bytes> {
        self.over = true;
        self.upstream.body = None;
        if let Some(record) = &mut self.record {
            record.ended(UsageOutcome::Ok);
        }
        None
    }

    /// Ends a subscription from this side: the host is told that it is complete.
    fn stop(&mut self) -> Option<Bytes> {
        self.answered = true;
        self.end_with("stopped");
        let id = self
            .errand
            .host_id
            .as_ref()
            .filter(|_| self.errand.is_subscription())?;
        let meta = json!({"io.modelcontextprotocol/subscriptionId": id});
        Some(sse::message(&answer::result(
            id,
            json!({"resultType": "complete", "_meta": meta}),
        )))
    }
}

/// What is left of an upstream's answer. A legacy host that goes away has not cancelled its call, so the rest is read
/// to its end; dropping it would tell some servers to stop.
struct Rest {
    body: Option<ResponseBody>,
    drain: Option<Duration>,
    /// Its place among the open streams, given back when nothing is left to read.
    slot: Option<StreamSlot>,
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let (Some(body), Some(patience), Ok(runtime)) = (
            self.body.take(),
            self.drain,
            tokio::runtime::Handle::try_current(),
        ) {
            let slot = self.slot.take();
            runtime.spawn(async move {
                let _slot = slot;
                tokio::time::timeout(patience, drain(body)).await
            });
        }
    }
}
