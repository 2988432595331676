//! What follows when a server has lost its side of a session: it is greeted anew as the host greeted it, told again what
//! the host had set, and asked again what it cannot have answered. The host's own session goes on.
//!
//! A request is repeated only on proof that it did not run: the server said that it knows no such session.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use portreeve_client::{ClientError, Exchange, Reply, ReplyBody, Upstream};
use portreeve_net::{Egress, ResponseBody, read_body};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::greeting::{Hop, Side, Unrenewed};
use super::kept::{self, Kept};
use super::wish::Wish;
use super::{KeepError, Session};
use crate::metrics::Renewal;

/// Codes with which servers say that they know no such session: of the TypeScript SDK, and of the Python SDK.
const LOST_CODES: [i64; 3] = [-32000, -32001, -32600];

/// Those of them that say nothing of a session by themselves.
const ANSWER_CODES: [i64; 2] = [-32000, -32600];

/// Posts a request of a session that is under way under this id. Where the session cannot go on, the reply is a 404.
pub(crate) async fn post(
    egress: &Egress,
    server: &Upstream,
    (session, id): (&Arc<Session>, u64),
    exchange: Exchange<'_>,
    body: Bytes,
) -> Result<Reply, ClientError> {
    let wish = session.method(id).and_then(|method| Wish::of(method, &body));
    let reply = server.post(egress, exchange, body.clone()).await?;
    let hop = Hop { egress, server };
    let (mut reply, verdict) = hop.judge(reply, session, exchange, Some(id)).await?;
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
    match wish {
        Some(wish) => wish.once_taken((session, id), reply, server.timeout).await,
        None => Ok(reply),
    }
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
    let (mut reply, verdict) = hop.judge(reply, session, exchange, None).await?;
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
    /// Whether the server says that it knows no such session, in reply to a request of ours or to none. A 404 that answers
    /// the request is given back as 400: 404 says that the session is over.
    async fn judge(
        self,
        reply: Reply,
        of: &Session,
        exchange: Exchange<'_>,
        own: Option<u64>,
    ) -> Result<(Reply, Verdict), ClientError> {
        let is_missing = reply.status == StatusCode::NOT_FOUND && exchange.session.is_some();
        if !is_missing && reply.status != StatusCode::BAD_REQUEST {
            return Ok((reply, Verdict::Answered));
        }
        let (is_json, body) = match reply.body {
            ReplyBody::Json(body) => (true, body),
            ReplyBody::Other(body) => (false, body),
            ReplyBody::Events(_) if is_missing => return Ok((reply, Verdict::Lost)),
            ReplyBody::Events(_) => return Ok((reply, Verdict::Answered)),
        };
        let read = read_body(body, of.limits.held_result_bytes, self.server.timeout).await;
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(_) if is_missing => Bytes::new(),
            Err(error) => return Err(error.into()),
        };
        let (status, verdict) = match (is_missing, answers(&bytes, own)) {
            (true, false) => (reply.status, Verdict::Lost),
            (false, false) if says_lost(&bytes) => (reply.status, Verdict::Lost),
            _ => (StatusCode::BAD_REQUEST, Verdict::Answered),
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
                body,
                ..reply
            },
            verdict,
        ))
    }
}

/// The error of a refusal.
#[derive(Deserialize)]
struct Refused<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    error: Failure,
}

#[derive(Deserialize)]
struct Failure {
    code: i64,
    #[serde(default)]
    message: String,
}

/// Whether a refusal answers this very request, which ran then, whatever it says of sessions. The codes are those that
/// servers give to anything.
fn answers(body: &[u8], own: Option<u64>) -> bool {
    let (Some(own), Ok(refused)) = (own, serde_json::from_slice::<Refused<'_>>(body)) else {
        return false;
    };
    let is_own = refused.id.is_some_and(|id| id.get() == own.to_string());
    is_own && ANSWER_CODES.contains(&refused.error.code)
}

/// Whether the body of a 400 is about the session. What answers the request, by the codes for that, is not.
fn says_lost(body: &[u8]) -> bool {
    let text = match serde_json::from_slice::<Refused<'_>>(body) {
        Ok(refused) if !LOST_CODES.contains(&refused.error.code) => return false,
        Ok(refused) => refused.error.message,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let text = text.to_ascii_lowercase();
    text.contains("session") || text.contains("not initialized")
}

// === impl Session ===

impl Session {
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
        let came = Instant::now();
        let mut failed = self.renewing.lock().await;
        if self.upstream().as_deref() != lost {
            return Ok(());
        }
        if let Some((at, error)) = &*failed
            && *at >= came
        {
            return Err(Unrenewed::Upstream(error.clone()));
        }
        let renewed = self.begin_anew(hop, lost).await;
        *failed = match &renewed {
            Err(Unrenewed::Upstream(error)) => Some((Instant::now(), error.clone())),
            _ => None,
        };
        renewed
    }

    async fn begin_anew(&self, hop: Hop<'_>, lost: Option<&str>) -> Result<(), Unrenewed> {
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
        let ((before, old_line), (theirs, line)) = (
            kept::side_of(lost.map(str::to_owned)),
            kept::side_of(side.session.clone()),
        );
        let take = |kept: &mut Kept| {
            if kept.upstream == before {
                kept.upstream.clone_from(&theirs);
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
        if self.kept().0.upstream == theirs {
            self.lock().line = line;
            self.keeper.metrics().session_renewed(Renewal::Done);
        } else {
            self.dismiss(hop, &side).await;
        }
        if old_line.is_some() {
            let version = side.version;
            let session = old_line;
            self.dismiss(hop, &Side { session, version }).await;
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
        let own = |code: i64, message: &str| {
            let error = format!(r#"{{"code":{code},"message":"{message}"}}"#);
            format!(r#"{{"jsonrpc":"2.0","id":7,"error":{error}}}"#)
        };
        for (body, id, is_answer) in [
            (own(-32000, "Server not initialized"), Some(7), true),
            (own(-32600, "no such session"), Some(7), true),
            (own(-32001, "Session not found"), Some(7), false),
            (own(-32000, "Server not initialized"), Some(8), false),
            (own(-32000, "Server not initialized"), None, false),
            (String::new(), Some(7), false),
        ] {
            assert_eq!(answers(body.as_bytes(), id), is_answer, "{body} {id:?}");
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
}
