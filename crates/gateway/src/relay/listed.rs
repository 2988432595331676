//! A list or a handshake that comes as an event stream, held until it is whole.

use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use portreeve_client::ClientError;
use portreeve_mcp::sse;
use portreeve_net::ResponseBody;

use super::bounds::Bounds;
use super::{Errand, Turned, about, settled};
use crate::record::{Record, Stopped, stop};
use crate::respond::{Body, Refusal};

/// A list or a handshake out of an event stream. A list must be held to be filtered, and a session to be kept before its
/// host learns of it, so the host gets either as one JSON document.
pub(super) async fn listed(
    mut body: ResponseBody,
    errand: Errand,
    record: Record,
) -> Result<Response<Body>, Stopped> {
    let limit = errand.gateway.limits.held_result_bytes;
    let patience = errand.route.upstream.patience();
    let reading = tokio::time::timeout(patience, first_answer(&mut body, &errand, limit));
    match errand.while_open(reading).await {
        Ok(Ok(Ok(turned))) => {
            settled(
                errand.status(StatusCode::OK, turned.code),
                turned,
                &errand,
                record,
            )
            .await
        }
        Ok(Ok(Err(reason))) => {
            let error = ClientError::NotMcp(reason);
            Err(stop(about(Refusal::Upstream(error), &errand), record))
        }
        Ok(Err(_)) => {
            let error = ClientError::Timeout(patience.as_secs());
            Err(stop(about(Refusal::Upstream(error), &errand), record))
        }
        Err(refusal) => Err(stop(about(refusal, &errand), record)),
    }
}

async fn first_answer(body: &mut ResponseBody, errand: &Errand, limit: usize) -> Result<Turned, String> {
    let mut reader = sse::Reader::new(limit);
    let mut bounds = Bounds::of_call(&errand.gateway.limits, errand.route.upstream.patience());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| "its stream broke off".to_owned())?;
        let data = frame.data_ref().map_or(&[][..], |data| data);
        bounds.took(data.len()).map_err(|overrun| overrun.to_string())?;
        reader.feed(data);
        while let Some(event) = reader.next_event().map_err(|error| error.to_string())? {
            let turned = event.data.as_ref().and_then(|data| errand.turn(data));
            if let Some(turned) = turned.filter(|turned| turned.outcome.is_some()) {
                return Ok(turned);
            }
        }
    }
    Err("its stream ended without an answer".to_owned())
}
