//! Event streams: what one read brings goes out in one write; silence is filled with comments; an end without an
//! answer becomes one.

use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt as _, stream};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use portreeve_core::protocol::Era;
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::bridge::{Question, Round};
use portreeve_mcp::envelope::Message;
use portreeve_mcp::method::Method;
use portreeve_mcp::{answer, code, sse};
use portreeve_net::ResponseBody;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use super::asking::Asking;
use super::awaited::Awaited;
use super::bounds::{Bounds, Overrun};
use super::changes::Changes;
use super::heard::{Heard, give_way};
use super::rest::Rest;
use super::resume::Mark;
use super::{Errand, StreamSlot};
use crate::record::Record;
use crate::respond::{Body, BodyError};

/// What may end a stream from this side.
#[derive(Debug, Default)]
pub struct Ends {
    /// The node stops (subscriptions and session streams only: calls are waited for).
    pub stopping: Option<watch::Receiver<bool>>,
    /// Another stream took this one's place; or the host does not want its answer any more.
    pub replaced: Option<watch::Receiver<bool>>,
}

impl Ends {
    pub(super) async fn wait(&mut self) {
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

/// A stream on its way to the host.
pub(super) struct Relay {
    pub(super) upstream: Rest,
    pub(super) reader: sse::Reader,
    pub(super) errand: Errand,
    pub(super) record: Option<Record>,
    pub(super) ends: Ends,
    /// What the host is told beside what the server says.
    changes: Option<Changes>,
    pub(super) answered: bool,
    /// What the host was asked and has not answered.
    pub(super) asking: Option<Asking>,
    /// How often it was asked.
    pub(super) rounds: usize,
    /// Where the server's stream can be taken up again.
    pub(super) mark: Mark,
    /// What the server has not begun to say.
    pub(super) awaited: Option<Awaited>,
    /// What it is to be asked next.
    round: Option<Round>,
    /// What the server asks of a host that can only be asked while the call waits.
    waits: Option<Box<(Box<RawValue>, Question)>>,
    /// The last id of an event tells the host how to come back for the rest.
    resumable: bool,
    pub(super) over: bool,
    pub(super) bounds: Bounds,
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

/// Where a stream begins.
#[derive(Debug)]
pub enum Begin {
    /// With what the server sends.
    Stream(ResponseBody),
    /// With what it asks the host.
    Round(Round),
}

/// Passes an upstream's stream on to the host.
pub fn relay(begin: Begin, errand: Errand, record: Record, slot: StreamSlot, ends: Ends) -> Body {
    let drain = errand.era == Era::Legacy && errand.method.is_some();
    let patience = errand.route.upstream.patience();
    let gateway = Arc::clone(&errand.gateway);
    let bounds = if is_endless(errand.method) {
        Bounds::endless(&gateway.limits)
    } else {
        Bounds::of_call(&gateway.limits, patience)
    };
    let alarm = bounds.listen(gateway.limits.keep_alive);
    let (body, round) = match begin {
        Begin::Stream(body) => (Some(body), None),
        Begin::Round(round) => (None, Some(round)),
    };
    let relay = Box::new(Relay {
        upstream: Rest {
            body,
            drain: drain.then_some(patience),
            exchange: errand.exchange.clone(),
            slot: Some(slot),
        },
        reader: sse::Reader::new(errand.gateway.limits.held_result_bytes),
        changes: Changes::of(&errand),
        errand,
        record: Some(record),
        ends,
        answered: false,
        asking: None,
        rounds: 0,
        mark: Mark::default(),
        awaited: None,
        round: None,
        waits: None,
        resumable: false,
        over: false,
        bounds,
        told: Instant::now(),
        alarm: Box::pin(tokio::time::sleep(alarm)),
    });
    let frames = stream::unfold((relay, round), |(mut relay, round)| async move {
        let bytes = match round {
            Some(round) => relay.begin_round(round),
            None => relay.next().await?,
        };
        relay.told = Instant::now();
        if let Some(record) = &mut relay.record {
            record.sent(bytes.len());
        }
        Some((Ok::<_, BodyError>(Frame::data(bytes)), (relay, None)))
    });
    gateway.streams.watch(StreamBody::new(frames).boxed_unsync())
}

/// Subscriptions and the streams of sessions.
pub(super) fn is_endless(method: Option<Method>) -> bool {
    matches!(method, None | Some(Method::Listen))
}

impl Relay {
    /// The next bytes for the host; `None` when the stream is over.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.over {
            if let Some(asking) = self.asking.take() {
                match self.go_on(asking).await {
                    Some(bytes) if !bytes.is_empty() => return Some(bytes),
                    _ => continue,
                }
            }
            let heard = self.hear().await;
            if is_endless(self.errand.method) && !self.errand.still_stands() {
                return self.stop();
            }
            if let Some(refusal) = self.errand.closed() {
                return self.refuse(&refusal);
            }
            match heard {
                // Opened again in the same moment.
                Heard::Closed => {}
                Heard::Bytes(bytes) => {
                    self.reader.feed(&bytes);
                    let (gathered, last) = self.gather(bytes.len()).await;
                    if let Err(overrun) = self.bounds.took(gathered) {
                        return self.overrun(overrun);
                    }
                    let mut out = self.turn_events();
                    let goes_on = self.asking.is_some() || self.may_take_up();
                    if let Some(last) = last.filter(|_| !self.over && !goes_on) {
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
                Heard::Changes => {
                    let news = self.changes.as_mut().map(|changes| changes.news(&self.errand));
                    let news: Vec<Bytes> = news
                        .into_iter()
                        .flatten()
                        .map(|news| sse::message(&news))
                        .collect();
                    if !news.is_empty() {
                        return Some(news.concat().into());
                    }
                }
                Heard::Stop => return self.stop(),
                Heard::Came(came) => {
                    if let Some(bytes) = self.came(*came).filter(|bytes| !bytes.is_empty()) {
                        return Some(bytes);
                    }
                }
                _ if self.take_up_stream() => {}
                last => return self.end(&last),
            }
        }
        if let Some(record) = self.record.take() {
            record.close();
        }
        None
    }

    pub(super) fn end(&mut self, last: &Heard) -> Option<Bytes> {
        match last {
            Heard::Stop => self.stop(),
            _ if self.awaits_return() => self.leave_off(),
            Heard::Broken => self.end_with("the server's stream broke off"),
            _ => self.end_with("the server ended its stream without an answer"),
        }
    }

    async fn hear(&mut self) -> Heard {
        let keep_alive = self.errand.gateway.limits.keep_alive;
        loop {
            let changes = async {
                match &mut self.changes {
                    Some(changes) => changes.wait().await,
                    None => std::future::pending().await,
                }
            };
            let server = async {
                match (&mut self.awaited, &mut self.upstream.body) {
                    (Some(awaited), _) => Heard::Came(Box::new(awaited.await)),
                    (None, Some(body)) => Heard::of(body.frame().await),
                    (None, None) => Heard::End,
                }
            };
            let heard = tokio::select! {
                biased;
                () = self.ends.wait() => Some(Heard::Stop),
                heard = server => Some(heard),
                () = changes => Some(Heard::Changes),
                _ = self.errand.gateway.loader.closing(&self.errand.route) => Some(Heard::Closed),
                () = &mut self.alarm => None,
            };
            if matches!(heard, Some(Heard::Came(_) | Heard::Stop)) {
                self.awaited = None;
            }
            if let Some(heard) = heard {
                return heard;
            }
            let rest = keep_alive
                .checked_sub(self.told.elapsed())
                .filter(|rest| !rest.is_zero());
            let next = self.bounds.listen(rest.unwrap_or(keep_alive));
            self.alarm.as_mut().reset(Instant::now() + next);
            if rest.is_none() || self.bounds.check().is_err() {
                return Heard::Silence;
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
        self.resumable && !self.answered && self.errand.session.is_some() && self.errand.crossing.is_none()
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
        if self.errand.lease.is_some() {
            self.mark.note(event);
        }
        if let Some(id) = &event.id {
            // An empty id takes the last one back.
            self.resumable = !id.is_empty();
            if let Some(request) = &self.errand.under_way {
                request.may_return();
            }
        }
        let crosses = self.errand.crossing.is_some();
        match &event.data {
            None if crosses => {}
            None => out.extend_from_slice(&event.raw),
            Some(data) if crosses => self.take_message(data, out),
            Some(data) => {
                let Some(turned) = self.turn_message(data) else {
                    return;
                };
                if turned == *data && event.name.is_some() {
                    out.extend_from_slice(&event.raw);
                } else if event.id.is_some() {
                    out.extend_from_slice(&event.with_data(&turned));
                } else {
                    out.extend_from_slice(&sse::message(&turned));
                }
            }
        }
    }

    /// A message from the other era, which may have a question in it. Identities of events stay on their hop.
    pub(super) fn take_message(&mut self, data: &Bytes, out: &mut BytesMut) {
        if let Some(turned) = self.turn_message(data) {
            out.extend_from_slice(&sse::message(&turned));
        } else if let Some(round) = self.round.take() {
            out.extend_from_slice(&self.begin_round(round));
        } else if let Some(waits) = self.waits.take() {
            let (asked_as, question) = *waits;
            out.extend_from_slice(&self.park(asked_as, question));
        }
    }

    /// What the host gets for a message; `None`: nothing, or it is asked something first.
    fn turn_message(&mut self, data: &Bytes) -> Option<Bytes> {
        if let Some(changes) = &mut self.changes
            && let Ok(Message::Notification { method, .. }) = Message::parse(data)
        {
            changes.passes(&method, data, &self.errand);
        }
        let Some(turned) = self.errand.turn(data) else {
            tracing::debug!(route = %self.errand.route.route.slug, "an event of the upstream is not a message for the host");
            return None;
        };
        if let Some(round) = turned.asks.filter(|_| !self.answered) {
            self.round = Some(*round);
            return None;
        }
        if turned.waits.is_some() {
            self.waits = turned.waits.filter(|_| !self.answered);
            return None;
        }
        if let Some(outcome) = turned.outcome {
            if self.answered && self.errand.method.is_some() {
                tracing::warn!(route = %self.errand.route.route.slug, "the upstream answered twice; the first answer counts");
                return None;
            }
            self.answered = true;
            if let Some(record) = &mut self.record {
                record.ended(outcome);
            }
        }
        Some(turned.bytes)
    }

    /// Ends the stream. A request that was not answered gets an error, since its answer is lost; it is not sent again,
    /// because it may have had effects.
    pub(super) fn end_with(&mut self, reason: &str) -> Option<Bytes> {
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
    pub(super) fn stop(&mut self) -> Option<Bytes> {
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
