//! Where news come from, and for whom: a legacy server's stream of a session, or a modern server's subscription.

use std::sync::Arc;
use std::time::Duration;

use portreeve_client::{ClientError, Reply, ReplyBody};
use portreeve_core::protocol::Revision;
use portreeve_mcp::bridge::{self, Client, Wanted};
use portreeve_net::ResponseBody;
use serde_json::value::RawValue;
use tokio::sync::watch;

use super::{News, Opening, for_host};
use crate::relay::Errand;
use crate::session::Session;
use crate::upstream::{self, OwnSession};

/// Where news come from.
#[derive(Debug)]
pub enum Source {
    /// A legacy server, in a session of the subscription's own.
    Legacy {
        /// The session.
        own: Arc<OwnSession>,
        /// What the host is told.
        wanted: Wanted,
    },
    /// A modern server.
    Modern {
        /// The host's session, which knows the resources that it wants to be told of.
        session: Arc<Session>,
        /// Says that these are others now.
        changes: watch::Receiver<u64>,
    },
}

// === impl Source ===

impl Source {
    /// Whether there is nothing to hear.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self, Self::Legacy { wanted, .. } if *wanted == Wanted::default())
    }

    /// Opens the server's stream after a pause. `None`: there is none just now.
    pub(super) fn open(&self, errand: &Errand, pause: Duration) -> Opening {
        match self {
            Self::Legacy { own, wanted } => {
                let (own, uris) = (Arc::clone(own), wanted.resource_subscriptions.clone());
                Box::pin(async move {
                    tokio::time::sleep(pause).await;
                    News::stream_of(own.listen(&uris).await.ok()?)
                })
            }
            Self::Modern { session, .. } => {
                let (errand, session) = (errand.clone(), Arc::clone(session));
                Box::pin(async move {
                    tokio::time::sleep(pause).await;
                    News::stream_of(News::subscribe(&errand, &session).await.ok()?)
                })
            }
        }
    }

    /// Waits until the host wants to be told of other things.
    pub(super) async fn changed(&mut self) {
        if let Self::Modern { changes, .. } = self
            && changes.changed().await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }

    /// What may have been missed while there was no stream.
    pub(super) fn missed(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Legacy { wanted, .. } => wanted.notifications(),
            Self::Modern { session, .. } => wishes(session).notifications(),
        }
    }

    /// A notification of the server as the host gets it.
    pub(super) fn turn(&self, method: &str, data: &[u8], errand: &Errand) -> Option<Vec<u8>> {
        let is_wanted = match self {
            Self::Legacy { wanted, .. } => wanted.covers(method),
            Self::Modern { session, .. } => wishes(session).covers(method),
        };
        is_wanted.then(|| for_host(data, errand)).flatten()
    }

    /// A request of the server, which nobody is there to answer.
    pub(super) fn answer_server(&self, method: &str, id: &RawValue) {
        if let Self::Legacy { own, .. } = self {
            own.answer_server(method, id);
        }
    }

    /// What a host is told at the end.
    pub(super) fn last_words(&self, errand: &Errand) -> Option<Vec<u8>> {
        errand.host_id.as_deref().map(bridge::subscription_end)
    }
}

/// Everything that a modern server can tell, for a host that was promised it when its session began.
fn wishes(session: &Session) -> Wanted {
    Wanted {
        tools_list_changed: true,
        prompts_list_changed: true,
        resources_list_changed: true,
        resource_subscriptions: session.subscriptions().into_iter().collect(),
    }
}

// === impl News ===

impl News {
    /// Subscribes a legacy host's session to a modern server.
    pub async fn subscribe(errand: &Errand, session: &Session) -> Result<Reply, ClientError> {
        let declared = session.client_capabilities();
        let info = session.client_info();
        let client = Client {
            capabilities: &bridge::declared_to_modern(declared.as_deref().map_or("{}", RawValue::get)),
            info: info.as_deref().map(RawValue::get),
            level: None,
            version: Revision::V2026_07_28.as_str(),
        };
        let body = wishes(session).request(errand.gateway.pool.next_id(), client);
        upstream::subscribe(errand, body.into()).await
    }

    /// The stream in a reply.
    pub fn stream_of(reply: Reply) -> Option<ResponseBody> {
        match reply.body {
            ReplyBody::Events(body) if reply.status.is_success() => Some(body),
            _ => None,
        }
    }
}
