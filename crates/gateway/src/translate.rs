//! The sixth room: what the upstream expects of a permitted request. Where host and server speak the same era, a body
//! passes as it is; where they do not, `crossing.rs` puts it in the words of the other one. The two hops share no session
//! id, no legacy request id and no header.

mod crossing;
pub mod rest;
mod sealed;
pub mod trace;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::method::Method;
use portreeve_mcp::splice::Splice;
use portreeve_mcp::{bridge, header};
use serde_json::value::RawValue;

use crate::accept::head::Head;
use crate::accept::inbound::{Call, Note};
use crate::policy::{Allowed, Permitted};
use crate::relay::Errand;
use crate::respond::{Refusal, waits};
use crate::session::{Session, UnderWay};

pub use self::crossing::{Crossing, ToLegacy, ToModern};
pub use self::sealed::{Belonging, States, brings_state, goes_on, open_place, seal_place, sealed};

/// What goes to the upstream.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// The era of the upstream's hop.
    pub era: Era,
    /// The body.
    pub body: Bytes,
    /// The method that `Mcp-Method` mirrors (modern).
    pub method: Option<Cow<'static, str>>,
    /// The name that `Mcp-Name` mirrors (modern).
    pub name: Option<String>,
    /// `Mcp-Param-*`, as they came (modern).
    pub params: HeaderMap,
    /// The request under our id on this hop (legacy).
    pub under_way: Option<Arc<UnderWay>>,
    /// The legacy session, whose upstream side this goes to.
    pub session: Option<Arc<Session>>,
    /// The caller's trace context.
    pub traceparent: Option<String>,
    /// How it came from the other era, if it did.
    pub crossing: Option<Arc<Crossing>>,
    /// The tool that made the task that it is about (modern).
    pub made_by: Option<String>,
    /// Who has allowed it, where somebody must.
    pub allowed: Option<Arc<Allowed>>,
}

// === impl Outbound ===

impl Outbound {
    /// A message for a legacy server, outside a session.
    fn legacy(body: impl Into<Bytes>) -> Self {
        Self {
            era: Era::Legacy,
            body: body.into(),
            method: None,
            name: None,
            params: HeaderMap::new(),
            under_way: None,
            session: None,
            traceparent: None,
            crossing: None,
            made_by: None,
            allowed: None,
        }
    }

    /// With what was allowed here, for the members of a virtual server.
    #[must_use]
    pub(crate) fn allowed(mut self, errand: &Errand) -> Self {
        self.allowed.clone_from(&errand.allowed);
        self
    }

    /// A request for a modern server.
    pub(crate) fn modern(body: impl Into<Bytes>, method: Method) -> Self {
        Self {
            era: Era::Modern,
            method: Some(method.as_str().into()),
            ..Self::legacy(body)
        }
    }
}

/// A call without the answer to our own question: the server asked none, and gets the call as if nobody had.
pub fn without_our_question(permitted: Permitted<Call>) -> Result<Permitted<Call>, Refusal> {
    permitted.map(|mut call| {
        if call.is_back()
            && let Some(body) = bridge::without_answer(&call.body, waits::KEY)
        {
            call.replace_body(body)?;
        }
        Ok(call)
    })
}

/// Translates a call.
pub fn call(
    permitted: Permitted<Call>,
    head: &Head,
    errand: &Errand,
) -> Result<Permitted<Outbound>, Refusal> {
    let traceparent = traceparent(head);
    let limit = errand.gateway.limits.declared_bytes;
    permitted.map(|mut call| match (call.era, errand.hop) {
        (Era::Modern, Era::Modern) => {
            sealed::opened(&mut call, errand)?;
            Ok(Outbound {
                name: call.method.named().and(call.target),
                params: mirrored_arguments(&head.headers),
                made_by: errand
                    .tasks
                    .as_ref()
                    .and_then(|tasks| tasks.tool())
                    .map(str::to_owned),
                traceparent,
                ..Outbound::modern(call.body, call.method)
            })
        }
        (Era::Legacy, Era::Legacy) => legacy_call(call, traceparent),
        (Era::Modern, Era::Legacy) => {
            let id = errand.gateway.pool.next_id();
            let (outbound, crossing) = crossing::to_legacy(&call, id, limit)?;
            Ok(Outbound {
                traceparent,
                crossing: Some(Arc::new(Crossing::ToLegacy(crossing))),
                ..outbound
            })
        }
        (Era::Legacy, Era::Modern) => {
            let under_way = match &call.session {
                Some(session) => Some(session.begin(&call.id, call.method)?),
                None => None,
            };
            let id = under_way.as_ref().map_or(0, |request| request.id);
            let (outbound, crossing) = crossing::to_modern(&call, &errand.route, (id, limit))?;
            Ok(Outbound {
                traceparent,
                under_way: under_way.map(Arc::new),
                crossing: Some(Arc::new(Crossing::ToModern(crossing))),
                ..outbound
            })
        }
    })
}

fn legacy_call(call: Call, traceparent: Option<String>) -> Result<Outbound, Refusal> {
    let under_way = match &call.session {
        Some(session) => Some(session.begin(&call.id, call.method)?),
        None => None,
    };
    let id = under_way.as_ref().map_or(0, |request| request.id);
    let mut splice = Splice::new(&call.body);
    splice
        .replace_at(call.id_place, id.to_string())
        .map_err(|_| Refusal::BrokenBody)?;
    if let Some(place) = call.proposed_version {
        let proposed = call
            .body
            .get(place.clone())
            .and_then(|raw| serde_json::from_slice::<String>(raw).ok());
        let known = proposed
            .and_then(|text| text.parse::<Revision>().ok())
            .filter(|known| known.era() == Era::Legacy);
        if known.is_none() {
            // An unknown proposal is answered with the newest version we serve, never with an error (S11, T18).
            let newest = format!("\"{}\"", Revision::NEWEST_LEGACY);
            splice
                .replace_at(place, newest)
                .map_err(|_| Refusal::BrokenBody)?;
        }
    }
    Ok(Outbound {
        under_way: under_way.map(Arc::new),
        session: call.session,
        traceparent,
        ..Outbound::legacy(splice.finish())
    })
}

/// Translates a notification or an answer. `None`: it means nothing to the upstream.
pub fn note(permitted: Permitted<Note>, head: &Head) -> Result<Option<Permitted<Outbound>>, Refusal> {
    let traceparent = traceparent(head);
    let note = permitted.get();
    let session = note.session.clone();
    let mut body = note.body.clone();
    if note.era == Era::Modern && note.method.as_deref() == Some("notifications/cancelled") {
        // The host's id says nothing on the other hop, where it may name a request of somebody else. What cancels a
        // modern request is the end of its exchange, which both hops share.
        return Ok(None);
    }
    if note.method.is_none() && !is_awaited(note) {
        tracing::debug!("an answer came to a request that the server never made");
        return Ok(None);
    }
    if let (Some((cancelled, place)), Some(session)) = (&note.cancels, &session) {
        let Some(id) = session.upstream_id(cancelled) else {
            return Ok(None);
        };
        let mut splice = Splice::new(&note.body);
        splice
            .replace_at(place.clone(), id.to_string())
            .map_err(|_| Refusal::BrokenBody)?;
        body = splice.finish().into();
    }
    let outbound = |note: Note| Outbound {
        era: note.era,
        method: note.method.filter(|_| note.era == Era::Modern).map(Cow::Owned),
        session,
        traceparent,
        ..Outbound::legacy(body)
    };
    permitted.map(|note| Ok(outbound(note))).map(Some)
}

/// Whether the server waits for this answer. One that names no request answers none.
fn is_awaited(note: &Note) -> bool {
    match (&note.answers, &note.session) {
        (Some(answers), Some(session)) => session.take_server_request(answers.get()),
        _ => false,
    }
}

/// Mirrored arguments that Portreeve does not know of must be passed on (2026-07-28, transports, custom headers).
fn mirrored_arguments(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with(header::PARAM_PREFIX))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The caller's trace context, if it has the form of W3C Trace Context, level 1.
pub fn traceparent(head: &Head) -> Option<String> {
    let value = head.text(header::TRACEPARENT)?;
    let hex =
        |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut parts = value.split('-');
    let ok =
        hex(parts.next()?, 2) && hex(parts.next()?, 32) && hex(parts.next()?, 16) && hex(parts.next()?, 2);
    ok.then(|| value.to_owned())
}

/// The id that the host knows a request by, in place of ours.
pub fn to_host(body: &[u8], id: &RawValue, host_id: &RawValue) -> Option<Vec<u8>> {
    let mut splice = Splice::new(body);
    splice.replace(id.get(), host_id.get()).ok()?;
    Some(splice.finish())
}
