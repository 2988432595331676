//! The stream of a legacy session (GET), and its end (DELETE).

use std::sync::Arc;
use std::time::Duration;

use http::{Response, StatusCode};
use portreeve_client::{ClientError, Reply, ReplyBody};
use portreeve_mcp::header;
use tokio::sync::watch;

use crate::accept::head::Head;
use crate::record::{Record, Stopped, stop};
use crate::relay::{Begin, Ends, Errand, greeted, relay};
use crate::respond::{self, Body, Refusal};
use crate::session::Session;
use crate::upstream;

/// How often a server that still holds the older stream is asked again.
const TRIES: usize = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// Opens the session's stream. A second one takes the first one's place, unless it is the rest of another stream that the
/// host comes back for: the session's own goes on beside that.
pub async fn open(
    head: &Head,
    session: Arc<Session>,
    errand: Errand,
    mut record: Record,
) -> Result<Response<Body>, Stopped> {
    let slot = match errand.gateway.admit_stream(&session, &errand) {
        Ok(slot) => slot,
        Err(refusal) => return Err(stop(refusal, record)),
    };
    // The older stream ends first: many servers have room for one, and answer 409 to a second.
    let mut replaced = match head.text(header::LAST_EVENT_ID) {
        None => Some(session.take_stream()),
        Some(_) => {
            session.take_up().await;
            None
        }
    };
    let reply = match ask(head, &session, &errand, &mut replaced).await {
        Ok(reply) => reply,
        Err(error) => return Err(stop(Refusal::Upstream(error), record)),
    };
    record.upstream_answered(reply.status.as_u16());
    match reply.body {
        ReplyBody::Events(body) if reply.status.is_success() => {
            if let Err(refusal) = record.journal(200) {
                return Err(stop(refusal, record));
            }
            let ends = Ends {
                stopping: Some(errand.gateway.stopping()),
                replaced,
            };
            Ok(respond::events(relay(
                Begin::Stream(greeted(body)),
                errand,
                record,
                slot,
                ends,
            )))
        }
        _ if reply.status == StatusCode::NOT_FOUND => {
            errand.gateway.end_session(&session);
            Err(stop(Refusal::SessionUnknown, record))
        }
        // A server without such streams says 405; one that says anything else has none to offer either.
        _ => Err(stop(Refusal::MethodNotAllowed, record)),
    }
}

/// Asks the server for the stream; again for a while, if it has not noticed yet that the older one is over.
async fn ask(
    head: &Head,
    session: &Arc<Session>,
    errand: &Errand,
    replaced: &mut Option<watch::Receiver<bool>>,
) -> Result<Reply, ClientError> {
    let last = head.text(header::LAST_EVENT_ID);
    let mut tries = 0;
    loop {
        let reply = listen(session, errand, last).await?;
        if reply.status != StatusCode::CONFLICT || tries == TRIES {
            return Ok(reply);
        }
        // It has no room for the two, so it was the session's own stream that the host came back for.
        replaced.get_or_insert_with(|| session.take_stream());
        tries += 1;
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
}

/// Asks the server once. Where it lost the session it is greeted anew, and that is not left half done by a host that goes away.
async fn listen(session: &Arc<Session>, errand: &Errand, last: Option<&str>) -> Result<Reply, ClientError> {
    let (egress, route) = (errand.gateway.egress.clone(), Arc::clone(&errand.route));
    let (session, last) = (Arc::clone(session), last.map(str::to_owned));
    let asked =
        tokio::spawn(async move { upstream::listen(&egress, &route, &session, last.as_deref()).await });
    let broken = |_| ClientError::NotMcp("the exchange was given up".to_owned());
    asked.await.map_err(broken)?
}

/// Ends the session, here at once and at the upstream as well as it goes.
pub async fn end(
    session: &Arc<Session>,
    errand: &Errand,
    record: &mut Record,
) -> Result<Response<Body>, Refusal> {
    let (gateway, route, session) = (
        Arc::clone(&errand.gateway),
        Arc::clone(&errand.route),
        Arc::clone(session),
    );
    // Many hosts are gone right after they asked for it.
    let ended = tokio::spawn(async move {
        gateway.close_session(&session).await?;
        Ok::<_, Refusal>(match session.upstream() {
            Some(_) => Some(upstream::end(&gateway.egress, &route, &session).await),
            None => None,
        })
    });
    match ended.await.map_err(|_| Refusal::SessionsAway)?? {
        Some(Ok(reply)) => record.upstream_answered(reply.status.as_u16()),
        Some(Err(error)) => {
            tracing::debug!(error = %error, "the upstream did not take the end of a session");
        }
        None => {}
    }
    record.ended(portreeve_core::usage::UsageOutcome::Ok);
    record.journal(204)?;
    let mut response = Response::new(respond::full(""));
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
