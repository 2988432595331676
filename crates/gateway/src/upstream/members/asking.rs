//! A request to one member: the corridor once more, in this process, with the caller in hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use portreeve_core::caller::Caller;
use portreeve_core::name::Slug;
use portreeve_core::oauth::TokenGrant;
use portreeve_core::protocol::Revision;
use portreeve_mcp::envelope::{Message, Outcome};
use portreeve_mcp::{answer, header, sse};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::pipeline::Gateway;
use crate::respond::Body;
use crate::translate::Outbound;

/// The caller as a member sees it. A token is for one route and was checked there; its scopes are words of that route.
fn at_member(caller: &Caller, route: &Slug, member: &Slug) -> Caller {
    let token = caller.token.as_deref().map(|token| {
        Arc::new(TokenGrant {
            scopes: token.scopes.moved(route, member),
            ..token.clone()
        })
    });
    Caller {
        token,
        ..caller.clone()
    }
}

/// A host's request to a virtual server.
pub(super) struct Asking<'a> {
    pub(super) gateway: &'a Arc<Gateway>,
    pub(super) caller: &'a Caller,
    /// The virtual server's own route.
    pub(super) route: &'a Slug,
    pub(super) outbound: &'a Outbound,
    pub(super) params: Option<&'a RawValue>,
}

/// The same, kept for longer than the request.
pub(super) struct Asked {
    pub(super) gateway: Arc<Gateway>,
    caller: Caller,
    route: Slug,
    outbound: Outbound,
    params: Option<Box<RawValue>>,
}

/// What a member said.
pub(super) enum Heard {
    /// This.
    Result(Box<RawValue>),
    /// That it has nothing of the kind, or nothing for this caller.
    Nothing,
}

/// Why a member said nothing that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Away {
    /// It took too long.
    Late,
    /// It could not be reached, or it failed.
    Failed,
    /// What it said is no answer, or too much.
    Broken,
}

/// The parameters of a request that asks for nothing in particular.
#[derive(Serialize)]
struct Plain<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<&'a RawValue>,
}

// === impl Away ===

impl Away {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Failed => "failed",
            Self::Broken => "broken",
        }
    }
}

// === impl Asking ===

impl Asking<'_> {
    /// The request, to be kept.
    pub(super) fn kept(&self) -> Asked {
        Asked {
            gateway: Arc::clone(self.gateway),
            caller: self.caller.clone(),
            route: self.route.clone(),
            outbound: self.outbound.clone(),
            params: self.params.map(ToOwned::to_owned),
        }
    }

    /// What the host said of itself with its request.
    pub(super) fn meta(&self) -> Option<&RawValue> {
        #[derive(Deserialize)]
        struct Meta<'a> {
            #[serde(borrow, rename = "_meta")]
            meta: Option<&'a RawValue>,
        }
        let params: Meta<'_> = serde_json::from_str(self.params?.get()).ok()?;
        params.meta
    }

    /// Asks a member for something that it has, or for the next page of it.
    pub(super) async fn ask(
        &self,
        member: &Slug,
        method: &'static str,
        cursor: Option<&str>,
    ) -> Result<Heard, Away> {
        let params = Plain {
            cursor,
            meta: self.meta(),
        };
        let body = answer::request(Some(1), method, params);
        let request = self.request(member, method, (None, HeaderMap::new()), body.into());
        heard(self.send(request).await, self.gateway.limits.held_result_bytes).await
    }

    /// A request to a member, as a modern host makes it; with the headers that repeat arguments.
    pub(super) fn request(
        &self,
        member: &Slug,
        method: &str,
        (name, repeated): (Option<&str>, HeaderMap),
        body: Bytes,
    ) -> Request<Full<Bytes>> {
        let name = name.map(header::encode);
        let mut headers: Vec<(HeaderName, &str)> = vec![
            (header::PROTOCOL_VERSION, Revision::V2026_07_28.as_str()),
            (header::METHOD, method),
        ];
        headers.extend(name.as_deref().map(|name| (header::NAME, name)));
        let trace = self.outbound.traceparent.as_deref();
        headers.extend(trace.map(|trace| (header::TRACEPARENT, trace)));
        let caller = at_member(self.caller, self.route, member);
        let mut request = self
            .gateway
            .request(&caller, member.as_str(), (Method::POST, &headers), body);
        if let Some(allowed) = &self.outbound.allowed {
            request.extensions_mut().insert(Arc::clone(allowed));
        }
        // Those that nobody here knows of are passed on as they came.
        for (name, value) in self.outbound.params.iter().chain(&repeated) {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        request
    }

    /// Sends it.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Response<Body> {
        handled(Arc::clone(self.gateway), request).await
    }
}

// === impl Asked ===

impl Asked {
    /// What is to be done with the request.
    pub(super) fn asking<T>(&self, what: impl FnOnce(&Asking<'_>) -> T) -> T {
        what(&Asking {
            gateway: &self.gateway,
            caller: &self.caller,
            route: &self.route,
            outbound: &self.outbound,
            params: self.params.as_deref(),
        })
    }

    /// Sends a request to a member.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Response<Body> {
        handled(Arc::clone(&self.gateway), request).await
    }
}

/// The corridor within the corridor, whose type would hold itself.
fn handled(
    gateway: Arc<Gateway>,
    request: Request<Full<Bytes>>,
) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
    Box::pin(async move { gateway.handle(request).await })
}

/// The result in a response, be it alone or the last of a stream.
async fn heard(response: Response<Body>, limit: usize) -> Result<Heard, Away> {
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Away::Failed);
    }
    let kind = response.headers().get(CONTENT_TYPE);
    let is_stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let mut body = response.into_body();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Away::Failed)?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > limit {
            return Err(Away::Broken);
        }
        bytes.extend_from_slice(&data);
    }
    if !is_stream {
        let nothing = if status.is_client_error() {
            Ok(Heard::Nothing)
        } else {
            Err(Away::Broken)
        };
        return result(&bytes).unwrap_or(nothing);
    }
    let mut events = sse::Reader::new(limit);
    events.feed(&bytes);
    let mut last = None;
    while let Ok(Some(event)) = events.next_event() {
        last = event.data.and_then(|data| result(&data)).or(last);
    }
    last.unwrap_or(Err(Away::Broken))
}

/// What a message says, if it is an answer.
fn result(message: &[u8]) -> Option<Result<Heard, Away>> {
    match Message::parse(message).ok()? {
        Message::Response {
            outcome: Outcome::Result(result),
            ..
        } => Some(Ok(Heard::Result(result.to_owned()))),
        Message::Response {
            outcome: Outcome::Error(error),
            ..
        } => Some(failure(error)),
        _ => None,
    }
}

/// A failure of its own is no list without anything in it.
fn failure(error: &RawValue) -> Result<Heard, Away> {
    #[derive(Deserialize)]
    struct Code {
        code: i64,
    }
    use portreeve_mcp::code::{INTERNAL_ERROR, LIMITED, UPSTREAM};
    match serde_json::from_str(error.get()) {
        Ok(Code {
            code: INTERNAL_ERROR | LIMITED | UPSTREAM,
        }) => Err(Away::Failed),
        Ok(_) => Ok(Heard::Nothing),
        Err(_) => Err(Away::Broken),
    }
}
