//! The seventh room: sends what was permitted, and nothing else. A route leads to a server over the network, to a REST API
//! (`rest.rs`), to other routes (`members.rs`), or into this process (`local.rs`); what comes back looks the same.

mod lease;
pub mod local;
pub mod members;
mod own;
pub mod pool;
mod remote;
pub mod rest;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use portreeve_client::{ClientError, Exchange, Reply, ReplyBody};
use portreeve_core::caller::Caller;
use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::method::Method;
use portreeve_net::{Egress, ResponseBody};
use tokio::sync::oneshot;

use crate::pipeline::Gateway;
use crate::policy::Permitted;
use crate::relay::{Errand, cancellation};
use crate::route::ServedRoute;
use crate::session::{self, Session};
use crate::translate::Outbound;

pub use self::lease::{Lease, Sending, alike, end as end_pooled};
pub use self::own::OwnSession;
pub use self::remote::Remote;

/// Where a route leads.
#[derive(Debug)]
pub enum Way {
    /// To a server over the network.
    Remote(Remote),
    /// To a REST API over the network.
    Rest(Arc<rest::Api>),
    /// To other routes.
    Members(Arc<members::Members>),
    /// Into this process.
    Local(Box<local::Server>),
}

impl Way {
    /// Longest wait for the head of an answer, and between two pieces of its body.
    pub fn patience(&self) -> Duration {
        match self {
            Self::Remote(server) => server.patience(),
            Self::Rest(api) => api.patience(),
            Self::Members(server) => server.patience(),
            Self::Local(_) => local::PATIENCE,
        }
    }
}

/// Sends a call or a note of a caller. Returns with the head of the answer.
pub async fn send(
    gateway: &Arc<Gateway>,
    route: &ServedRoute,
    caller: &Caller,
    permitted: Permitted<Outbound>,
) -> Result<Reply, ClientError> {
    let outbound = permitted.into_inner();
    let egress = &gateway.egress;
    let server = match &route.upstream {
        Way::Remote(_) => route.server()?,
        Way::Rest(api) => return api.answer(egress, &outbound).await,
        Way::Members(server) => return server.answer(gateway, caller, &outbound).await,
        Way::Local(server) => return server.answer(caller, &outbound).await,
    };
    let (version, session) = hop(outbound.era, outbound.session.as_deref());
    let exchange = Exchange {
        protocol_version: version.as_deref(),
        session: session.as_deref(),
        method: outbound.method.as_deref(),
        name: outbound.name.as_deref(),
        params: Some(&outbound.params),
        traceparent: outbound.traceparent.as_deref(),
        ..Exchange::default()
    };
    match (&outbound.session, &outbound.under_way) {
        (Some(session), Some(request)) if outbound.era == Era::Legacy => {
            session::post(egress, server, (session, request.id), exchange, outbound.body).await
        }
        _ => server.post(egress, exchange, outbound.body).await,
    }
}

/// Sends a call of a legacy host. Up to 2025-11-25 a host that goes away has not cancelled it: the call goes on without the
/// host, and what comes back is read so that the server can finish. `None`: the host took it back.
pub async fn send_through(
    errand: &Errand,
    permitted: Permitted<Outbound>,
) -> Result<Option<Reply>, ClientError> {
    let (gateway, route) = (Arc::clone(&errand.gateway), Arc::clone(&errand.route));
    let caller = errand.caller.clone();
    let exchange = errand.exchange.clone();
    let (host, waiting) = oneshot::channel();
    tokio::spawn(async move {
        let reply = tokio::select! {
            reply = send(&gateway, &route, &caller, permitted) => reply.map(Some),
            () = cancellation(exchange.as_deref()) => Ok(None),
            // Whoever waits for it refuses with the reason.
            _ = gateway.loader.closing(&route) => Err(ClientError::NotMcp("it was revoked".to_owned())),
        };
        if let Err(Ok(Some(unwanted))) = host.send(reply) {
            let (ReplyBody::Json(body) | ReplyBody::Events(body) | ReplyBody::Other(body)) = unwanted.body;
            tokio::select! {
                _ = tokio::time::timeout(route.upstream.patience(), drain(body)) => {}
                () = cancellation(exchange.as_deref()) => {}
                _ = gateway.loader.closing(&route) => {}
            }
        }
    });
    match waiting.await {
        Ok(reply) => reply,
        Err(_) => Err(ClientError::NotMcp("the exchange was given up".to_owned())),
    }
}

/// Reads what nobody waits for.
pub async fn drain(mut body: ResponseBody) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// Subscribes the session of a legacy host to a modern server. The session was permitted when it was made.
pub async fn subscribe(errand: &Errand, body: Bytes) -> Result<Reply, ClientError> {
    let server = match &errand.route.upstream {
        Way::Remote(_) => errand.route.server()?,
        Way::Members(server) => {
            let outbound = Outbound::modern(body, Method::Listen);
            return server.answer(&errand.gateway, &errand.caller, &outbound).await;
        }
        Way::Rest(_) | Way::Local(_) => return Ok(local::no_stream()),
    };
    let exchange = Exchange {
        protocol_version: Some(Revision::V2026_07_28.as_str()),
        method: Some("subscriptions/listen"),
        ..Exchange::default()
    };
    server.post(&errand.gateway.egress, exchange, body).await
}

/// Opens the upstream side of a legacy session's stream. The session was permitted when it was made.
pub async fn listen(
    egress: &Egress,
    route: &ServedRoute,
    session: &Session,
    last: Option<&str>,
) -> Result<Reply, ClientError> {
    let server = match &route.upstream {
        Way::Remote(_) => route.server()?,
        Way::Rest(api) => return Ok(api.listen()),
        Way::Members(_) | Way::Local(_) => return Ok(local::no_stream()),
    };
    let (version, upstream) = hop(Era::Legacy, Some(session));
    let exchange = Exchange {
        protocol_version: version.as_deref(),
        session: upstream.as_deref(),
        last_event_id: last,
        ..Exchange::default()
    };
    session::listen(egress, server, session, exchange).await
}

/// Ends the upstream side of a legacy session.
pub async fn end(egress: &Egress, route: &ServedRoute, session: &Session) -> Result<Reply, ClientError> {
    let Ok(server) = route.server() else {
        // It keeps no sessions: what there is of one is the gateway's.
        return Ok(local::no_stream());
    };
    let (version, upstream) = hop(Era::Legacy, Some(session));
    let exchange = Exchange {
        protocol_version: version.as_deref(),
        session: upstream.as_deref(),
        ..Exchange::default()
    };
    server.end_session(egress, exchange).await
}

fn hop(era: Era, session: Option<&Session>) -> (Option<String>, Option<String>) {
    match (era, session) {
        (Era::Modern, _) => (Some(Revision::V2026_07_28.as_str().to_owned()), None),
        (Era::Legacy, Some(session)) => (session.version(), session.upstream()),
        (Era::Legacy, None) => (None, None),
    }
}
