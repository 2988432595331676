//! A request of a modern host to a legacy server, in a session of the pool. What is left of it when it is over is settled
//! here: a host that went away has cancelled it, and a session that was its own ends with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use portreeve_client::{ClientError, Exchange, Reply, ReplyBody, Upstream};
use portreeve_core::caller::Principal;
use portreeve_core::route::SessionAffinity;
use portreeve_mcp::envelope::{Message, Outcome};
use portreeve_mcp::method::Method;
use portreeve_mcp::{answer, bridge, code, sse};
use portreeve_net::{Egress, ResponseBody, read_body};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use super::pool::{Alike, Pool, ServerSession, Shared};
use crate::policy::Permitted;
use crate::route::ServedRoute;
use crate::translate::{Outbound, ToLegacy};

/// Bytes of an answer in which a server may say that it does not know the session.
const COMPLAINT_BYTES: usize = 64 * 1024;

/// A session in which a request is under way.
#[derive(Debug)]
pub struct Lease {
    /// The session.
    pub session: Arc<ServerSession>,
    egress: Egress,
    route: Arc<ServedRoute>,
    /// Our id of the request.
    id: u64,
    /// Nobody else has it.
    own: bool,
    /// Nothing is to be taken back: it was answered, or never reached the server.
    over: AtomicBool,
    answers: Answers,
}

/// What a server may ask at once of somebody who can only say no: what it asks beyond that is not answered.
#[derive(Debug, Clone)]
pub(super) struct Answers(Arc<Semaphore>);

/// Answers that are under way at once, and how long the server may take for one.
const ANSWERS: usize = 8;
const ANSWER: Duration = Duration::from_secs(5);

/// What a request was sent with.
pub struct Sending<'a> {
    /// The way out.
    pub egress: &'a Egress,
    /// The route.
    pub route: &'a Arc<ServedRoute>,
    /// The sessions.
    pub pool: &'a Pool,
    /// Who shares one.
    pub alike: Alike,
}

enum Said {
    Lost,
    Answer(Box<Reply>),
}

// === impl Sending ===

impl Sending<'_> {
    /// Sends the request in a session, which is opened if there is none yet. One that the server does not know any more is
    /// opened anew, once: so long nothing was done.
    pub async fn send(
        self,
        permitted: Permitted<Outbound>,
        crossing: &ToLegacy,
    ) -> Result<(Reply, Lease), ClientError> {
        let outbound = permitted.into_inner();
        let server = self.route.server()?;
        let mut tries = 0;
        loop {
            let place = self.pool.place(&self.alike);
            let shared = match self.shared(server, &place, crossing).await {
                Ok(shared) => shared,
                Err(error) => {
                    // A place without a session is nobody's.
                    self.pool.forget(&self.alike, &place);
                    return Err(error);
                }
            };
            if crossing.method == Method::Discover {
                let body = answered(crossing.id, &shared.initialized);
                let lease = self.lease(shared, crossing.id, false);
                lease.answered();
                return Ok((ready(StatusCode::OK, body), lease));
            }
            let own = shared.id.is_some() && self.wants_its_own(crossing.method);
            let session = if own {
                self.open(server, crossing).await?
            } else {
                shared
            };
            let lease = self.lease(session, crossing.id, own);
            if own {
                lease.set_level(server, crossing).await;
            }
            let reply = lease.post(server, &outbound).await?;
            match said(reply, &lease.session).await? {
                Said::Lost if tries == 0 => {
                    lease.answered();
                    self.pool.forget(&self.alike, &place);
                    tries += 1;
                }
                Said::Lost => {
                    lease.answered();
                    return Err(ClientError::NotMcp("it does not know its own session".to_owned()));
                }
                Said::Answer(reply) => return Ok((*reply, lease)),
            }
        }
    }

    /// Whether the request has a session of its own: who called before must not show in it. Callers without a name are not
    /// one caller.
    fn wants_its_own(&self, method: Method) -> bool {
        match (self.alike.principal, self.route.route.session_affinity) {
            (Principal::Anonymous, _) => true,
            (_, SessionAffinity::PerRequest) => method == Method::CallTool,
            (_, SessionAffinity::Principal) => false,
        }
    }

    async fn shared(
        &self,
        server: &Upstream,
        place: &Shared,
        crossing: &ToLegacy,
    ) -> Result<Arc<ServerSession>, ClientError> {
        let opened = place.get_or_try_init(|| self.open(server, crossing));
        // Those who wait for one that fails try it one after the other.
        match tokio::time::timeout(self.pool.patience(), opened).await {
            Ok(session) => session.map(Arc::clone),
            Err(_) => Err(ClientError::Timeout(self.pool.patience().as_secs())),
        }
    }

    async fn open(&self, server: &Upstream, crossing: &ToLegacy) -> Result<Arc<ServerSession>, ClientError> {
        let hello = (self.alike.capabilities.as_str(), crossing.told.client.as_deref());
        self.pool.open(self.egress, server, hello).await
    }

    fn lease(&self, session: Arc<ServerSession>, id: u64, own: bool) -> Lease {
        Lease {
            session,
            egress: self.egress.clone(),
            route: Arc::clone(self.route),
            id,
            own,
            over: AtomicBool::new(false),
            answers: Answers::default(),
        }
    }
}

// === impl Answers ===

impl Default for Answers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ANSWERS)))
    }
}

impl Answers {
    pub(super) fn give(&self, answer: impl Future<Output = ()> + Send + 'static) {
        if let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() {
            tokio::spawn(async move {
                let _permit = permit;
                let _ = tokio::time::timeout(ANSWER, answer).await;
            });
        }
    }
}

// === impl Lease ===

impl Lease {
    /// The request is answered: nothing of it is to be cancelled.
    pub fn answered(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    fn exchange(&self) -> Exchange<'_> {
        in_session(&self.session)
    }

    async fn post(&self, server: &Upstream, outbound: &Outbound) -> Result<Reply, ClientError> {
        let exchange = Exchange {
            traceparent: outbound.traceparent.as_deref(),
            ..self.exchange()
        };
        server.post(&self.egress, exchange, outbound.body.clone()).await
    }

    /// Asks for the rest of a stream of this session that broke off after this event.
    pub async fn resume(&self, last: &str) -> Result<Reply, ClientError> {
        let server = self.route.server()?;
        let exchange = Exchange {
            last_event_id: Some(last),
            ..self.exchange()
        };
        server.listen(&self.egress, exchange).await
    }

    /// A session of its own logs as its one request wants. A server that does not is none the worse.
    async fn set_level(&self, server: &Upstream, crossing: &ToLegacy) {
        let Some(level) = crossing.told.level else { return };
        let body = answer::request(Some(0), "logging/setLevel", json!({"level": level.as_str()}));
        match server.post(&self.egress, self.exchange(), body.into()).await {
            Ok(reply) => drop(whole(reply.body).await),
            Err(error) => tracing::debug!(error = %error, "the server did not take a log level"),
        }
    }

    /// Answers a request that the server makes while ours is under way. Nobody can be asked then: a host of the modern era
    /// is asked between two calls.
    pub fn answer_server(self: &Arc<Self>, method: &str, id: &RawValue) {
        let body = match method {
            "ping" => answer::result(id, json!({})),
            _ => answer::error(Some(id), code::METHOD_NOT_FOUND, "Method not found", None),
        };
        let lease = Arc::clone(self);
        self.answers.give(async move { lease.tell(body.into()).await });
    }

    /// Brings the server an answer to what it asked.
    pub async fn bring(&self, body: Bytes) -> Result<(), ClientError> {
        let server = self.route.server()?;
        let reply = server.post(&self.egress, self.exchange(), body).await?;
        let status = reply.status;
        drop(whole(reply.body).await);
        if status.is_success() {
            return Ok(());
        }
        Err(ClientError::Status {
            status: status.as_u16(),
            reason: None,
        })
    }

    async fn tell(&self, body: Bytes) {
        tell(&self.egress, &self.route, &self.session, body).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let cancels = !self.over.load(Ordering::Relaxed);
        if !cancels && !self.own {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (egress, route, session) = (
            self.egress.clone(),
            Arc::clone(&self.route),
            Arc::clone(&self.session),
        );
        let (id, own) = (self.id, self.own);
        runtime.spawn(async move {
            if cancels {
                let about = json!({"requestId": id, "reason": "The host went away"});
                let body = answer::request(None, "notifications/cancelled", about);
                tell(&egress, &route, &session, body.into()).await;
            }
            if own {
                end(&egress, &route, &session).await;
            }
        });
    }
}

pub(super) fn in_session(session: &ServerSession) -> Exchange<'_> {
    Exchange {
        protocol_version: Some(&session.version),
        session: session.id.as_deref(),
        ..Exchange::default()
    }
}

pub(super) async fn tell(egress: &Egress, route: &ServedRoute, session: &ServerSession, body: Bytes) {
    let Ok(server) = route.server() else {
        return;
    };
    match server.post(egress, in_session(session), body).await {
        Ok(reply) => drop(whole(reply.body).await),
        Err(error) => tracing::debug!(error = %error, "the server did not take a message"),
    }
}

/// Ends a session at its server. What the server makes of it does not matter.
pub async fn end(egress: &Egress, route: &ServedRoute, session: &ServerSession) {
    if let Ok(server) = route.server() {
        end_at(egress, server, session).await;
    }
}

/// The same, at the server itself. One that keeps no sessions has nothing to end.
pub(super) async fn end_at(egress: &Egress, server: &Upstream, session: &ServerSession) {
    if session.id.is_none() {
        return;
    }
    match server.end_session(egress, in_session(session)).await {
        Ok(reply) => drop(whole(reply.body).await),
        Err(error) => tracing::debug!(error = %error, "the server did not take the end of a session"),
    }
}

/// An answer that is ready.
fn ready(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    Reply {
        status,
        session: None,
        retry_after: None,
        body: ReplyBody::Json(ResponseBody::ready(body.into())),
    }
}

/// The result of an earlier request as the answer to this one.
fn answered(id: u64, result: &[u8]) -> Vec<u8> {
    let mut body = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":").into_bytes();
    body.extend_from_slice(result);
    body.push(b'}');
    body
}

/// The short answer to a request of ours, as JSON or the last of a few events.
pub(super) async fn said_briefly(body: ReplyBody, id: u64) -> Result<Bytes, ClientError> {
    let is_stream = matches!(body, ReplyBody::Events(_));
    let bytes = whole(body).await?;
    if !is_stream {
        return Ok(bytes);
    }
    let mut events = sse::Reader::new(COMPLAINT_BYTES);
    events.feed(&bytes);
    let ours = id.to_string();
    while let Ok(Some(event)) = events.next_event() {
        let Some(data) = event.data else { continue };
        let is_ours =
            Message::parse(&data).is_ok_and(|message| message.id().is_some_and(|id| id.get() == ours));
        if is_ours {
            return Ok(data);
        }
    }
    Err(ClientError::NotMcp(
        "its stream ended without an answer".to_owned(),
    ))
}

async fn whole(body: ReplyBody) -> Result<Bytes, ClientError> {
    let (ReplyBody::Json(body) | ReplyBody::Events(body) | ReplyBody::Other(body)) = body;
    Ok(read_body(body, COMPLAINT_BYTES, std::time::Duration::from_secs(3)).await?)
}

/// Whether a server says that it does not know the session. Most say 404; some say 400, and name it.
async fn said(reply: Reply, session: &ServerSession) -> Result<Said, ClientError> {
    if reply.status == StatusCode::NOT_FOUND && session.id.is_some() {
        return Ok(Said::Lost);
    }
    if reply.status != StatusCode::BAD_REQUEST {
        return Ok(Said::Answer(Box::new(reply)));
    }
    let status = reply.status;
    let is_json = matches!(reply.body, ReplyBody::Json(_));
    let body = whole(reply.body).await?;
    if is_loss(&body) {
        return Ok(Said::Lost);
    }
    let reply = if is_json {
        ready(status, body)
    } else {
        Reply {
            status,
            session: None,
            retry_after: None,
            body: ReplyBody::Other(ResponseBody::ready(body)),
        }
    };
    Ok(Said::Answer(Box::new(reply)))
}

fn is_loss(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Complaint {
        code: i64,
        #[serde(default)]
        message: String,
    }
    let Ok(Message::Response {
        outcome: Outcome::Error(error),
        ..
    }) = Message::parse(body)
    else {
        return false;
    };
    serde_json::from_str::<Complaint>(error.get()).is_ok_and(|complaint| {
        let message = complaint.message.to_ascii_lowercase();
        complaint.code == code::NOT_INITIALIZED
            && (message.contains("session") || message.contains("not initialized"))
    })
}

/// Who shares a session with this request.
pub fn alike(
    route: &ServedRoute,
    principal: portreeve_core::caller::Principal,
    crossing: &ToLegacy,
) -> Alike {
    let declared = crossing.told.capabilities.as_deref().unwrap_or("{}");
    Alike {
        route: route.route.id,
        url: route.route.upstream_url.clone(),
        principal,
        capabilities: bridge::declared_to_legacy(declared, route.parks()),
    }
}

#[cfg(test)]
mod tests {
    use super::{answered, is_loss};

    #[test]
    fn only_what_names_the_session_is_its_loss() {
        for (message, lost) in [
            ("Bad Request: Server not initialized", true),
            ("Bad Request: No valid session ID provided", true),
            ("Bad Request: Unsupported protocol version", false),
        ] {
            let body =
                format!(r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":-32000,"message":"{message}"}}}}"#);
            assert_eq!(is_loss(body.as_bytes()), lost, "{message}");
        }
        assert!(!is_loss(
            br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no session"}}"#
        ));
        assert!(!is_loss(b"no session"));
        assert_eq!(answered(7, b"{}"), br#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
    }
}
