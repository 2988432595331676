//! Keeps a tap running. A stream that breaks on the server's side does not break on the hosts': it is opened again, and
//! what may have been missed meanwhile is told as changed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use portreeve_mcp::bridge::Wanted;
use portreeve_mcp::envelope::Message;
use portreeve_mcp::params::Params;
use portreeve_mcp::sse;
use portreeve_net::ResponseBody;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use super::source::{Opening, Source, Wire};
use super::{Said, Tap, Told};
use crate::pipeline::Gateway;
use crate::relay::Errand;
use crate::route::ServedRoute;

/// The pauses before a stream is opened again: this one, doubled each time, up to the other.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What keeps a tap running.
pub(super) struct Driver {
    gateway: Arc<Gateway>,
    route: Arc<ServedRoute>,
    source: Source,
    tap: Weak<Tap>,
    said: broadcast::Sender<Said>,
    told: watch::Sender<Told>,
    changed: watch::Receiver<u64>,
    wire: Wire,
    /// The next stream, while the present one still speaks: other things are wanted.
    next: Option<Opening>,
    /// What the present stream was asked for, and the next one.
    asked: (Wanted, Wanted),
    reader: sse::Reader,
    pause: Duration,
    /// The same before the next one that was not given is asked for again.
    next_pause: Duration,
    /// Since when the present one is open: one that lived for a while broke off, and is opened again at once.
    opened: Instant,
}

enum Heard {
    Opened(Option<ResponseBody>),
    Next(Option<ResponseBody>),
    Bytes(Bytes),
    Closed,
    /// Other things are wanted.
    Changed,
    /// Nobody is left.
    Left,
}

// === impl Wire ===

impl Wire {
    async fn hear(&mut self) -> Heard {
        match self {
            Self::Opening(opening) => Heard::Opened(opening.await),
            Self::Open(body) => loop {
                match body.frame().await {
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data() {
                            return Heard::Bytes(data);
                        }
                    }
                    Some(Err(_)) | None => return Heard::Closed,
                }
            },
        }
    }
}

// === impl Driver ===

impl Driver {
    /// A driver of a tap whose stream was asked for.
    pub(super) fn new(
        tap: &Arc<Tap>,
        errand: &Errand,
        (source, wire, asked): (Source, Option<Wire>, Wanted),
        told: watch::Sender<Told>,
    ) -> Self {
        let mut changed = tap.changed.subscribe();
        // Somebody may have come while the stream was opened.
        changed.mark_changed();
        tap.asked.store(Arc::new(asked.clone()));
        Self {
            gateway: Arc::clone(&errand.gateway),
            route: Arc::clone(&errand.route),
            wire: wire.unwrap_or_else(|| Wire::Opening(source.open(asked.clone(), Duration::ZERO))),
            source,
            tap: Arc::downgrade(tap),
            said: tap.said.clone(),
            told,
            changed,
            next: None,
            asked: (asked.clone(), asked),
            reader: sse::Reader::new(errand.gateway.limits.question_bytes),
            pause: FIRST_PAUSE,
            next_pause: FIRST_PAUSE,
            opened: Instant::now(),
        }
    }

    /// Runs until nobody sits at the tap.
    pub(super) async fn run(mut self) {
        loop {
            match self.hear().await {
                Heard::Left => return,
                Heard::Bytes(bytes) => self.take(&bytes),
                Heard::Closed => self.reopen(),
                Heard::Changed => self.ask_for_next(),
                Heard::Opened(Some(body)) => self.take_up(body),
                Heard::Opened(None) => self.reopen(),
                Heard::Next(Some(body)) => {
                    self.asked.0 = self.asked.1.clone();
                    // In between there may have been no stream at all.
                    if matches!(self.wire, Wire::Opening(_)) {
                        self.take_up(body);
                    } else {
                        self.open(body);
                    }
                }
                // The present one goes on, and the server is asked again; at last when it ends.
                Heard::Next(None) if self.next_pause <= LONGEST_PAUSE => {
                    self.next = Some(self.source.open(self.asked.1.clone(), self.next_pause));
                    self.next_pause *= 2;
                }
                Heard::Next(None) => {}
            }
        }
    }

    async fn hear(&mut self) -> Heard {
        let next = async {
            match &mut self.next {
                Some(next) => next.await,
                None => std::future::pending().await,
            }
        };
        let heard = tokio::select! {
            biased;
            body = next => Heard::Next(body),
            changed = self.changed.changed() => match changed {
                Ok(()) => Heard::Changed,
                Err(_) => Heard::Left,
            },
            heard = self.wire.hear() => heard,
        };
        if matches!(heard, Heard::Next(_)) {
            self.next = None;
        }
        heard
    }

    /// Asks a modern server for what is wanted now, if it was not asked for that. What it tells besides reaches nobody: a
    /// stream that is wider than needed is better than a second one.
    fn ask_for_next(&mut self) {
        let Some(tap) = self.tap.upgrade() else {
            return;
        };
        let wanted = tap.wanted();
        if !self.source.is_asked_at_once() || self.asked.1.includes(&wanted) || tap.seats().is_empty() {
            return;
        }
        self.asked.1 = (*wanted).clone();
        tap.asked.store(wanted);
        self.next_pause = FIRST_PAUSE;
        self.next = Some(self.source.open(self.asked.1.clone(), Duration::ZERO));
    }

    fn open(&mut self, body: ResponseBody) {
        self.reader = sse::Reader::new(self.gateway.limits.question_bytes);
        self.wire = Wire::Open(body);
    }

    /// A stream of the server after one that ended.
    fn take_up(&mut self, body: ResponseBody) {
        self.open(body);
        self.opened = Instant::now();
        self.gateway.may_have_missed(self.route.route.id);
        self.say(Said::Missed);
    }

    fn reopen(&mut self) {
        if self.opened.elapsed() >= LONGEST_PAUSE {
            self.pause = FIRST_PAUSE;
        }
        if let Some(tap) = self.tap.upgrade() {
            let wanted = tap.wanted();
            self.asked = ((*wanted).clone(), (*wanted).clone());
            tap.asked.store(wanted);
        }
        self.next = None;
        self.wire = Wire::Opening(self.source.open(self.asked.0.clone(), self.pause));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    fn take(&mut self, bytes: &[u8]) {
        self.reader.feed(bytes);
        loop {
            match self.reader.next_event() {
                Ok(Some(event)) => {
                    if let Some(data) = event.data {
                        self.turn(data);
                    }
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(route = %self.route.route.slug, %error, "the server's stream is given up");
                    return self.reopen();
                }
            }
        }
    }

    fn turn(&mut self, data: Bytes) {
        match Message::parse(&data) {
            Ok(Message::Notification { method, params }) => {
                self.gateway.hears(self.route.route.id, &method);
                if Wanted::acknowledges(&method) {
                    let asked = self.asked.0.clone();
                    // One that does not say what it promises promises what it was asked.
                    let promised = Wanted::acknowledged(&data).unwrap_or_else(|| asked.clone());
                    self.told.send_replace(Told { asked, promised });
                    return;
                }
                let uri = Params::parse(params)
                    .ok()
                    .and_then(|params| params.uri.map(Into::into));
                let method = method.as_ref().into();
                self.say(Said::Note { method, uri, data });
            }
            Ok(Message::Request { id, method, .. }) => {
                // Nobody is there to answer it.
                if let Source::Legacy(own) = &self.source {
                    own.answer_server(&method, id);
                }
            }
            // The end of a subscription; its stream ends with it.
            Ok(Message::Response { .. }) | Err(_) => {}
        }
    }

    fn say(&self, said: Said) {
        // An error says that nobody listens just now.
        let _ = self.said.send(said);
    }
}
