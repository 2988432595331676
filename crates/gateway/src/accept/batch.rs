//! Batches: arrays of messages, which revision 2025-03-26 has and no other one. Each element is brought up its ladder alone;
//! one that is refused does not hold the others up.

use bytes::Bytes;
use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::depth;
use portreeve_mcp::envelope::InvalidMessage;
use portreeve_mcp::method::Method;
use serde_json::value::RawValue;

use super::body::{Places, parse};
use super::head::{Door, Head};
use super::inbound::{Call, Inbound};
use super::ladder;
use crate::authenticate::Identified;
use crate::respond::Refusal;
use crate::session::Session;

/// One element of a batch: what it asks for, or why it is refused.
pub type Part = Result<Inbound, Refusal>;

/// Whether a body may be a batch: an array that came where batches may come.
pub(super) fn may_be(head: &Head, body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    first == Some(&b'[') && head.door == Door::Mcp && head.era() == Era::Legacy
}

/// Whether batches are part of what a session agreed on.
pub(super) fn is_agreed(session: &Session) -> bool {
    session.version().as_deref() == Some(Revision::V2025_03_26.as_str())
}

/// Reads the elements of a batch.
///
/// # Errors
///
/// When it is no array of messages, has none, or has more than are taken.
pub(super) fn split(
    head: &Head,
    body: &Bytes,
    who: &Identified,
    at: &Places<'_>,
) -> Result<Vec<Part>, Refusal> {
    ladder::legacy_version(head)?;
    let refused = |reason: String| Refusal::Message(InvalidMessage::NotAMessage(reason));
    let not_json = |error: String| Refusal::Message(InvalidMessage::NotJson(error));
    depth::check(body).map_err(|error| Refusal::Message(error.into()))?;
    let text = std::str::from_utf8(body).map_err(|error| not_json(error.to_string()))?;
    let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| not_json(error.to_string()))?;
    let most = at.limits.batch_messages;
    if elements.is_empty() {
        return Err(refused("the batch is empty".to_owned()));
    }
    if elements.len() > most {
        return Err(refused(format!("the batch has more than {most} messages")));
    }
    let each = elements.into_iter();
    Ok(each
        .map(|element| alone(parse(head, body.slice_ref(element.get().as_bytes()), who, at)))
        .collect())
}

/// A handshake is never part of a batch: nothing is agreed on before it.
fn alone(part: Part) -> Part {
    match part {
        Ok(Inbound::Call(Call {
            method: Method::Initialize,
            id,
            ..
        })) => {
            let reason = "`initialize` cannot be part of a batch".to_owned();
            Err(Refusal::Message(InvalidMessage::NotAMessage(reason)).about(&id))
        }
        other => other,
    }
}
