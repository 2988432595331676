//! A session with a legacy server that nobody else has, for one subscription of a modern host: its stream, and the
//! resources whose changes come on it.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use portreeve_client::{ClientError, Reply};
use portreeve_mcp::envelope::{Message, Outcome};
use portreeve_mcp::{answer, code};
use portreeve_net::Egress;
use serde_json::json;
use serde_json::value::RawValue;

use super::lease::{Answers, end, in_session, said_briefly, tell};
use super::pool::{Pool, ServerSession};
use crate::route::ServedRoute;

/// A session of its own; over when dropped.
pub struct OwnSession {
    egress: Egress,
    route: Arc<ServedRoute>,
    pool: Arc<Pool>,
    capabilities: String,
    info: Option<String>,
    /// The present one: a server may forget it, and is introduced to again.
    session: Mutex<Arc<ServerSession>>,
    answers: Answers,
}

impl std::fmt::Debug for OwnSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnSession")
            .field("route", &self.route.route.slug)
            .finish_non_exhaustive()
    }
}

// === impl OwnSession ===

impl OwnSession {
    /// Opens one.
    pub async fn open(
        egress: &Egress,
        route: &Arc<ServedRoute>,
        pool: &Arc<Pool>,
        (capabilities, info): (String, Option<String>),
    ) -> Result<Self, ClientError> {
        let session = opened(egress, route, pool, (&capabilities, info.as_deref())).await?;
        Ok(Self {
            egress: egress.clone(),
            route: Arc::clone(route),
            pool: Arc::clone(pool),
            capabilities,
            info,
            session: Mutex::new(session),
            answers: Answers::default(),
        })
    }

    fn present(&self) -> Arc<ServerSession> {
        Arc::clone(&self.session.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the server answered to `initialize`.
    pub fn initialized(&self) -> Bytes {
        self.present().initialized.clone()
    }

    /// Subscribes to resources. Says to which the server agreed.
    pub async fn subscribe(&self, uris: &[String]) -> Vec<String> {
        let session = self.present();
        let mut agreed = Vec::new();
        for uri in uris {
            if self.agrees(&session, uri).await {
                agreed.push(uri.clone());
            }
        }
        agreed
    }

    async fn agrees(&self, session: &ServerSession, uri: &str) -> bool {
        let Ok(server) = self.route.server() else {
            return false;
        };
        let id = self.pool.next_id();
        let body = answer::request(Some(id), "resources/subscribe", json!({"uri": uri}));
        let Ok(reply) = server.post(&self.egress, in_session(session), body.into()).await else {
            return false;
        };
        let is_success = reply.status.is_success();
        let answers = said_briefly(reply.body, id).await.unwrap_or_default();
        let is_result = |message: &Bytes| {
            matches!(
                Message::parse(message),
                Ok(Message::Response {
                    outcome: Outcome::Result(_),
                    ..
                })
            )
        };
        is_success && is_result(&answers)
    }

    /// Takes the subscription to a resource back, as it goes.
    pub async fn unsubscribe(&self, uri: &str) {
        let body = answer::request(
            Some(self.pool.next_id()),
            "resources/unsubscribe",
            json!({"uri": uri}),
        );
        tell(&self.egress, &self.route, &self.present(), body.into()).await;
    }

    /// Opens the stream of the session; in a new session, with the same subscriptions, where the server forgot it.
    pub async fn listen(&self, uris: &[String]) -> Result<Reply, ClientError> {
        let server = self.route.server()?;
        let session = self.present();
        let reply = server.listen(&self.egress, in_session(&session)).await?;
        // Some servers say 400 of a session that they forgot; 405 says that they have no such streams.
        let may_be_lost = reply.status.is_client_error() && reply.status != StatusCode::METHOD_NOT_ALLOWED;
        if !may_be_lost || session.id.is_none() {
            return Ok(reply);
        }
        let hello = (self.capabilities.as_str(), self.info.as_deref());
        let fresh = opened(&self.egress, &self.route, &self.pool, hello).await?;
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        self.subscribe(uris).await;
        server.listen(&self.egress, in_session(&fresh)).await
    }

    /// Answers a request of the server: nobody can be asked on a subscription.
    pub fn answer_server(self: &Arc<Self>, method: &str, id: &RawValue) {
        let body = match method {
            "ping" => answer::result(id, json!({})),
            _ => answer::error(Some(id), code::METHOD_NOT_FOUND, "Method not found", None),
        };
        let own = Arc::clone(self);
        self.answers
            .give(async move { tell(&own.egress, &own.route, &own.present(), body.into()).await });
    }
}

impl Drop for OwnSession {
    fn drop(&mut self) {
        let session = self.present();
        if let (Some(_), Ok(runtime)) = (&session.id, tokio::runtime::Handle::try_current()) {
            let (egress, route) = (self.egress.clone(), Arc::clone(&self.route));
            runtime.spawn(async move { end(&egress, &route, &session).await });
        }
    }
}

async fn opened(
    egress: &Egress,
    route: &ServedRoute,
    pool: &Pool,
    hello: (&str, Option<&str>),
) -> Result<Arc<ServerSession>, ClientError> {
    pool.open(egress, route.server()?, hello).await
}
