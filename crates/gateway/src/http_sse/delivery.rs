//! One message of an HTTP+SSE host: through the corridor, and what comes of it onto the host's stream.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use portreeve_core::protocol::Era;
use portreeve_mcp::method::Method;
use portreeve_mcp::{answer, code, header, sse};
use serde_json::value::RawValue;

use super::{Host, Message};
use crate::accept::head::Head;
use crate::accept::inbound::Inbound;
use crate::record::Record;
use crate::relay::Errand;
use crate::respond::{self, Body, Unheld};
use crate::session::Session;

/// What a host says when it has read the answer to `initialize`.
const INITIALIZED: &str = "notifications/initialized";

/// What framing adds to a message.
const FRAME_BYTES: usize = 1024;

/// Sends a message through the corridor, and delivers what comes of it.
pub(super) async fn see_through(host: &Arc<Host>, message: Message, record: Record) {
    let Message {
        head,
        inbound,
        errand,
    } = message;
    let gateway = Arc::clone(&errand.gateway);
    let id = errand.host_id.clone();
    let is_first = errand.method == Some(Method::Initialize);
    let listens = matches!(&inbound, Inbound::Note(note) if note.method.as_deref() == Some(INITIALIZED));
    let again = errand.clone();
    let response = match gateway.proceed(&head, inbound, errand, record).await {
        Ok(response) => response,
        Err(stopped) => {
            let (refusal, record) = *stopped;
            gateway.refuse(&refusal.answering(id.as_deref()), record, "")
        }
    };
    if is_first {
        host.begin(&response, &again);
    }
    if listens && response.status() == StatusCode::ACCEPTED {
        listen(Arc::clone(host), head, again);
        return;
    }
    let is_over = response.status() == StatusCode::NOT_FOUND;
    host.deliver(response, &again).await;
    if is_over {
        // The server knows the session no more. A host of this transport begins anew when its stream ends.
        host.end();
    }
}

/// Keeps the stream of the session open beside the host's own: what the server says unasked comes there.
fn listen(host: Arc<Host>, head: Head, errand: Errand) {
    let Some(session) = errand.session.clone() else {
        return;
    };
    tokio::spawn(async move {
        let gateway = Arc::clone(&errand.gateway);
        loop {
            let mut record = Record::open(&gateway.sinks);
            record.on(&errand.route);
            record.by(&errand.caller);
            let inbound = Inbound::Listen(Arc::clone(&session));
            record.asks(&inbound, 0, None);
            match gateway.proceed(&head, inbound, errand.of_session(), record).await {
                Ok(response) => host.deliver(response, &errand).await,
                Err(stopped) => {
                    // Many servers have no such stream, and say nothing unasked.
                    let (refusal, record) = *stopped;
                    gateway.refuse(&refusal, record, "");
                    return;
                }
            }
            if host.is_gone() || *gateway.stopping().borrow() {
                return;
            }
            tokio::time::sleep(gateway.limits.keep_alive).await;
        }
    });
}

impl Errand {
    /// The same for the stream of the session.
    fn of_session(&self) -> Self {
        Self {
            era: Era::Legacy,
            method: None,
            host_id: None,
            crossing: None,
            ..self.clone()
        }
    }
}

fn too_large(id: &RawValue, errand: &Errand) -> Bytes {
    let limit = errand.gateway.limits.held_result_bytes;
    let text =
        format!("Upstream error: the answer is longer than {limit} bytes, and comes as one event here");
    answer::error(Some(id), code::UPSTREAM, &text, None).into()
}

impl Host {
    /// Takes the session over that an answer to `initialize` brings. A host that says it twice has the second one.
    fn begin(&self, response: &Response<Body>, errand: &Errand) {
        let gateway = &errand.gateway;
        let id = response
            .headers()
            .get(header::SESSION_ID)
            .and_then(|id| id.to_str().ok());
        let Some(session) = id.and_then(|id| gateway.sessions.find(id, self.principal, self.route)) else {
            return;
        };
        if let Some(older) = self.lock().replace(session) {
            gateway.end_session(&older);
        }
    }

    /// The session, taken from the host: it is over.
    pub(super) fn leave(&self) -> Option<Arc<Session>> {
        self.lock().take()
    }

    fn is_gone(&self) -> bool {
        self.stream.is_closed()
    }

    /// Puts every message of a response onto the stream.
    async fn deliver(&self, response: Response<Body>, errand: &Errand) {
        let is_stream = respond::is_stream(&response);
        let mut body = response.into_body();
        if !is_stream {
            // What answers no request of the host is nothing that it could place.
            let Some(id) = &errand.host_id else { return };
            let limit = errand.gateway.limits.held_result_bytes + FRAME_BYTES;
            let whole = match respond::held(body, limit).await {
                Ok(whole) => whole,
                Err(Unheld::TooLarge) => too_large(id, errand),
                Err(Unheld::Broken) => return,
            };
            if !whole.is_empty() {
                self.say(&whole).await;
            }
            return;
        }
        // A body may come in pieces of events, and pieces of two bodies must not mix. Identities of events are left
        // out: they would be those of many streams, and no stream of this transport is taken up again.
        let mut reader = sse::Reader::new(errand.gateway.limits.held_result_bytes + FRAME_BYTES);
        while let Some(Ok(frame)) = body.frame().await {
            let Some(data) = frame.data_ref() else { continue };
            reader.feed(data);
            while let Ok(Some(event)) = reader.next_event() {
                let Some(data) = event.data else { continue };
                if !self.say(&data).await {
                    return;
                }
            }
        }
    }

    /// Waits until there is room on the stream. `false`: nobody reads it any more.
    async fn say(&self, message: &Bytes) -> bool {
        self.stream.send(sse::message(message)).await.is_ok()
    }
}
