//! What a host sets for its session at a legacy server: noted once the server took it, so that it is set again when the
//! session begins anew.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use portreeve_client::{ClientError, Reply, ReplyBody};
use portreeve_mcp::envelope::Message;
use portreeve_mcp::method::Method;
use portreeve_mcp::sse;
use portreeve_net::{ResponseBody, read_body};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::Session;
use super::greeting::result_in;

/// What a host sets for its session, to be set again when the session begins anew.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Level(String),
    Subscribe(String),
    Unsubscribe(String),
}

impl Wish {
    pub(super) fn of(method: Method, body: &[u8]) -> Option<Self> {
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

    /// Notes it when the answer to the request of this id is a result, before the host can see that.
    pub(super) async fn once_taken(
        self,
        (session, id): (&Arc<Session>, u64),
        reply: Reply,
        patience: Duration,
    ) -> Result<Reply, ClientError> {
        if !reply.status.is_success() {
            return Ok(reply);
        }
        let limit = session.limits.held_result_bytes;
        let body = match reply.body {
            ReplyBody::Json(body) => {
                let bytes = read_body(body, limit, patience).await?;
                if let Some(Some(_)) = result_in(&bytes, id) {
                    session.note(&self).await;
                }
                ReplyBody::Json(ResponseBody::ready(bytes))
            }
            ReplyBody::Events(body) => {
                let (pieces, piped) = mpsc::channel(1);
                tokio::spawn(self.watch((Arc::clone(session), id), body, pieces));
                ReplyBody::Events(ResponseBody::piped(piped))
            }
            other @ ReplyBody::Other(_) => other,
        };
        Ok(Reply { body, ..reply })
    }

    /// Passes a stream on, and looks for the answer.
    async fn watch(
        self,
        (session, id): (Arc<Session>, u64),
        mut body: ResponseBody,
        pieces: mpsc::Sender<Bytes>,
    ) {
        let mut reader = Some(sse::Reader::new(session.limits.held_result_bytes));
        loop {
            let frame = tokio::select! {
                () = pieces.closed() => return,
                frame = body.frame() => frame,
            };
            let Some(Ok(frame)) = frame else { return };
            let Ok(data) = frame.into_data() else { continue };
            match reader.as_mut().map(|reader| look(reader, &data, id)) {
                Some(Seen::Nothing) | None => {}
                Some(Seen::Taken) => {
                    session.note(&self).await;
                    reader = None;
                }
                Some(Seen::Other) => reader = None,
            }
            if pieces.send(data).await.is_err() {
                return;
            }
        }
    }
}

/// What was seen of the answer.
enum Seen {
    Nothing,
    Taken,
    /// An error, or nothing that can be read.
    Other,
}

fn look(reader: &mut sse::Reader, data: &[u8], id: u64) -> Seen {
    reader.feed(data);
    loop {
        let event = match reader.next_event() {
            Ok(Some(event)) => event,
            Ok(None) => return Seen::Nothing,
            Err(_) => return Seen::Other,
        };
        match event.data.as_ref().and_then(|data| result_in(data, id)) {
            Some(Some(_)) => return Seen::Taken,
            Some(None) => return Seen::Other,
            None => {}
        }
    }
}

// === impl Session ===

impl Session {
    async fn note(&self, wish: &Wish) {
        let noted = match wish {
            Wish::Level(level) => self.set_log_level(level).await,
            Wish::Subscribe(uri) => self.subscribe(uri).await,
            Wish::Unsubscribe(uri) => self.unsubscribe(uri).await,
        };
        if let Err(error) = noted {
            tracing::warn!(error = %error, "what a host set is forgotten with this node");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
