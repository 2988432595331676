//! What a server says unasked on its way to one host: in the host's words, together with what changes for its caller without
//! the server.
//!
//! Before: the host's stream has a seat at the tap of its caller. After: the body of the stream.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::bridge::Wanted;
use portreeve_mcp::{bridge, sse};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Errand;
use super::changes::Changes;
use super::places::StreamSlot;
use super::stream::Ends;
use super::tap::{Said, Seat};
use crate::record::Record;
use crate::respond::{Body, BodyError};
use crate::session::Session;

/// A stream of news on its way to a host.
pub struct News {
    errand: Errand,
    record: Option<Record>,
    ends: Ends,
    seat: Seat,
    /// Says that a legacy host wants to be told of other resources now.
    wishes: Option<watch::Receiver<u64>>,
    /// What the host is told beside what the server says.
    changes: Option<Changes>,
    /// What the host gets next.
    ready: VecDeque<Bytes>,
    told: Instant,
    end: Instant,
    over: bool,
    _slot: StreamSlot,
}

enum Heard {
    Said(Said),
    /// The host wants to be told of other things.
    Wishes,
    /// The host may see other things.
    Changes,
    Silence,
    Stop,
}

impl std::fmt::Debug for News {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("News")
            .field("seat", &self.seat)
            .finish_non_exhaustive()
    }
}

impl News {
    /// A stream that begins with these messages.
    pub fn new(
        (errand, record, slot, ends): (Errand, Record, StreamSlot, Ends),
        seat: Seat,
        first: Vec<Vec<u8>>,
    ) -> Self {
        let now = Instant::now();
        Self {
            end: now + errand.gateway.limits.stream_lifetime,
            ready: first.iter().map(|message| sse::message(message)).collect(),
            record: Some(record),
            ends,
            seat,
            wishes: None,
            changes: Changes::of(&errand).map(|changes| changes.begun(&errand)),
            told: now,
            over: false,
            _slot: slot,
            errand,
        }
    }

    /// The same for a host that changes its mind about single resources.
    #[must_use]
    pub fn heeding(mut self, wishes: watch::Receiver<u64>) -> Self {
        self.wishes = Some(wishes);
        self
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
            if !self.errand.still_stands() || Instant::now() >= self.end {
                self.stop();
                continue;
            }
            match heard {
                Heard::Stop => self.stop(),
                Heard::Silence => return Some(Bytes::from_static(sse::KEEP_ALIVE)),
                Heard::Said(said) => self.pass(said),
                Heard::Wishes => {
                    if let Some(session) = &self.errand.session {
                        self.seat.wish(wishes(session));
                    }
                }
                Heard::Changes => {
                    let news = self.changes.as_mut().map(|changes| changes.news(&self.errand));
                    let news = news.into_iter().flatten();
                    self.ready.extend(news.map(|message| sse::message(&message)));
                }
            }
        }
    }

    async fn hear(&mut self) -> Heard {
        let alarm = (self.told + self.errand.gateway.limits.keep_alive).min(self.end);
        let wishes = async {
            if let Some(wishes) = &mut self.wishes
                && wishes.changed().await.is_ok()
            {
                return;
            }
            std::future::pending().await
        };
        let changes = async {
            match &mut self.changes {
                Some(changes) => changes.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.ends.wait() => Heard::Stop,
            () = wishes => Heard::Wishes,
            said = self.seat.hear() => Heard::Said(said),
            () = changes => Heard::Changes,
            _ = self.errand.gateway.loader.closing(&self.errand.route) => Heard::Stop,
            () = tokio::time::sleep_until(alarm) => Heard::Silence,
        }
    }

    fn stop(&mut self) {
        self.over = true;
        let last = self.errand.host_id.as_deref().map(bridge::subscription_end);
        self.ready.extend(last.map(|message| sse::message(&message)));
    }

    /// What the host gets of what came out of the tap.
    fn pass(&mut self, said: Said) {
        match said {
            Said::Note { method, uri, data } => {
                if let Some(changes) = &mut self.changes {
                    changes.passes(&method, &data, &self.errand);
                }
                if self.seat.is_for(&method, uri.as_deref()) {
                    let told = for_host(&data, &self.errand);
                    self.ready.extend(told.map(|message| sse::message(&message)));
                }
            }
            Said::Missed => {
                for message in self.seat.wanted().notifications() {
                    let told = for_host(&message, &self.errand);
                    self.ready.extend(told.map(|message| sse::message(&message)));
                }
            }
        }
    }
}

/// Everything that a modern server can tell, for a host that was promised it when its session began.
pub fn wishes(session: &Session) -> Wanted {
    Wanted {
        tools_list_changed: true,
        prompts_list_changed: true,
        resources_list_changed: true,
        resource_subscriptions: session.subscriptions().into_iter().collect(),
    }
}

/// A notification with the id of its subscription in the host's words, or without one.
pub(super) fn for_host(data: &[u8], errand: &Errand) -> Option<Vec<u8>> {
    match &errand.host_id {
        Some(id) => bridge::tagged(data, id).ok(),
        None => bridge::untagged(data).ok(),
    }
}
