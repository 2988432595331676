//! Events that an API answers with: told to the host as they come, if it wants to hear of progress, and gathered for the
//! result.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use portreeve_client::Reply;
use portreeve_core::protocol::Era;
use portreeve_mcp::{answer, sse};
use portreeve_net::ResponseBody;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::Api;
use super::call::piped;
use super::results::{Block, Outcome, beginning};

/// Progress that waits for the host to read it.
const WAITING: usize = 16;
/// Bytes of an event that are told as progress.
const MESSAGE_BYTES: usize = 2048;

/// A call whose answer comes as events.
pub(super) struct Progress {
    pub(super) api: Arc<Api>,
    pub(super) era: Era,
    pub(super) id: Box<RawValue>,
    /// Under which the host wants to hear of progress.
    pub(super) token: Option<Box<RawValue>>,
    /// How long the API may be silent.
    pub(super) patience: Duration,
    pub(super) body: ResponseBody,
}

impl Progress {
    /// The reply: a stream where the host wants progress, else the result alone.
    pub(super) async fn reply(self) -> Reply {
        if self.token.is_none() {
            let (api, era, id) = (Arc::clone(&self.api), self.era, self.id.clone());
            let outcome = self.gather(None).await;
            return api.written(era, &id, &outcome);
        }
        let (sender, body) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let (api, era, id) = (Arc::clone(&self.api), self.era, self.id.clone());
            let outcome = self.gather(Some(&sender)).await;
            let last = sse::message(&api.bytes(era, &id, &outcome));
            // A host that left wants no answer.
            let _ = sender.send(last).await;
        });
        piped(body)
    }

    /// Reads all events. Stops early when the host has left, which ends the connection to the API as well.
    async fn gather(mut self, host: Option<&mpsc::Sender<Bytes>>) -> Outcome {
        let most = self.api.commons.limits.held_result_bytes / 4;
        let mut reader = sse::Reader::new(most);
        let (mut all, mut count) = (String::new(), 0_u64);
        let ended = loop {
            let left = async {
                match host {
                    Some(host) => host.closed().await,
                    None => std::future::pending().await,
                }
            };
            let next = tokio::select! {
                () = left => return Outcome::failure("The host left."),
                next = tokio::time::timeout(self.patience, self.body.frame()) => next,
            };
            let frame = match next {
                Err(_) => break Some("The API fell silent before it was done."),
                Ok(None) => break None,
                Ok(Some(Err(_))) => break Some("The connection to the API broke before it was done."),
                Ok(Some(Ok(frame))) => frame,
            };
            let Some(data) = frame.data_ref() else { continue };
            reader.feed(data);
            loop {
                let event = match reader.next_event() {
                    Ok(Some(event)) => event,
                    Ok(None) => break,
                    Err(_) => return Outcome::failure("An event of the API is too large."),
                };
                let Some(data) = event.data else { continue };
                let text = String::from_utf8_lossy(&data);
                count += 1;
                if let (Some(host), Some(token)) = (host, &self.token)
                    && host.send(progress(token, count, &text)).await.is_err()
                {
                    return Outcome::failure("The host left.");
                }
                if all.len() + text.len() > most {
                    return Outcome::failure(format!(
                        "The API's events are longer than {most} bytes. Ask for less of them."
                    ));
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
        outcome
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
