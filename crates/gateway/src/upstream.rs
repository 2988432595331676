//! The seventh room: sends what was permitted, and nothing else.

use bytes::Bytes;
use portreeve_client::{ClientError, Exchange, Reply};
use portreeve_core::protocol::{Era, Revision};
use portreeve_net::Egress;

use crate::policy::Permitted;
use crate::route::ServedRoute;
use crate::session::Session;
use crate::translate::Outbound;

/// Sends a call or a note. Returns with the head of the answer.
pub async fn send(
    egress: &Egress,
    route: &ServedRoute,
    permitted: Permitted<Outbound>,
) -> Result<Reply, ClientError> {
    let outbound = permitted.into_inner();
    let (version, session) = hop(outbound.era, outbound.session.as_deref());
    let exchange = Exchange {
        protocol_version: version.as_deref(),
        session: session.as_deref(),
        method: outbound
            .method
            .filter(|_| outbound.era == Era::Modern)
            .map(|method| method.as_str()),
        name: outbound.name.as_deref(),
        params: Some(&outbound.params),
        traceparent: outbound.traceparent.as_deref(),
        ..Exchange::default()
    };
    route.upstream.post(egress, exchange, outbound.body).await
}

/// Opens the upstream side of a legacy session's stream. The session was permitted when it was made.
pub async fn listen(
    egress: &Egress,
    route: &ServedRoute,
    session: &Session,
    last: Option<&str>,
) -> Result<Reply, ClientError> {
    let (version, upstream) = hop(Era::Legacy, Some(session));
    let exchange = Exchange {
        protocol_version: version.as_deref(),
        session: upstream.as_deref(),
        last_event_id: last,
        ..Exchange::default()
    };
    route.upstream.listen(egress, exchange).await
}

/// Ends the upstream side of a legacy session.
pub async fn end(egress: &Egress, route: &ServedRoute, session: &Session) -> Result<Reply, ClientError> {
    let (version, upstream) = hop(Era::Legacy, Some(session));
    let exchange = Exchange {
        protocol_version: version.as_deref(),
        session: upstream.as_deref(),
        ..Exchange::default()
    };
    route.upstream.end_session(egress, exchange).await
}

/// Tells the upstream that a request is not wanted any more (legacy).
pub async fn cancel(egress: &Egress, route: &ServedRoute, session: &Session, body: Bytes) {
    let (version, upstream) = hop(Era::Legacy, Some(session));
    let exchange = Exchange {
        protocol_version: version.as_deref(),
        session: upstream.as_deref(),
        ..Exchange::default()
    };
    if let Err(error) = route.upstream.post(egress, exchange, body).await {
        tracing::debug!(error = %error, "the upstream did not take a cancellation");
    }
}

fn hop(era: Era, session: Option<&Session>) -> (Option<String>, Option<String>) {
    match (era, session) {
        (Era::Modern, _) => (Some(Revision::V2026_07_28.as_str().to_owned()), None),
        (Era::Legacy, Some(session)) => (session.version(), session.upstream.clone()),
        (Era::Legacy, None) => (None, None),
    }
}
