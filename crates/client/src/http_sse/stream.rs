//! The one stream of a line: opened, its first event read, which says where messages go, then read until it ends.

use std::sync::Weak;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use portreeve_core::secret::Secret;
use portreeve_mcp::{answer, code, sse};
use portreeve_net::{Destination, Egress, ResponseBody, read_body};
use serde_json::json;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout, timeout_at};

use super::desk::{Course, Ear};
use super::line::Line;
use super::{Ask, Bounds};
use crate::error::ClientError;
use crate::exchange::{Exchange, Reply, ReplyBody, Upstream};

/// Longest time to the event that says where messages go.
const GREETING: Duration = Duration::from_secs(5);
/// Bytes of what comes before it, itself included.
const GREETING_BYTES: usize = 16 * 1024;
/// How often a line that is silent is looked at.
const LOOK: Duration = Duration::from_secs(15);
/// Bytes of what a server answers to a message, which says nothing, and the time for it.
const ACKNOWLEDGEMENT_BYTES: usize = 4 * 1024;
const ACKNOWLEDGEMENT_TIME: Duration = Duration::from_secs(1);

/// The events of a stream.
pub(super) struct Events {
    body: ResponseBody,
    reader: sse::Reader,
}

/// Why there are no more events.
#[derive(Debug, thiserror::Error)]
pub(super) enum Over {
    #[error("the stream ended")]
    Ended,
    #[error("the stream broke off")]
    Broken,
    #[error(transparent)]
    TooLarge(#[from] sse::TooLarge),
}

// === impl Events ===

impl Events {
    /// The next event that says something. May be dropped and asked again.
    async fn next(&mut self) -> Result<sse::Event, Over> {
        loop {
            if let Some(event) = self.reader.next_event()? {
                if event.data.is_some() {
                    return Ok(event);
                }
                continue;
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.reader.feed(frame.data_ref().map_or(&[][..], |data| data)),
                Some(Err(_)) => return Err(Over::Broken),
                None => return Err(Over::Ended),
            }
        }
    }
}

/// Opens the stream. `None` where there is none of this transport.
///
/// # Errors
///
/// When the server cannot be reached, or sends messages elsewhere than it has been asked.
pub(super) async fn open(
    ask: &Ask<'_>,
    bounds: Bounds,
) -> Result<Option<(Destination, Events)>, ClientError> {
    let reply = ask.upstream.get(ask.egress, ask.exchange).await?;
    let (true, ReplyBody::Events(body)) = (reply.status.is_success(), reply.body) else {
        return Ok(None);
    };
    let mut events = Events {
        body,
        reader: sse::Reader::new(GREETING_BYTES),
    };
    let wait = GREETING.min(ask.upstream.timeout);
    let Ok(Ok(first)) = timeout(wait, events.next()).await else {
        return Ok(None);
    };
    let (Some(b"endpoint"), Some(place)) = (first.name.as_deref(), first.data) else {
        return Ok(None);
    };
    events.reader.set_limit(bounds.event_bytes);
    place_of(ask.upstream, &place).map(|endpoint| Some((endpoint, events)))
}

/// Where messages go: on the origin of the stream and nowhere else, or a server could have its messages, and whatever is
/// presented with them, sent to somebody else.
fn place_of(upstream: &Upstream, place: &[u8]) -> Result<Destination, ClientError> {
    let refused = |why: &str| ClientError::NotMcp(format!("its `endpoint` event {why}"));
    let text = std::str::from_utf8(place).map_err(|_| refused("is no text"))?;
    let url = upstream.url.join(text.trim()).map_err(|_| refused("is no URL"))?;
    if url.origin() != upstream.url.origin() || !url.username().is_empty() || url.password().is_some() {
        return Err(refused("leads to another origin"));
    }
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    Ok(upstream.destination()?.at(&path)?)
}

/// What reads a stream needs to answer its server.
pub(super) struct Voice {
    pub(super) upstream: Upstream,
    pub(super) egress: Egress,
    pub(super) bearer: Option<Secret>,
    pub(super) endpoint: Destination,
}

impl Voice {
    fn say(&self, body: Vec<u8>) {
        let (upstream, egress) = (self.upstream.clone(), self.egress.clone());
        let (endpoint, bearer) = (self.endpoint.clone(), self.bearer.clone());
        tokio::spawn(async move {
            let exchange = Exchange {
                bearer: bearer.as_ref(),
                ..Exchange::default()
            };
            let sent = upstream
                .post_to(Some(&endpoint), &egress, exchange, body.into())
                .await;
            match sent {
                Ok(reply) => settle(reply).await,
                Err(error) => {
                    tracing::debug!(error = %error, "a request of the server could not be answered");
                }
            }
        });
    }
}

/// Reads what a server answers to a message, so that its connection serves the next one.
pub(super) async fn settle(reply: Reply) {
    let (ReplyBody::Json(body) | ReplyBody::Events(body) | ReplyBody::Other(body)) = reply.body;
    // Whatever it is, the answer comes on the stream.
    let _ = read_body(body, ACKNOWLEDGEMENT_BYTES, ACKNOWLEDGEMENT_TIME).await;
}

/// Reads a stream until it ends, nobody wants to hear it, or the line is gone.
pub(super) async fn read(line: Weak<Line>, opening: u64, mut events: Events, voice: Voice, bounds: Bounds) {
    let mut look = Instant::now() + LOOK;
    let over = loop {
        let heard = timeout_at(look, events.next()).await;
        let Some(line) = line.upgrade() else { return };
        match heard {
            Ok(Ok(event)) => {
                let Some(data) = event.data else { continue };
                match line.sort(&data) {
                    Course::To(ear) => hand(&ear, &data, bounds.taking).await,
                    Course::Pong(id) => voice.say(answer::result(&id, json!({}))),
                    Course::Refuse(id) => voice.say(refusal(&id)),
                    Course::Nowhere => {
                        tracing::debug!(host = voice.upstream.url.host_str(), "a message was for nobody");
                    }
                }
            }
            Ok(Err(over)) => break Some(over),
            Err(_) => {
                if line.resting().is_some_and(|rest| rest >= bounds.idle) {
                    break None;
                }
                look = Instant::now() + LOOK;
            }
        }
    };
    let Some(line) = line.upgrade() else { return };
    if let Some(Over::TooLarge(error)) = &over {
        tracing::warn!(host = voice.upstream.url.host_str(), error = %error, "the stream of a server was closed");
        line.fail(&format!("Upstream error: {error}"), bounds.taking)
            .await;
    }
    line.broke(opening);
}

/// Hands a message over. Whoever takes nothing for long does not get it, or nobody else on this line would get anything.
async fn hand(ear: &Ear, data: &Bytes, patience: Duration) {
    let _ = timeout(patience, ear.send(sse::message(data))).await;
}

/// Says to everybody who waits that there is no answer.
pub(super) async fn fail(waiting: Vec<(Box<str>, Ear)>, reason: &str, patience: Duration) {
    for (id, ear) in waiting {
        let Ok(id) = RawValue::from_string(id.into()) else {
            continue;
        };
        let error = answer::error(Some(&id), code::UPSTREAM, reason, None);
        hand(&ear, &error.into(), patience).await;
    }
}

fn refusal(id: &RawValue) -> Vec<u8> {
    answer::error(Some(id), code::METHOD_NOT_FOUND, "Method not found", None)
}
