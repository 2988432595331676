//! Where a tap leads: a legacy server's stream of a session, or a modern server's subscription.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use portreeve_client::{ClientError, Reply, ReplyBody};
use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::bridge::{Client, Wanted};
use portreeve_net::ResponseBody;

use super::PATIENCE;
use crate::relay::Errand;
use crate::upstream::{self, OwnSession};

/// A stream that is being opened. `None`: there is none just now.
pub(super) type Opening = Pin<Box<dyn Future<Output = Option<ResponseBody>> + Send>>;

/// The server's side of a tap.
pub(super) enum Wire {
    /// It is being opened.
    Opening(Opening),
    /// It is open.
    Open(ResponseBody),
}

/// What a server is told of the host.
#[derive(Debug, Clone)]
pub struct Hello {
    /// Its capabilities, JSON.
    pub capabilities: String,
    /// Its name and version, JSON.
    pub info: Option<String>,
}

/// Where news come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A legacy server, in a session of the tap's own.
    Legacy(Arc<OwnSession>),
    /// A modern server, which is asked in the words of who came first.
    Modern(Arc<(Errand, Hello)>),
    /// A server that says nothing unasked.
    Silent,
}

// === impl Source ===

impl Source {
    /// Asks the server for the first time.
    pub(super) async fn begin(
        errand: &Errand,
        wanted: Wanted,
        hello: Hello,
    ) -> Result<(Self, Option<Wire>), ClientError> {
        if errand.hop == Era::Modern {
            return Self::begin_modern(errand, wanted, hello).await;
        }
        let gateway = &errand.gateway;
        let hello = (hello.capabilities, hello.info);
        let own = OwnSession::open(&gateway.egress, &errand.route, &gateway.pool, hello).await?;
        let source = Self::Legacy(Arc::new(own));
        let stream = tokio::time::timeout(PATIENCE, source.asked(Wanted::default())).await;
        match stream {
            // It may still come: it is asked for again.
            Err(_) => Ok((
                source.clone(),
                Some(Wire::Opening(source.open(wanted, Duration::ZERO))),
            )),
            Ok(reply) => {
                let reply = reply?;
                let is_away = is_away(reply.status);
                match stream_of(reply) {
                    Some(body) => Ok((source, Some(Wire::Open(body)))),
                    // It may have one later.
                    None if is_away => {
                        let opening = source.open(wanted, PATIENCE);
                        Ok((source, Some(Wire::Opening(opening))))
                    }
                    // A server without such streams tells nothing.
                    None => Ok((Self::Silent, None)),
                }
            }
        }
    }

    async fn begin_modern(
        errand: &Errand,
        wanted: Wanted,
        hello: Hello,
    ) -> Result<(Self, Option<Wire>), ClientError> {
        let source = Self::Modern(Arc::new((errand.for_all(), hello)));
        let reply = tokio::time::timeout(PATIENCE, source.asked(wanted)).await;
        let reply = reply.map_err(|_| ClientError::Timeout(PATIENCE.as_secs()))??;
        if is_away(reply.status) {
            let status = reply.status.as_u16();
            return Err(ClientError::Status { status, reason: None });
        }
        match stream_of(reply) {
            Some(body) => Ok((source, Some(Wire::Open(body)))),
            // It has no subscriptions, so it says nothing unasked.
            None => Ok((Self::Silent, None)),
        }
    }

    /// Opens the server's stream after a pause.
    pub(super) fn open(&self, wanted: Wanted, pause: Duration) -> Opening {
        let source = self.clone();
        Box::pin(async move {
            tokio::time::sleep(pause).await;
            stream_of(source.asked(wanted).await.ok()?)
        })
    }

    async fn asked(&self, wanted: Wanted) -> Result<Reply, ClientError> {
        match self {
            Self::Legacy(own) => own.listen(&wanted.resource_subscriptions).await,
            Self::Modern(asking) => {
                let (errand, hello) = &**asking;
                let client = Client {
                    capabilities: &hello.capabilities,
                    info: hello.info.as_deref(),
                    level: None,
                    version: Revision::V2026_07_28.as_str(),
                };
                let body = wanted.request(errand.gateway.pool.next_id(), client);
                upstream::subscribe(errand, body.into()).await
            }
            Self::Silent => Err(ClientError::NotMcp("the server has no such stream".to_owned())),
        }
    }

    /// Whether the server must be asked anew when other things are wanted.
    pub(super) const fn is_asked_at_once(&self) -> bool {
        matches!(self, Self::Modern(_))
    }
}

/// Whether an answer says nothing of what the server has: it cannot, or does not want to, just now.
fn is_away(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 401 | 403 | 429)
}

/// The stream in a reply.
fn stream_of(reply: Reply) -> Option<ResponseBody> {
    match reply.body {
        ReplyBody::Events(body) if reply.status.is_success() => Some(body),
        _ => None,
    }
}

impl Errand {
    /// The same for all the streams of its caller.
    fn for_all(&self) -> Self {
        Self {
            session: None,
            host_id: None,
            wanted: None,
            ..self.clone()
        }
    }
}
