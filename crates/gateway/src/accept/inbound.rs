//! What a request asks for, once its body is read: the one place where the eras part.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use portreeve_core::protocol::Era;
use portreeve_mcp::bridge;
use portreeve_mcp::envelope::Message;
use portreeve_mcp::method::Method;
use portreeve_mcp::mirror::Mirrors;
use portreeve_mcp::params::Params;
use portreeve_mcp::splice::Splice;
use serde_json::value::RawValue;

use super::batch::Part;
use crate::respond::Refusal;
use crate::route::ServedRoute;
use crate::session::Session;
use crate::upstream::members::Came;

/// A request that wants an answer.
#[derive(Debug, Clone)]
pub struct Call {
    /// Whether it came within another one.
    pub came: Came,
    /// The era of the host's hop.
    pub era: Era,
    /// The body as it was received.
    pub body: Bytes,
    /// The id as it was written.
    pub id: Box<RawValue>,
    /// Where the id lies in the body.
    pub id_place: Range<usize>,
    /// The method.
    pub method: Method,
    /// The tool, prompt or resource.
    pub target: Option<String>,
    /// Where the arguments lie in the body.
    pub arguments: Option<Range<usize>>,
    /// `initialize`: where the proposed version lies in the body.
    pub proposed_version: Option<Range<usize>>,
    /// The legacy session; `None` for `initialize` and in the modern era.
    pub session: Option<Arc<Session>>,
}

impl Call {
    /// Whether the host comes back with answers to what it was asked (2026-07-28).
    pub fn is_back(&self) -> bool {
        self.era == Era::Modern
            && memchr::memmem::find(&self.body, b"inputResponses").is_some()
            && bridge::is_back(&self.body)
    }

    /// Takes another body, which says the same of id and arguments.
    pub fn replace_body(&mut self, body: Vec<u8>) -> Result<(), Refusal> {
        let Ok(Message::Request { id, params, .. }) = Message::parse(&body) else {
            return Err(Refusal::BrokenBody);
        };
        let view = Params::parse(params).map_err(|_| Refusal::BrokenBody)?;
        let places = Splice::new(&body);
        let place = |part: &str| places.place_of(part).map_err(|_| Refusal::BrokenBody);
        self.id_place = place(id.get())?;
        self.arguments = view.arguments.map(place).transpose()?;
        self.body = body.into();
        Ok(())
    }

    /// What its tool wants in headers as well (2026-07-28, `x-mcp-header`), and its arguments as they were written.
    pub fn mirrored<'a>(&'a self, route: &'a ServedRoute) -> Option<(&'a Mirrors, Option<&'a str>)> {
        let name = self
            .target
            .as_deref()
            .filter(|_| self.method == Method::CallTool)?;
        let mirrors = route.tool(Era::Modern, name)?.mirrors.as_ref().ok()?;
        let arguments = self.arguments.clone().and_then(|place| self.body.get(place));
        Some((
            mirrors,
            arguments.and_then(|bytes| std::str::from_utf8(bytes).ok()),
        ))
    }
}

/// A message that wants none: a notification, or (legacy) the answer to a request of the server.
#[derive(Debug, Clone)]
pub struct Note {
    /// The era of the host's hop.
    pub era: Era,
    /// The body as it was received.
    pub body: Bytes,
    /// The notification's method; `None` for an answer.
    pub method: Option<String>,
    /// The answer's id as it was written.
    pub answers: Option<Box<RawValue>>,
    /// `notifications/cancelled`: the request that is meant, and where it stands in the body.
    pub cancels: Option<(Box<RawValue>, Range<usize>)>,
    /// The legacy session.
    pub session: Option<Arc<Session>>,
}

/// What a request asks for.
#[derive(Debug)]
pub enum Inbound {
    /// An answer.
    Call(Call),
    /// None.
    Note(Note),
    /// The stream of a legacy session.
    Listen(Arc<Session>),
    /// The end of a legacy session.
    End(Arc<Session>),
    /// The stream of an HTTP+SSE host.
    Connect,
    /// Several things at once, each for itself.
    Batch(Vec<Part>),
}

impl Inbound {
    /// The method by which the request is recorded.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Call(call) => call.method.as_str(),
            Self::Note(Note { method: None, .. }) => "response",
            Self::Note(Note { cancels: Some(_), .. }) => "notifications/cancelled",
            Self::Note(_) => "notification",
            Self::Listen(_) | Self::Connect => "stream",
            Self::End(_) => "session/end",
            Self::Batch(_) => "batch",
        }
    }
}
