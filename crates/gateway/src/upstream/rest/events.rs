//! Events that an API answers with: told to the host as they come, if it wants to hear of progress, and gathered for the
//! result.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use portreeve_client::Reply;
use portreeve_core::protocol::Era;
use portreeve_core::rest::Structured;
use portreeve_mcp::{answer, sse};
use portreeve_net::ResponseBody;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Api;
use super::call::piped;
use super::content::unlike_its_description;
use super::credential::Presented;
use super::results::{Block, Outcome, beginning};

/// Messages that wait for the host to read them.
const WAITING: usize = 16;
/// Bytes of an event that are told as progress.
const MESSAGE_BYTES: usize = 2048;
/// Says that the API is still there, to a host that wants to hear of nothing but the end.
const ALIVE: Bytes = Bytes::from_static(b":\n\n");

/// A call whose answer comes as events.
pub(super) struct Progress {
    pub(super) api: Arc<Api>,
    pub(super) era: Era,
    pub(super) id: Box<RawValue>,
    /// Under which the host wants to hear of progress.
    pub(super) token: Option<Box<RawValue>>,
    /// How long the API may be silent.
    pub(super) patience: Duration,
    /// How long the API may go on.
    pub(super) most: Duration,
    /// What the tool's definition promises of its result.
    pub(super) promised: Structured,
    /// What was shown to the API, and is told to nobody.
    pub(super) shown: Presented,
    pub(super) body: ResponseBody,
}

impl Progress {
    /// The reply: a stream, which the result ends. It is one without progress as well, since it tells when the host
    /// leaves: then the connection to the API ends too.
    pub(super) fn reply(self) -> Reply {
        let (sender, body) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let (api, era, id) = (Arc::clone(&self.api), self.era, self.id.clone());
            let promised = self.promised.clone();
            let Some(outcome) = self.gather(&sender).await else {
                // A host that left wants no answer.
                return;
            };
            let outcome = unlike_its_description(&promised, outcome);
            let last = sse::message(&api.bytes(era, &id, &outcome));
            let _ = sender.send(last).await;
        });
        piped(body)
    }

    /// Reads all events; `None` when the host has left before their end.
    async fn gather(mut self, host: &mpsc::Sender<Bytes>) -> Option<Outcome> {
        let most = self.api.commons.limits.held_result_bytes / 4;
        let mut reader = sse::Reader::new(most);
        let (mut all, mut count) = (String::new(), 0_u64);
        let end = Instant::now() + self.most;
        let ended = loop {
            let silent = Instant::now() + self.patience;
            let next = tokio::select! {
                () = host.closed() => return None,
                next = tokio::time::timeout_at(silent.min(end), self.body.frame()) => next,
            };
            let frame = match next {
                Err(_) if Instant::now() >= end => {
                    break Some("The API went on sending events for longer than a call may take.");
                }
                Err(_) => break Some("The API fell silent before it was done."),
                Ok(None) => break None,
                Ok(Some(Err(_))) => break Some("The connection to the API broke before it was done."),
                Ok(Some(Ok(frame))) => frame,
            };
            let Some(data) = frame.data_ref() else { continue };
            reader.feed(data);
            if self.token.is_none() {
                // Where there is no room, something waits for the host already.
                let _ = host.try_send(ALIVE);
            }
            loop {
                let event = match reader.next_event() {
                    Ok(Some(event)) => event,
                    Ok(None) => break,
                    Err(_) => return Some(Outcome::failure("An event of the API is too large.")),
                };
                let Some(data) = event.data else { continue };
                let data = self.shown.clean(data);
                let text = String::from_utf8_lossy(&data);
                count += 1;
                if let Some(token) = &self.token {
                    host.send(progress(token, count, &text)).await.ok()?;
                }
                if all.len() + text.len() > most {
                    return Some(Outcome::failure(format!(
                        "The API's events are longer than {most} bytes. Ask for less of them."
                    )));
                }
                if !all.is_empty() {
                    all.push('\n');
                }
                all.push_str(&text);
            }
        };
        let mut outcome = Outcome::text(all);
        if let Some(reason) = ended {
            outcome.is_error = true;
            outcome.blocks.push(Block::text(reason));
        }
        Some(outcome)
    }
}

fn progress(token: &RawValue, count: u64, text: &str) -> Bytes {
    let message = beginning(text, MESSAGE_BYTES);
    sse::message(&answer::request(
        None,
        "notifications/progress",
        json!({"progressToken": token, "progress": count, "message": message}),
    ))
}
