//! What follows when a server has lost its side of a session: it is greeted anew as the host greeted it, told again what
//! the host had set, and asked again what it cannot have answered. The host's own session goes on.
//!
//! A request is repeated only on proof that it did not run: the server said that it knows no such session.

use bytes::Bytes;
use http::StatusCode;
use portreeve_client::{ClientError, Exchange, Reply, ReplyBody, Upstream};
use portreeve_mcp::envelope::Message;
use portreeve_mcp::method::Method;
use portreeve_net::{Egress, ResponseBody, read_body};
use serde::Deserialize;

use super::greeting::{Hop, Side, Unrenewed};
use super::kept::Kept;
use super::{KeepError, Session};
use crate::metrics::Renewal;

/// Codes with which servers say that they know no such session: of the TypeScript SDK, and of the Python SDK.
const LOST_CODES: [i64; 3] = [-32000, -32001, -32600];

/// Posts a request of a session that is under way under this id. Where the session cannot go on, the reply is a 404.
pub(crate) async fn post(
    egress: &Egress,
    server: &Upstream,
    (session, id): (&Session, u64),
    exchange: Exchange<'_>,
    body: Bytes,
) -> Result<Reply, ClientError> {
    let wish = session.method(id).and_then(|method| Wish::of(method, &body));
    let reply = server.post(egress, exchange, body.clone()).await?;
    let hop = Hop { egress, server };
    let (mut reply, verdict) = hop.judge(reply, session, exchange).await?;
    if verdict == Verdict::Lost {
        if !session.renewed(hop, exchange.session).await? {
            reply.status = StatusCode::NOT_FOUND;
            return Ok(reply);
        }
        let (upstream, version) = (session.upstream(), session.version());
        let again = Exchange {
            session: upstream.as_deref(),
            protocol_version: version.as_deref(),
            ..exchange
        };
        reply = server.post(egress, again, body).await?;
    }
    if let Some(wish) = wish.filter(|_| reply.status.is_success())
        && let Err(error) = session.note(&wish).await
    {
        tracing::warn!(error = %error, "what a host set is forgotten with this node");
    }
    Ok(reply)
}

/// Opens the stream of a session. Where the server lost the session, there is no stream to be taken up again, but a new one.
pub(crate) async fn listen(
    egress: &Egress,
    server: &Upstream,
    session: &Session,
    exchange: Exchange<'_>,
) -> Result<Reply, ClientError> {
    let reply = server.listen(egress, exchange).await?;
    let hop = Hop { egress, server };
    let (mut reply, verdict) = hop.judge(reply, session, exchange).await?;
    if verdict == Verdict::Answered {
        return Ok(reply);
    }
    if !session.renewed(hop, exchange.session).await? {
        reply.status = StatusCode::NOT_FOUND;
        return Ok(reply);
    }
    let (upstream, version) = (session.upstream(), session.version());
    let anew = Exchange {
        session: upstream.as_deref(),
        protocol_version: version.as_deref(),
        last_event_id: None,
        ..exchange
    };
    server.listen(egress, anew).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Answered,
    Lost,
}

impl Hop<'_> {
    /// Whether the server says that it knows no such session.
    async fn judge(
        self,
        reply: Reply,
        of: &Session,
        exchange: Exchange<'_>,
    ) -> Result<(Reply, Verdict), ClientError> {
        if reply.status == StatusCode::NOT_FOUND && exchange.session.is_some() {
            return Ok((reply, Verdict::Lost));
        }
        if reply.status != StatusCode::BAD_REQUEST {
            return Ok((reply, Verdict::Answered));
        }
        let Reply {
            status,
            session,
            body,
        } = reply;
        let read = |body| read_body(body, of.limits.held_result_bytes, self.server.timeout);
        let (bytes, is_json) = match body {
            ReplyBody::Json(body) => (read(body).await?, true),
            ReplyBody::Other(body) => (read(body).await?, false),
            body @ ReplyBody::Events(_) => {
                return Ok((
                    Reply {
                        status,
                        session,
                        body,
                    },
                    Verdict::Answered,
                ));
            }
        };
        let verdict = if says_lost(&bytes) {
            Verdict::Lost
        } else {
            Verdict::Answered
        };
        let ready = ResponseBody::ready(bytes);
        let body = if is_json {
            ReplyBody::Json(ready)
        } else {
            ReplyBody::Other(ready)
        };
        Ok((
            Reply {
                status,
                session,
                body,
            },
            verdict,
        ))
    }
}

/// Whether the body of a 400 is about the session. What answers the request, by the codes for that, is not.
fn says_lost(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Refusal {
        error: Error,
    }
    #[derive(Deserialize)]
    struct Error {
        code: i64,
        #[serde(default)]
        message: String,
    }
    let text = match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) if !LOST_CODES.contains(&refusal.error.code) => return false,
        Ok(refusal) => refusal.error.message,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let text = text.to_ascii_lowercase();
    text.contains("session") || text.contains("not initialized")
}

/// What a host sets for its session, to be set again when the session begins anew.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Level(String),
    Subscribe(String),
    Unsubscribe(String),
}

impl Wish {
    fn of(method: Method, body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Set {
            level: Option<String>,
            uri: Option<String>,
        }
        if !matches!(method, Method::SetLevel | Method::Subscribe | Method::Unsubscribe) {
            return None;
        }
        let Ok(Message::Request { params, .. }) = Message::parse(body) else {
            return None;
        };
        let set: Set = serde_json::from_str(params?.get()).ok()?;
        match method {
            Method::SetLevel => set.level.map(Self::Level),
            Method::Subscribe => set.uri.map(Self::Subscribe),
            _ => set.uri.map(Self::Unsubscribe),
        }
    }
}

// === impl Session ===

impl Session {
    async fn note(&self, wish: &Wish) -> Result<(), KeepError> {
        match wish {
            Wish::Level(level) => self.set_log_level(level).await,
            Wish::Subscribe(uri) => self.subscribe(uri).await,
            Wish::Unsubscribe(uri) => self.unsubscribe(uri).await,
        }
    }

    /// Sees to it that the session has a side at the server again, instead of this one that the server lost. `false`: it
    /// cannot have one.
    async fn renewed(&self, hop: Hop<'_>, lost: Option<&str>) -> Result<bool, ClientError> {
        let metrics = self.keeper.metrics();
        match self.renew(hop, lost).await {
            Ok(()) => Ok(true),
            Err(Unrenewed::Upstream(error)) => {
                metrics.session_renewed(Renewal::Failed);
                tracing::info!(error = %error, "a server lost a session, and cannot be greeted anew");
                Err(error)
            }
            Err(Unrenewed::Over(reason)) => {
                metrics.session_renewed(Renewal::Over);
                tracing::info!(reason, "a server lost a session, and its host must begin anew");
                Ok(false)
            }
        }
    }

    async fn renew(&self, hop: Hop<'_>, lost: Option<&str>) -> Result<(), Unrenewed> {
        let _one_at_a_time = self.renewing.lock().await;
        if self.upstream().as_deref() != lost {
            return Ok(());
        }
        // Another node may have done it.
        match self.read_again().await {
            Ok(()) if self.upstream().as_deref() != lost => return Ok(()),
            Ok(()) | Err(KeepError::Away) => {}
            Err(KeepError::Over) => return Err(Unrenewed::Over("it was ended")),
        }
        let (kept, _) = self.kept();
        let hello = kept.hello_again();
        let hello = hello.ok_or(Unrenewed::Over(
            "what the host said at first was too long to be kept",
        ))?;
        let side = self.greet(hop, &hello, kept.version.as_deref()).await?;
        self.set_again(hop, &side).await;
        self.settle(hop, lost, side).await
    }

    /// Makes a new side the one of the session, unless another node was faster.
    async fn settle(&self, hop: Hop<'_>, lost: Option<&str>, side: Side) -> Result<(), Unrenewed> {
        let take = |kept: &mut Kept| {
            if kept.upstream.as_deref() == lost {
                kept.upstream.clone_from(&side.session);
            }
        };
        match self.change(take).await {
            Ok(()) => {}
            Err(KeepError::Over) => {
                self.dismiss(hop, &side).await;
                return Err(Unrenewed::Over("it was ended"));
            }
            // Until it can be written, this node alone knows of it.
            Err(KeepError::Away) => self.alter(take),
        }
        if self.upstream() == side.session {
            self.keeper.metrics().session_renewed(Renewal::Done);
        } else {
            self.dismiss(hop, &side).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p14_p27_only_what_speaks_of_the_session_is_a_lost_session() {
        for lost in [
            r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Server not initialized"},"id":null}"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}"#,
            r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Bad Request: Missing session ID"}}"#,
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"Session not found"}}"#,
            "Invalid session ID",
            r#"{"error":"unknown Session"}"#,
        ] {
            assert!(says_lost(lost.as_bytes()), "{lost}");
        }
        for answered in [
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"`session` is required"}}"#,
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"no session for the database"}}"#,
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"the ship has sailed"}}"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null}"#,
            "",
            "Bad Request",
        ] {
            assert!(!says_lost(answered.as_bytes()), "{answered}");
        }
    }

    #[test]
    fn what_a_host_sets_is_read_from_its_request() {
        let body = |params: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{params}}}"#);
        let wish = |method, params: &str| Wish::of(method, body(params).as_bytes());
        let text = || "a".to_owned();
        assert_eq!(
            wish(Method::SetLevel, r#"{"level":"a"}"#),
            Some(Wish::Level(text()))
        );
        assert_eq!(
            wish(Method::Subscribe, r#"{"uri":"a","x":1}"#),
            Some(Wish::Subscribe(text()))
        );
        assert_eq!(
            wish(Method::Unsubscribe, r#"{"uri":"a"}"#),
            Some(Wish::Unsubscribe(text()))
        );
        assert_eq!(wish(Method::CallTool, r#"{"uri":"a","level":"a"}"#), None);
        assert_eq!(wish(Method::SetLevel, r#"{"level":1}"#), None);
        assert_eq!(wish(Method::Subscribe, r"{}"), None);
    }
}
