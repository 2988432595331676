//! The stream of an HTTP+SSE host: where to send messages, then whatever is delivered, with comments in silence.
//!
//! It ends when the host leaves, when it is old, when the caller's rights or the route are not what they were, and, once
//! nothing is under way any more, when the node stops. With it ends the session behind it.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::sse;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Host;
use crate::record::Record;
use crate::relay::{Errand, Standing, StreamSlot};
use crate::respond::{Body, BodyError};
use crate::session::Session;
use crate::upstream;

/// What a stream is made of.
pub(super) struct Parts {
    pub(super) host: Arc<Host>,
    pub(super) events: mpsc::Receiver<Bytes>,
    pub(super) errand: Errand,
    pub(super) record: Record,
    pub(super) slot: StreamSlot,
}

struct Feed {
    host: Arc<Host>,
    events: mpsc::Receiver<Bytes>,
    errand: Errand,
    record: Record,
    /// How the caller stood when it began.
    standing: Option<Standing>,
    greeted: bool,
    ends: Instant,
    _slot: StreamSlot,
}

enum Next {
    Event(Bytes),
    Silence,
    Over,
}

/// The body of the stream.
pub(super) fn body(parts: Parts) -> Body {
    let gateway = Arc::clone(&parts.errand.gateway);
    let feed = Box::new(Feed {
        standing: parts.errand.standing(),
        host: parts.host,
        events: parts.events,
        errand: parts.errand,
        record: parts.record,
        greeted: false,
        ends: Instant::now() + gateway.limits.stream_lifetime,
        _slot: parts.slot,
    });
    let frames = stream::unfold(feed, |mut feed| async move {
        let bytes = feed.next().await?;
        feed.record.sent(bytes.len());
        Some((Ok::<_, BodyError>(Frame::data(bytes)), feed))
    });
    gateway.streams.watch(StreamBody::new(frames).boxed_unsync())
}

impl Feed {
    /// The next bytes for the host; `None` when the stream is over.
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(self.endpoint());
        }
        let next = self.hear().await;
        if self.standing.is_none() || self.errand.standing() != self.standing {
            return None;
        }
        match next {
            Next::Event(bytes) => Some(bytes),
            Next::Silence => Some(Bytes::from_static(sse::KEEP_ALIVE)),
            Next::Over => None,
        }
    }

    /// A path, so that it has the origin of the stream whatever a proxy made of that.
    fn endpoint(&self) -> Bytes {
        let slug = &self.errand.route.route.slug;
        let id = &self.host.id;
        format!("event: endpoint\ndata: /s/{slug}/messages?sessionId={id}\n\n").into()
    }

    async fn hear(&mut self) -> Next {
        let gateway = &self.errand.gateway;
        let mut over = self.host.over.subscribe();
        let mut stopping = gateway.stopping();
        let host = &self.host;
        let stops = async {
            if stopping.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
            host.rests().await;
        };
        tokio::select! {
            biased;
            event = self.events.recv() => event.map_or(Next::Over, Next::Event),
            _ = over.wait_for(|over| *over) => Next::Over,
            () = stops => Next::Over,
            _ = gateway.loader.closing(&self.errand.route) => Next::Over,
            () = tokio::time::sleep_until(self.ends) => Next::Over,
            () = tokio::time::sleep(gateway.limits.keep_alive) => Next::Silence,
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.record.ended(UsageOutcome::Ok);
        self.errand.gateway.hosts.remove(&self.host);
        if let (Some(session), Ok(runtime)) = (self.host.leave(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(end(self.errand.clone(), session));
        }
    }
}

/// Ends the session behind the stream, and tells the server.
async fn end(errand: Errand, session: Arc<Session>) {
    errand.gateway.end_session(&session);
    if session.upstream().is_some()
        && let Err(error) = upstream::end(&errand.gateway.egress, &errand.route, &session).await
    {
        tracing::debug!(error = %error, "the upstream did not take the end of a session");
    }
}
