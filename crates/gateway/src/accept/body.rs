//! The body: read within its limits, parsed strictly, brought up the ladder of its era.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use portreeve_client::exchange::essence;
use portreeve_core::limits::Limits;
use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::envelope::{InvalidMessage, Message};
use portreeve_mcp::header;
use portreeve_mcp::method::Method;
use portreeve_mcp::params::Params;
use portreeve_mcp::splice::Splice;

use super::head::{Head, Verb};
use super::inbound::{Call, Inbound, Note};
use super::ladder;
use crate::authenticate::Identified;
use crate::respond::Refusal;
use crate::route::ServedRoute;
use crate::session::{Session, Sessions};

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
    if head.verb != Verb::Post {
        return stream_or_end(head, who, at).map(|inbound| (inbound, 0));
    }
    let bytes = read(head, body, at.limits).await?;
    let size = bytes.len();
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
    if head.era() == Era::Modern {
        return Err(Refusal::MethodNotAllowed);
    }
    let session = session(head, who, at)?;
    Ok(if head.verb == Verb::Get {
        Inbound::Listen(session)
    } else {
        Inbound::End(session)
    })
}

/// The legacy session that the request names. Unknown, ended, of another route or of another caller is all the same.
fn session(head: &Head, who: &Identified, at: &Places<'_>) -> Result<Arc<Session>, Refusal> {
    if head.doubled == Some(header::SESSION_ID) {
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
    let content_type = head.text(CONTENT_TYPE).unwrap_or_default();
    if !essence(content_type).eq_ignore_ascii_case("application/json") {
        return Err(Refusal::MediaType);
    }
    let limit = limits.mcp_body_bytes;
    let declared = head
        .text(CONTENT_LENGTH)
        .and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(Refusal::TooLarge { limit });
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

fn parse(head: &Head, bytes: Bytes, who: &Identified, at: &Places<'_>) -> Result<Inbound, Refusal> {
    let body = bytes.clone();
    let message = Message::parse(&body).map_err(Refusal::Message)?;
    let params = match &message {
        Message::Request { params, .. } | Message::Notification { params, .. } => *params,
        Message::Response { .. } => None,
    };
    let id = message.id().map(ToOwned::to_owned);
    let view = Params::parse(params).map_err(|error| Refusal::InvalidParams {
        id: id.clone(),
        reason: error.0,
    });
    let era = match &view {
        Ok(view) => ladder::era(head, view),
        Err(_) => head.era(),
    };
    let places = Splice::new(&bytes);
    match message {
        Message::Request { id, method, .. } => {
            let view = view?;
            let known = match era {
                Era::Modern => ladder::modern(head, id, &method, &view)?,
                Era::Legacy => legacy_method(head, &method).map_err(|refusal| refusal.about(id))?,
            };
            let session = match (era, known) {
                (Era::Modern, _) | (Era::Legacy, Method::Initialize) => None,
                (Era::Legacy, _) => Some(session(head, who, at).map_err(|refusal| refusal.about(id))?),
            };
            let place = |raw: &serde_json::value::RawValue| {
                places.place_of(raw.get()).map_err(|_| Refusal::BrokenBody)
            };
            Ok(Inbound::Call(Call {
                era,
                id_place: place(id)?,
                id: id.to_owned(),
                method: known,
                arguments: view.arguments.map(place).transpose()?,
                proposed_version: view.protocol_version.map(place).transpose()?,
                target: target(known, &view).map(str::to_owned),
                session,
                body: bytes.clone(),
            }))
        }
        Message::Notification { method, .. } => {
            must_be_notification(&method)?;
            let session = if era == Era::Legacy {
                Some(session(head, who, at)?)
            } else {
                None
            };
            let cancelled = view?.request_id.filter(|_| method == "notifications/cancelled");
            let cancels = cancelled
                .map(|raw| places.place_of(raw.get()).map(|place| (raw.to_owned(), place)))
                .transpose()
                .map_err(|_| Refusal::BrokenBody)?;
            let method = Some(method.into_owned());
            Ok(Inbound::Note(Note {
                era,
                method,
                answers: None,
                cancels,
                session,
                body: bytes.clone(),
            }))
        }
        Message::Response { .. } if era == Era::Modern => Err(Refusal::ResponseNotExpected),
        Message::Response { id, .. } => {
            let session = Some(session(head, who, at)?);
            let answers = id.map(ToOwned::to_owned);
            Ok(Inbound::Note(Note {
                era,
                method: None,
                answers,
                cancels: None,
                session,
                body: bytes.clone(),
            }))
        }
    }
}

/// A lax server would run a request that came without an id, and no policy would have seen what it is about.
fn must_be_notification(method: &str) -> Result<(), Refusal> {
    if method.starts_with("notifications/") {
        return Ok(());
    }
    let reason = "a message without `id` must be a notification".to_owned();
    Err(Refusal::Message(InvalidMessage::NotAMessage(reason)))
}

/// What the method is about, and nothing that only looks like it: a `name` beside a `uri` names no resource.
fn target<'a>(method: Method, params: &'a Params<'_>) -> Option<&'a str> {
    match method {
        Method::CallTool | Method::GetPrompt => params.name.as_deref(),
        Method::ReadResource | Method::Subscribe | Method::Unsubscribe => params.uri.as_deref(),
        _ => None,
    }
}

/// The legacy lane: a version header, where there is one, must name a legacy revision; the method must be known.
fn legacy_method(head: &Head, method: &str) -> Result<Method, Refusal> {
    if let Some(version) = &head.version
        && version.parse::<Revision>().is_err()
    {
        return Err(Refusal::BadVersion {
            requested: version.clone(),
        });
    }
    Method::find(method, Era::Legacy).ok_or_else(|| Refusal::MethodNotFound {
        id: None,
        era: Era::Legacy,
        method: method.to_owned(),
    })
}
