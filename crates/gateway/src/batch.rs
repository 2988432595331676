//! The way of a batch (2025-03-26): each element walks the corridor alone, at the same time as the others, with a record of
//! its own. The host gets one array when all have answered, or one stream as soon as one of them has more to say than its
//! answer.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use portreeve_mcp::{answer, code, sse};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::accept::batch::Part;
use crate::accept::head::Head;
use crate::accept::inbound::Inbound;
use crate::authenticate::Identified;
use crate::pipeline::Gateway;
use crate::record::{Record, Stopped};
use crate::relay::Errand;
use crate::respond::{self, Body, BodyError};
use crate::route::ServedRoute;
use crate::translate::trace::Context;

/// Messages that wait for the host.
const WAITING: usize = 8;
/// What framing adds to a message.
const FRAME_BYTES: usize = 1024;

/// A batch.
pub(crate) struct Batch {
    pub(crate) head: Head,
    pub(crate) route: Arc<ServedRoute>,
    pub(crate) who: Identified,
    pub(crate) parts: Vec<Part>,
}

/// What comes of an element.
enum Said {
    /// All of it: the answer to the element of that number.
    Answer(usize, Bytes),
    /// More than its answer will come.
    Opens,
    /// A message.
    Message(Bytes),
}

/// An element on its way.
struct Element {
    number: usize,
    part: Part,
    errand: Option<Errand>,
    record: Record,
    says: mpsc::Sender<Said>,
}

/// Answers a batch. The record becomes that of its first element.
pub(crate) async fn answer(
    gateway: &Arc<Gateway>,
    batch: Batch,
    record: Record,
) -> Result<Response<Body>, Stopped> {
    let (says, mut heard) = mpsc::channel(WAITING);
    let head = Arc::new(batch.head);
    let mut records: Vec<Record> = (1..batch.parts.len()).map(|_| record.beside()).collect();
    records.insert(0, record);
    for (number, (part, mut record)) in batch.parts.into_iter().zip(records).enumerate() {
        let errand = part.as_ref().ok().map(|inbound| {
            let trace = Context::of_host(&head, inbound);
            record.asks(inbound, size_of(inbound), trace.map(Context::into_text));
            gateway.errand(&batch.route, &batch.who, inbound)
        });
        let element = Element {
            number,
            part,
            errand,
            record,
            says: says.clone(),
        };
        tokio::spawn(element.walk(Arc::clone(gateway), Arc::clone(&head)));
    }
    drop(says);
    let mut answers = Vec::new();
    let mut room = gateway.limits.held_result_bytes;
    while let Some(said) = heard.recv().await {
        match said {
            Said::Answer(number, answer) if answer.len() <= room => {
                room -= answer.len();
                answers.push((number, answer));
            }
            Said::Answer(_, message) | Said::Message(message) => {
                let answers = answers.into_iter().map(|(_, answer)| answer).chain([message]);
                return Ok(streamed(gateway, answers.collect(), heard));
            }
            Said::Opens => {
                let answers = answers.into_iter().map(|(_, answer)| answer);
                return Ok(streamed(gateway, answers.collect(), heard));
            }
        }
    }
    Ok(together(answers))
}

/// One array, in the order of the elements; nothing where none wanted an answer.
fn together(mut answers: Vec<(usize, Bytes)>) -> Response<Body> {
    if answers.is_empty() {
        return respond::accepted();
    }
    answers.sort_by_key(|(number, _)| *number);
    let length: usize = answers.iter().map(|(_, answer)| answer.len() + 1).sum();
    let mut array = Vec::with_capacity(length + 1);
    for (_, answer) in &answers {
        array.push(if array.is_empty() { b'[' } else { b',' });
        array.extend_from_slice(answer);
    }
    array.push(b']');
    respond::json(http::StatusCode::OK, array)
}

/// One stream of what was said already and of what will be.
fn streamed(gateway: &Arc<Gateway>, first: Vec<Bytes>, heard: mpsc::Receiver<Said>) -> Response<Body> {
    let keep_alive = gateway.limits.keep_alive;
    let first = first.into_iter();
    let frames = stream::unfold((first, heard), move |(mut first, mut heard)| async move {
        if let Some(message) = first.next() {
            return Some((frame(sse::message(&message)), (first, heard)));
        }
        loop {
            match tokio::time::timeout(keep_alive, heard.recv()).await {
                Err(_) => return Some((frame(Bytes::from_static(sse::KEEP_ALIVE)), (first, heard))),
                Ok(Some(Said::Opens)) => {}
                Ok(Some(Said::Answer(_, message) | Said::Message(message))) => {
                    return Some((frame(sse::message(&message)), (first, heard)));
                }
                Ok(None) => return None,
            }
        }
    });
    respond::events(gateway.streams.watch(StreamBody::new(frames).boxed_unsync()))
}

fn frame(bytes: Bytes) -> Result<Frame<Bytes>, BodyError> {
    Ok(Frame::data(bytes))
}

fn size_of(inbound: &Inbound) -> usize {
    match inbound {
        Inbound::Call(call) => call.body.len(),
        Inbound::Note(note) => note.body.len(),
        _ => 0,
    }
}

// === impl Element ===

impl Element {
    /// Walks the corridor, and says what comes of it. It goes on when the host has left, as every legacy request does.
    async fn walk(self, gateway: Arc<Gateway>, head: Arc<Head>) {
        let (id, response) = match (self.part, self.errand) {
            (Ok(inbound), Some(errand)) => {
                let id = errand.host_id.clone();
                let response = match gateway.proceed(&head, inbound, errand, self.record).await {
                    Ok(response) => response,
                    Err(stopped) => {
                        let (refusal, record) = *stopped;
                        gateway.refuse(&refusal.answering(id.as_deref()), record, "")
                    }
                };
                if id.is_none() {
                    // A notification gets no answer, whatever became of it.
                    return;
                }
                (id, response)
            }
            (Err(refusal), _) => {
                let id = refusal.id().map(ToOwned::to_owned);
                (id, gateway.refuse(&refusal, self.record, ""))
            }
            (Ok(_), None) => return,
        };
        let limit = gateway.limits.held_result_bytes + FRAME_BYTES;
        if respond::is_stream(&response) {
            say_events(response.into_body(), limit, &self.says).await;
            return;
        }
        let whole = respond::held(response.into_body(), limit).await;
        let answer = whole.unwrap_or_else(|_| lost(id.as_deref()));
        if !answer.is_empty() {
            let _ = self.says.send(Said::Answer(self.number, answer)).await;
        }
    }
}

async fn say_events(mut body: Body, limit: usize, says: &mpsc::Sender<Said>) {
    let mut reader = sse::Reader::new(limit);
    if says.send(Said::Opens).await.is_err() {
        return;
    }
    while let Some(Ok(frame)) = body.frame().await {
        let Some(data) = frame.data_ref() else { continue };
        reader.feed(data);
        while let Ok(Some(event)) = reader.next_event() {
            let Some(data) = event.data else { continue };
            if says.send(Said::Message(data)).await.is_err() {
                return;
            }
        }
    }
}

/// The answer to an element whose own broke off, or is too large for a batch.
fn lost(id: Option<&RawValue>) -> Bytes {
    let text = "Upstream error: the answer broke off, or is too large for a batch";
    answer::error(id, code::UPSTREAM, text, None).into()
}
