//! Greeting a server for a session, as its host greeted it: `initialize`, `notifications/initialized`, and then what the
//! host had set.

use http_body_util::BodyExt as _;
use portreeve_client::{ClientError, Exchange, Reply, ReplyBody, Upstream};
use portreeve_mcp::envelope::{Message, Outcome};
use portreeve_mcp::method::Method;
use portreeve_mcp::result::Initialized;
use portreeve_mcp::{answer, sse};
use portreeve_net::{Egress, ResponseBody, read_body};
use serde_json::json;
use serde_json::value::RawValue;

use super::Session;

/// Why a session could not begin anew at its server.
#[derive(Debug)]
pub(super) enum Unrenewed {
    /// The server does not answer, or not as a server does. It may later on.
    Upstream(ClientError),
    /// What the host knows of the server is not so any more: the host must begin anew itself.
    Over(&'static str),
}

/// A server, and the way there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hop<'a> {
    pub(super) egress: &'a Egress,
    pub(super) server: &'a Upstream,
}

/// The upstream side of a session, as the server named it.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) session: Option<String>,
    pub(super) version: String,
}

impl From<ClientError> for Unrenewed {
    fn from(error: ClientError) -> Self {
        Self::Upstream(error)
    }
}

// === impl Session ===

impl Session {
    /// `initialize` and `notifications/initialized`, as the host said them.
    pub(super) async fn greet(
        &self,
        hop: Hop<'_>,
        hello: &RawValue,
        agreed: Option<&str>,
    ) -> Result<Side, Unrenewed> {
        let id = self.next_id();
        let body = answer::request(Some(id), Method::Initialize.as_str(), hello);
        let said = async {
            let reply = hop.server.post(hop.egress, Exchange::default(), body.into());
            let reply = reply.await?;
            let session = reply.session.clone();
            Ok::<_, ClientError>((session, self.outcome(hop, reply, id).await?))
        };
        let patience = hop.server.timeout;
        let said = tokio::time::timeout(patience, said).await;
        let (session, result) = said.map_err(|_| ClientError::Timeout(patience.as_secs()))??;
        let result = result.ok_or(Unrenewed::Over("the server refuses what the host said at first"))?;
        let initialized: Initialized<'_> =
            serde_json::from_str(result.get()).map_err(|error| ClientError::NotMcp(error.to_string()))?;
        let side = Side {
            session,
            version: initialized.protocol_version.into_owned(),
        };
        if Some(side.version.as_str()) != agreed {
            self.dismiss(hop, &side).await;
            return Err(Unrenewed::Over("the server speaks another version now"));
        }
        let ready = answer::request(None, "notifications/initialized", json!({}));
        let noted = hop.server.post(hop.egress, side.exchange(), ready.into()).await;
        let status = |reply: Reply| ClientError::Status {
            status: reply.status.as_u16(),
            reason: None,
        };
        let failed = match noted {
            Ok(reply) if reply.status.is_success() => return Ok(side),
            Ok(reply) => status(reply),
            Err(error) => error,
        };
        self.dismiss(hop, &side).await;
        Err(failed.into())
    }

    /// Sets again what the host had set, as far as the server takes it in time: requests wait for the end of it.
    pub(super) async fn set_again(&self, hop: Hop<'_>, side: &Side) {
        let set = tokio::time::timeout(self.limits.probe, self.set_all_again(hop, side));
        if set.await.is_err() {
            tracing::info!("a server takes too long for what a host had set, and is not told the rest");
        }
    }

    /// A server that does not take one thing now had taken it before; the rest goes on.
    async fn set_all_again(&self, hop: Hop<'_>, side: &Side) {
        let level = self
            .log_level()
            .map(|level| (Method::SetLevel, json!({ "level": level })));
        let resources = self.subscriptions();
        let resources = resources
            .iter()
            .map(|uri| (Method::Subscribe, json!({ "uri": uri })));
        for (method, params) in level.into_iter().chain(resources) {
            let id = self.next_id();
            let body = answer::request(Some(id), method.as_str(), &params);
            let asked = hop.server.post(hop.egress, side.exchange(), body.into()).await;
            let answered = match asked {
                Ok(reply) => self.outcome(hop, reply, id).await,
                Err(error) => Err(error),
            };
            if !matches!(answered, Ok(Some(_))) {
                tracing::info!(
                    method = method.as_str(),
                    "a server did not take again what a host had set"
                );
            }
        }
    }

    /// Ends a side that is not needed.
    pub(super) async fn dismiss(&self, hop: Hop<'_>, side: &Side) {
        if side.session.is_none() {
            return;
        }
        let ended = hop.server.end_session(hop.egress, side.exchange());
        match tokio::time::timeout(self.limits.probe, ended).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::debug!(error = %error, "the upstream did not take the end of a session");
            }
            Err(_) => tracing::debug!("the upstream did not take the end of a session in time"),
        }
    }

    /// The result of a request of our own; `None` where the server answered an error.
    async fn outcome(
        &self,
        hop: Hop<'_>,
        reply: Reply,
        id: u64,
    ) -> Result<Option<Box<RawValue>>, ClientError> {
        let (limit, patience) = (self.limits.held_result_bytes, hop.server.timeout);
        let status = reply.status.as_u16();
        match reply.body {
            ReplyBody::Json(body) => {
                let bytes = read_body(body, limit, patience).await?;
                result_in(&bytes, id).ok_or(ClientError::Status { status, reason: None })
            }
            ReplyBody::Events(body) if reply.status.is_success() => {
                let answered = tokio::time::timeout(patience, first_result(body, id, limit)).await;
                answered.map_err(|_| ClientError::Timeout(patience.as_secs()))?
            }
            _ => Err(ClientError::Status { status, reason: None }),
        }
    }
}

impl Side {
    fn exchange(&self) -> Exchange<'_> {
        Exchange {
            protocol_version: Some(&self.version),
            session: self.session.as_deref(),
            ..Exchange::default()
        }
    }
}

async fn first_result(
    mut body: ResponseBody,
    id: u64,
    limit: usize,
) -> Result<Option<Box<RawValue>>, ClientError> {
    let broken = || ClientError::NotMcp("its stream ended without an answer".to_owned());
    let (mut reader, mut room) = (sse::Reader::new(limit), limit);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| broken())?;
        let data = frame.data_ref().map_or(&[][..], |data| data);
        room = room.checked_sub(data.len()).ok_or_else(broken)?;
        reader.feed(data);
        while let Some(event) = reader
            .next_event()
            .map_err(|error| ClientError::NotMcp(error.to_string()))?
        {
            if let Some(result) = event.data.as_ref().and_then(|data| result_in(data, id)) {
                return Ok(result);
            }
        }
    }
    Err(broken())
}

/// What a message answers to the request; `None` where it does not answer it.
pub(super) fn result_in(bytes: &[u8], id: u64) -> Option<Option<Box<RawValue>>> {
    match Message::parse(bytes).ok()? {
        Message::Response {
            id: Some(own),
            outcome,
        } if own.get() == id.to_string() => match outcome {
            Outcome::Result(result) => Some(Some(result.to_owned())),
            Outcome::Error(_) => Some(None),
        },
        Message::Response {
            id: None,
            outcome: Outcome::Error(_),
        } => Some(None),
        _ => None,
    }
}
