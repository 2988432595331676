//! What a server says unasked, across eras: the stream of a legacy session for a modern host's subscription, and a
//! subscription for the stream of a legacy host's session.
//!
//! A stream that breaks on the server's side does not break on the host's: it is opened again, and what may have been
//! missed meanwhile is told as changed.

mod source;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::envelope::Message;
use portreeve_mcp::{bridge, sse};
use portreeve_net::ResponseBody;
use tokio::time::Instant;

pub use self::source::Source;
use super::Errand;
use super::changes::Changes;
use super::places::StreamSlot;
use super::stream::Ends;
use crate::record::Record;
use crate::respond::{Body, BodyError};

/// The pauses before a stream is opened again: this one, doubled each time, up to the other.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

type Opening = Pin<Box<dyn Future<Output = Option<ResponseBody>> + Send>>;

/// The server's side of a stream.
enum Wire {
    /// It is being opened.
    Opening(Opening),
    /// It is open.
    Open(ResponseBody),
    /// There is none, and will be none.
    Silent,
}

/// A stream of news on its way to a host.
pub struct News {
    errand: Errand,
    record: Option<Record>,
    ends: Ends,
    source: Source,
    /// What the host is told beside what the server says.
    changes: Option<Changes>,
    wire: Wire,
    /// The next stream, while the present one still speaks: the host wants to be told of other things.
    next: Option<Opening>,
    reader: sse::Reader,
    /// What the host gets next.
    ready: VecDeque<Bytes>,
    pause: Duration,
    /// The same before the next one of a subscription that was changed is asked for again.
    next_pause: Duration,
    /// Since when the present one is open: one that lived for a while broke off, and is opened again at once.
    opened: Instant,
    told: Instant,
    end: Instant,
    over: bool,
    _slot: StreamSlot,
}

enum Heard {
    Opened(Option<ResponseBody>),
    Next(Option<ResponseBody>),
    Bytes(Bytes),
    Closed,
    /// The host wants to be told of other things.
    Changed,
    /// The host may see other things.
    Changes,
    Silence,
    Stop,
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
            Self::Silent => std::future::pending().await,
        }
    }
}

// === impl News ===

impl std::fmt::Debug for News {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("News")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl News {
    /// A stream that begins with these messages. `open` is what the server opened, if it is there already.
    pub fn new(
        (errand, record, slot, ends): (Errand, Record, StreamSlot, Ends),
        source: Source,
        open: Option<ResponseBody>,
        first: Vec<Vec<u8>>,
    ) -> Self {
        let limits = &errand.gateway.limits;
        let now = Instant::now();
        let wire = match open {
            Some(body) => Wire::Open(body),
            None if source.is_silent() => Wire::Silent,
            None => Wire::Opening(source.open(&errand, Duration::ZERO)),
        };
        Self {
            reader: sse::Reader::new(limits.held_result_bytes),
            end: now + limits.stream_lifetime,
            ready: first.iter().map(|message| sse::message(message)).collect(),
            record: Some(record),
            ends,
            source,
            wire,
            next: None,
            changes: Changes::of(&errand).map(|changes| changes.begun(&errand)),
            pause: FIRST_PAUSE,
            next_pause: FIRST_PAUSE,
            opened: now,
            told: now,
            over: false,
            _slot: slot,
            errand,
        }
    }

    /// The body of the host's stream.
    pub fn into_body(self) -> Body {
        let gateway = std::sync::Arc::clone(&self.errand.gateway);
        let frames = stream::unfold(Box::new(self), |mut news| async move {
            let bytes = news.say().await?;
            news.told = Instant::now();
            if let Some(record) = &mut news.record {
                record.sent(bytes.len());
            }
            Some((Ok::<_, BodyError>(Frame::data(bytes)), news))
        });
        gateway.streams.watch(StreamBody::new(frames).boxed_unsync())
    }

    /// The next bytes for the host; `None` when the stream is over.
    async fn say(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            if self.over {
                if let Some(mut record) = self.record.take() {
                    record.ended(UsageOutcome::Ok);
                    record.close();
                }
                return None;
            }
            let heard = self.hear().await;
            if !self.errand.still_stands() {
                self.stop();
                continue;
            }
            match heard {
                Heard::Stop => self.stop(),
                Heard::Silence if Instant::now() >= self.end => self.stop(),
                Heard::Silence => return Some(Bytes::from_static(sse::KEEP_ALIVE)),
                Heard::Bytes(bytes) => self.take(&bytes),
                Heard::Closed => self.reopen(),
                Heard::Changed => {
                    self.next_pause = FIRST_PAUSE;
                    self.next = Some(self.source.open(&self.errand, Duration::ZERO));
                }
                Heard::Changes => {
                    let news = self.changes.as_mut().map(|changes| changes.news(&self.errand));
                    let news = news.into_iter().flatten();
                    self.ready.extend(news.map(|message| sse::message(&message)));
                }
                Heard::Opened(Some(body)) => self.take_up(body),
                Heard::Opened(None) => self.reopen(),
                Heard::Next(Some(body)) => {
                    self.reader = sse::Reader::new(self.errand.gateway.limits.held_result_bytes);
                    self.wire = Wire::Open(body);
                }
                // The present one goes on, and the server is asked again; at last when it ends.
                Heard::Next(None) if self.next_pause <= LONGEST_PAUSE => {
                    self.next = Some(self.source.open(&self.errand, self.next_pause));
                    self.next_pause *= 2;
                }
                Heard::Next(None) => {}
            }
        }
    }

    async fn hear(&mut self) -> Heard {
        let alarm = (self.told + self.errand.gateway.limits.keep_alive).min(self.end);
        let next = async {
            match &mut self.next {
                Some(next) => next.await,
                None => std::future::pending().await,
            }
        };
        let changes = async {
            match &mut self.changes {
                Some(changes) => changes.wait().await,
                None => std::future::pending().await,
            }
        };
        let heard = tokio::select! {
            biased;
            () = self.ends.wait() => Heard::Stop,
            body = next => Heard::Next(body),
            () = self.source.changed() => Heard::Changed,
            heard = self.wire.hear() => heard,
            () = changes => Heard::Changes,
            () = tokio::time::sleep_until(alarm) => Heard::Silence,
        };
        if matches!(heard, Heard::Next(_)) {
            self.next = None;
        }
        heard
    }

    /// A stream of the server after one that ended.
    fn take_up(&mut self, body: ResponseBody) {
        self.reader = sse::Reader::new(self.errand.gateway.limits.held_result_bytes);
        self.wire = Wire::Open(body);
        self.opened = Instant::now();
        self.errand.gateway.may_have_missed(self.errand.route.route.id);
        for message in self.source.missed() {
            let told = for_host(&message, &self.errand);
            self.ready.extend(told.map(|message| sse::message(&message)));
        }
    }

    fn reopen(&mut self) {
        if self.opened.elapsed() >= LONGEST_PAUSE {
            self.pause = FIRST_PAUSE;
        }
        self.wire = Wire::Opening(self.source.open(&self.errand, self.pause));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    fn stop(&mut self) {
        self.over = true;
        self.wire = Wire::Silent;
        let last = self.source.last_words(&self.errand);
        self.ready.extend(last.map(|message| sse::message(&message)));
    }

    fn take(&mut self, bytes: &[u8]) {
        self.reader.feed(bytes);
        loop {
            match self.reader.next_event() {
                Ok(Some(event)) => {
                    let told = event.data.and_then(|data| self.turn(&data));
                    self.ready.extend(told.map(|message| sse::message(&message)));
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(route = %self.errand.route.route.slug, %error, "the server's stream is given up");
                    return self.reopen();
                }
            }
        }
    }

    /// A message for the host, if it is one.
    fn turn(&mut self, data: &Bytes) -> Option<Vec<u8>> {
        match Message::parse(data).ok()? {
            Message::Notification { method, .. } => {
                self.errand.gateway.hears(self.errand.route.route.id, &method);
                if let Some(changes) = &mut self.changes {
                    changes.passes(&method, data, &self.errand);
                }
                self.source.turn(&method, data, &self.errand)
            }
            Message::Request { id, method, .. } => {
                self.source.answer_server(&method, id);
                None
            }
            // The end of a subscription; its stream ends with it.
            Message::Response { .. } => None,
        }
    }
}

/// A notification with the id of its subscription in the host's words, or without one.
pub(super) fn for_host(data: &[u8], errand: &Errand) -> Option<Vec<u8>> {
    match &errand.host_id {
        Some(id) => bridge::tagged(data, id).ok(),
        None => bridge::untagged(data).ok(),
    }
}
