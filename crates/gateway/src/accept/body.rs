//! The body: read within its limits, parsed strictly, brought up the ladder of its era.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use portreeve_client::exchange::essence;
use portreeve_core::limits::Limits;
use portreeve_core::protocol::Era;
use portreeve_mcp::envelope::{InvalidMessage, Message};
use portreeve_mcp::header;
use portreeve_mcp::method::Method;
use portreeve_mcp::params::Params;
use portreeve_mcp::splice::Splice;
use serde_json::value::RawValue;

use super::batch;
use super::head::{Door, Head, Verb};
use super::inbound::{Call, Inbound, Note};
use super::ladder;
use crate::authenticate::Identified;
use crate::respond::Refusal;
use crate::route::ServedRoute;
use crate::session::{Session, Sessions};
use crate::upstream::members::{self, Came};

/// Reads the body and brings the request to what it asks for.
pub async fn body<B>(
    head: &Head,
    body: B,
    who: &Identified,
    at: &Places<'_>,
) -> Result<(Inbound, usize), Refusal>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if head.door == Door::Stream {
        ladder::legacy_version(head)?;
        return Ok((Inbound::Connect, 0));
    }
    if head.verb != Verb::Post {
        return stream_or_end(head, who, at).map(|inbound| (inbound, 0));
    }
    let bytes = read(head, body, at.limits).await?;
    let size = bytes.len();
    if batch::may_be(head, &bytes) {
        match session(head, who, at) {
            Ok(session) if batch::is_agreed(&session) => {
                let parts = batch::split(head, &bytes, who, at)?;
                return Ok((Inbound::Batch(parts), size));
            }
            // Its host must begin anew, and learns it by nothing else.
            Err(gone @ Refusal::SessionUnknown) => return Err(gone),
            _ => {}
        }
    }
    parse(head, bytes, who, at).map(|inbound| (inbound, size))
}

/// What the body is seen against.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The route.
    pub route: &'a ServedRoute,
    /// The legacy sessions of this node.
    pub sessions: &'a Sessions,
    /// The limits.
    pub limits: &'a Limits,
}

fn stream_or_end(head: &Head, who: &Identified, at: &Places<'_>) -> Result<Inbound, Refusal> {
    let session = in_session(head, who, at)?;
    Ok(if head.verb == Verb::Get {
        Inbound::Listen(session)
    } else {
        Inbound::End(session)
    })
}

/// The legacy session that the request names. Unknown, ended, of another route or of another caller is all the same.
fn session(head: &Head, who: &Identified, at: &Places<'_>) -> Result<Arc<Session>, Refusal> {
    if head.is_doubled(header::SESSION_ID) {
        return Err(Refusal::SessionMissing);
    }
    let id = head.text(header::SESSION_ID).ok_or(Refusal::SessionMissing)?;
    at.sessions
        .find(id, who.caller.principal, at.route.route.id)
        .ok_or(Refusal::SessionUnknown)
}

async fn read<B>(head: &Head, body: B, limits: &Limits) -> Result<Bytes, Refusal>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let limit = limits.mcp_body_bytes;
    let declared = head
        .text(CONTENT_LENGTH)
        .and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(Refusal::TooLarge { limit });
    }
    let content_type = head.text(CONTENT_TYPE).unwrap_or_default();
    if !essence(content_type).eq_ignore_ascii_case("application/json") {
        return Err(Refusal::MediaType);
    }
    let mut whole = std::pin::pin!(Limited::new(body, limit).collect());
    let read = match whole.as_mut().now_or_never() {
        // Most bodies came with their heads, and need no timer.
        Some(read) => read,
        None => tokio::time::timeout(patience(declared, limits), whole)
            .await
            .map_err(|_| Refusal::SlowBody)?,
    };
    match read {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge { limit }),
        Err(_) => Err(Refusal::BrokenBody),
    }
}

/// Ten seconds for a small body; a large one may take as long as one KiB per second needs, up to the limit.
fn patience(declared: Option<usize>, limits: &Limits) -> Duration {
    let seconds = declared.unwrap_or(limits.mcp_body_bytes) / 1024;
    Duration::from_secs(10 + seconds as u64).min(limits.body_read)
}

/// Brings one message to what it asks for.
pub(super) fn parse(
    head: &Head,
    bytes: Bytes,
    who: &Identified,
    at: &Places<'_>,
) -> Result<Inbound, Refusal> {
    let body = bytes.clone();
    let places = Splice::new(&body);
    match Message::parse(&body).map_err(Refusal::Message)? {
        Message::Request { id, method, params } => {
            let view = view(params, Some(id))?;
            let era = ladder::era(head, view.meta.as_ref());
            let (known, session) = match era {
                Era::Modern => (ladder::modern(head, id, &method, &view)?, None),
                Era::Legacy => legacy(head, &method, who, at).map_err(|refusal| refusal.about(id))?,
            };
            let place = |part: &str| places.place_of(part).map_err(|_| Refusal::BrokenBody);
            let mut call = Call {
                came: Came::Alone,
                era,
                id_place: place(id.get())?,
                id: id.to_owned(),
                method: known,
                arguments: view.arguments.map(place).transpose()?,
                proposed_version: view.protocol_version.map(place).transpose()?,
                target: target(known, &view).map(str::to_owned),
                session,
                body: bytes,
            };
            members::unwrap(&mut call, at.route)?;
            Ok(Inbound::Call(call))
        }
        Message::Notification { method, params } => {
            must_be_notification(&method)?;
            let view = view(params, None)?;
            let era = ladder::era(head, view.meta.as_ref());
            let session = match era {
                Era::Modern => {
                    ladder::modern_note(head, &method, &view)?;
                    None
                }
                Era::Legacy => Some(in_session(head, who, at)?),
            };
            let cancelled = view.request_id.filter(|_| method == "notifications/cancelled");
            let cancels = cancelled
                .map(|part| {
                    let id = RawValue::from_string(part.to_owned()).map_err(|_| Refusal::BrokenBody)?;
                    let place = places.place_of(part).map_err(|_| Refusal::BrokenBody)?;
                    Ok((id, place))
                })
                .transpose()?;
            Ok(Inbound::Note(Note {
                era,
                method: Some(method.into_owned()),
                answers: None,
                cancels,
                session,
                body: bytes,
            }))
        }
        Message::Response { .. } if head.era() == Era::Modern => Err(Refusal::ResponseNotExpected),
        Message::Response { id, .. } => Ok(Inbound::Note(Note {
            era: Era::Legacy,
            method: None,
            answers: id.map(ToOwned::to_owned),
            cancels: None,
            session: Some(in_session(head, who, at)?),
            body: bytes,
        })),
    }
}

fn view<'a>(params: Option<&'a RawValue>, id: Option<&RawValue>) -> Result<Params<'a>, Refusal> {
    Params::parse(params).map_err(|error| Refusal::InvalidParams {
        id: id.map(ToOwned::to_owned),
        reason: error.0,
    })
}

/// A legacy request: what it asks for, and in which session.
fn legacy(
    head: &Head,
    method: &str,
    who: &Identified,
    at: &Places<'_>,
) -> Result<(Method, Option<Arc<Session>>), Refusal> {
    ladder::legacy_version(head)?;
    let known = ladder::legacy_method(method)?;
    let session = match known {
        Method::Initialize => None,
        _ => Some(session(head, who, at)?),
    };
    Ok((known, session))
}

/// The session of a legacy message that cannot be without one.
fn in_session(head: &Head, who: &Identified, at: &Places<'_>) -> Result<Arc<Session>, Refusal> {
    ladder::legacy_version(head)?;
    session(head, who, at)
}

/// A lax server would run a request that came without an id, and no policy would have seen what it is about. The name
/// is mirrored in a header, so it is one that a header can hold.
fn must_be_notification(method: &str) -> Result<(), Refusal> {
    if method.starts_with("notifications/") && method.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let reason = "a message without `id` must be a notification, `notifications/...`".to_owned();
    Err(Refusal::Message(InvalidMessage::NotAMessage(reason)))
}

/// What the method is about, and nothing that only looks like it: a `name` beside a `uri` names no resource.
fn target<'a>(method: Method, params: &'a Params<'_>) -> Option<&'a str> {
    match method {
        Method::CallTool | Method::GetPrompt => params.name.as_deref(),
        Method::GetTask | Method::UpdateTask | Method::CancelTask => params.task_id.as_deref(),
        Method::ReadResource | Method::Subscribe | Method::Unsubscribe => params.uri.as_deref(),
        _ => None,
    }
}
