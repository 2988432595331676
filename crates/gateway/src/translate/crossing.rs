//! What a request needs to know where host and server are of different eras: how it was put for the server, and how its
//! answer is put for the host.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;
use portreeve_core::protocol::Revision;
use portreeve_mcp::bridge::{self, Client, Introduction, Told};
use portreeve_mcp::level::Level;
use portreeve_mcp::method::Method;
use serde_json::value::RawValue;

use super::Outbound;
use crate::accept::inbound::Call;
use crate::respond::Refusal;
use crate::route::ServedRoute;

/// From one era to the other.
#[derive(Debug)]
pub enum Crossing {
    /// From a modern host to a legacy server.
    ToLegacy(ToLegacy),
    /// From a legacy host to a modern server.
    ToModern(ToModern),
}

/// A request of a modern host to a legacy server.
#[derive(Debug)]
pub struct ToLegacy {
    /// Our id of the request on the server's hop.
    pub id: u64,
    /// What is asked for.
    pub method: Method,
    /// What the host said of itself with it.
    pub told: Told,
}

/// A request of a legacy host to a modern server.
#[derive(Debug)]
pub struct ToModern {
    /// What the host said of itself, if this is its `initialize`.
    pub introduction: Option<Introduction>,
    /// The request as it was sent, if it may have to be made once more with answers of the host.
    pub again: Option<Box<Outbound>>,
    /// Our id of the request, which is another one every time it is made.
    id: AtomicU64,
}

// === impl ToLegacy ===

impl ToLegacy {
    /// Whether the host can send its user to a page between two calls.
    pub fn shows_pages(&self) -> bool {
        let declared = self.told.capabilities.as_deref().unwrap_or(NONE);
        self.method.has_rounds() && bridge::declared_url_elicitation(declared)
    }
}

// === impl ToModern ===

impl ToModern {
    /// Our id of the request as it was made last.
    pub fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    /// It is made once more, under this id.
    pub fn set_id(&self, id: u64) {
        self.id.store(id, Ordering::Relaxed);
    }
}

/// The capabilities of a host that declared none.
const NONE: &str = "{}";

/// The request as a legacy server expects it. `server/discover` is not sent: what `initialize` answered is its answer.
pub(super) fn to_legacy(call: &Call, id: u64, limit: usize) -> Result<(Outbound, ToLegacy), Refusal> {
    let told = bridge::told(&call.body);
    fits(told.capabilities.as_deref(), limit)?;
    fits(told.client.as_deref(), limit)?;
    let body = bridge::to_legacy(&call.body, id).map_err(|_| Refusal::BrokenBody)?;
    let crossing = ToLegacy {
        id,
        method: call.method,
        told,
    };
    Ok((Outbound::legacy(body), crossing))
}

/// The request as a modern server expects it, with our id.
pub(super) fn to_modern(
    call: &Call,
    route: &ServedRoute,
    (id, limit): (u64, usize),
) -> Result<(Outbound, ToModern), Refusal> {
    let version = Revision::V2026_07_28.as_str();
    if call.method == Method::Initialize {
        let introduction = bridge::introduction(&call.body);
        fits(introduction.capabilities.as_deref(), limit)?;
        fits(introduction.info.as_deref(), limit)?;
        let declared = introduction.capabilities.as_deref().unwrap_or(NONE);
        let client = Client {
            capabilities: &bridge::declared_to_modern(declared),
            info: introduction.info.as_deref(),
            level: None,
            version,
        };
        let outbound = Outbound::modern(bridge::discover(id, client), Method::Discover);
        let crossing = ToModern {
            introduction: Some(introduction),
            again: None,
            id: AtomicU64::new(id),
        };
        return Ok((outbound, crossing));
    }
    let session = call.session.as_ref();
    let declared = session.and_then(|session| session.client_capabilities());
    let info = session.and_then(|session| session.client_info());
    let level = session.and_then(|session| session.log_level());
    let client = Client {
        capabilities: &bridge::declared_to_modern(declared.as_deref().map_or(NONE, RawValue::get)),
        info: info.as_deref().map(RawValue::get),
        level: level.and_then(|level| Level::find(&level)),
        version,
    };
    let body = bridge::to_modern(&call.body, id, client).map_err(|_| Refusal::BrokenBody)?;
    let outbound = Outbound {
        name: call.method.named().and(call.target.clone()),
        params: repeated_arguments(call, route)?,
        ..Outbound::modern(body, call.method)
    };
    let crossing = ToModern {
        introduction: None,
        again: call.method.has_rounds().then(|| Box::new(outbound.clone())),
        id: AtomicU64::new(id),
    };
    Ok((outbound, crossing))
}

/// The arguments that a tool wants in headers as well (2026-07-28, `x-mcp-header`), which no legacy host knows of.
fn repeated_arguments(call: &Call, route: &ServedRoute) -> Result<HeaderMap, Refusal> {
    let Some((mirrors, arguments)) = call.mirrored(route) else {
        return Ok(HeaderMap::new());
    };
    mirrors
        .headers(arguments)
        .map_err(|problem| Refusal::InvalidParams {
            id: Some(call.id.clone()),
            reason: problem.to_string(),
        })
}

/// What is kept of a host, or told to its server with every request, is not without bounds.
fn fits(declared: Option<&str>, limit: usize) -> Result<(), Refusal> {
    if declared.is_none_or(|declared| declared.len() <= limit) {
        return Ok(());
    }
    Err(Refusal::InvalidParams {
        id: None,
        reason: format!("what the host says of itself has more than {limit} bytes"),
    })
}
