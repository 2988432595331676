//! The corridor's part in legacy sessions: they begin with the answer to `initialize`, are read where a host comes with
//! one that this node does not know, and end when nobody used them for long.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::Response;
use portreeve_client::Reply;
use portreeve_core::caller::Caller;
use portreeve_mcp::header;
use portreeve_mcp::method::Method;

use super::Gateway;
use crate::accept::head::Head;
use crate::accept::inbound::{Call, Note};
use crate::record::{Record, Stopped, stop};
use crate::relay::Errand;
use crate::respond::{self, Body, Refusal};
use crate::route::ServedRoute;
use crate::session::{NewSession, Session};
use crate::{stranger, upstream};

/// Servers that are told at once that a session is over.
const TOLD_AT_ONCE: usize = 16;
/// Time for that, each minute: a server that does not listen forgets a session by itself.
const TELLING: Duration = Duration::from_secs(30);

/// With whom a session is opened.
#[derive(Debug)]
enum Opened {
    WithServer {
        /// The server's id.
        upstream: Option<String>,
        /// The host's `initialize`.
        hello: Bytes,
    },
    AsStranger,
}

impl Gateway {
    /// Reads the session that a request names into memory, where another node opened it, or this one before a restart.
    pub(super) async fn bring_session(
        &self,
        head: &Head,
        caller: &Caller,
        route: &ServedRoute,
    ) -> Result<(), Refusal> {
        match head.text(header::SESSION_ID) {
            Some(id) => self.sessions.bring(id, caller.principal, route.route.id).await,
            None => Ok(()),
        }
    }

    /// Tells the host its new session. Where the server refused the handshake there is none, and nothing that would
    /// count against the caller's sessions.
    pub(super) fn hand_over(
        &self,
        session: &Session,
        answered: Result<Response<Body>, Stopped>,
    ) -> Result<Response<Body>, Stopped> {
        match answered {
            Ok(mut response) if session.is_kept() => {
                respond::put(response.headers_mut(), header::SESSION_ID, &session.id);
                Ok(response)
            }
            refused => {
                self.end_session(session);
                refused
            }
        }
    }

    /// Opens the session that an `initialize` begins which the server took, and makes it the one of the errand.
    pub(super) fn begin_session(
        &self,
        errand: &mut Errand,
        reply: &Reply,
        hello: Option<Bytes>,
    ) -> Result<Option<Arc<Session>>, Refusal> {
        let Some(hello) = hello.filter(|_| reply.status.is_success()) else {
            return Ok(None);
        };
        let upstream = reply.session.clone();
        let session = self.open_session(errand, Opened::WithServer { upstream, hello })?;
        errand.session = Some(Arc::clone(&session));
        Ok(Some(session))
    }

    /// Opens a session in memory. Its host learns of it once it is kept.
    fn open_session(&self, errand: &Errand, opened: Opened) -> Result<Arc<Session>, Refusal> {
        let stranger = matches!(opened, Opened::AsStranger);
        let (upstream, hello) = match opened {
            Opened::WithServer { upstream, hello } => (upstream, hello),
            Opened::AsStranger => (None, Bytes::new()),
        };
        self.sessions.open(NewSession {
            principal: errand.caller.principal,
            route: errand.route.route.id,
            upstream,
            stranger,
            hop: errand.hop,
            server: errand.route.server_mark().map(str::to_owned),
            hello,
        })
    }

    /// Opens a session and keeps it.
    async fn open_kept(&self, errand: &Errand, opened: Opened) -> Result<Arc<Session>, Refusal> {
        let session = self.open_session(errand, opened)?;
        if session.keep().await.is_err() {
            self.end_session(&session);
            return Err(Refusal::SessionsAway);
        }
        Ok(session)
    }

    /// Opens a session for somebody who was granted nothing.
    async fn open_for_stranger(&self, errand: &Errand) -> Result<Arc<Session>, Refusal> {
        self.count_stranger(errand).await?;
        self.open_kept(errand, Opened::AsStranger).await
    }

    /// Answers a caller who was granted nothing here.
    pub(super) async fn as_stranger(
        &self,
        call: &Call,
        errand: &Errand,
        mut record: Record,
    ) -> Result<Response<Body>, Stopped> {
        record.stranger();
        let mut response = stranger::answer(call);
        if call.method == Method::Initialize {
            match self.open_for_stranger(errand).await {
                Ok(session) => respond::put(response.headers_mut(), header::SESSION_ID, &session.id),
                Err(refusal) => return Err(stop(refusal.about(&call.id), record)),
            }
        }
        match record.journal(response.status().as_u16()) {
            Ok(()) => Ok(response),
            Err(refusal) => Err(stop(refusal, record)),
        }
    }

    /// Ends the session of a request if the server is another one than when it was opened, or is spoken to in another era:
    /// the server knows nothing of it then, or was never told who its host is. The host begins anew. A modern server knows
    /// of no session wherever it is.
    ///
    /// Another node may have opened it by a route that this one has not read yet, so nothing is ended before the route was
    /// read again; a route that changed meanwhile is the one that the request takes.
    pub(super) async fn outlived(&self, errand: &mut Errand) -> Option<Refusal> {
        let session = Arc::clone(errand.session.as_ref()?);
        if session.stranger || errand.is_route_of(&session) {
            return None;
        }
        if self.loader.load().await.is_err() {
            return Some(Refusal::SessionsAway);
        }
        errand.take_again(self.loader.find(errand.route.route.slug.as_str()));
        // The request was let in by what was read before.
        if let Err(refusal) = self.loader.require_open(&errand.route) {
            return Some(match &errand.host_id {
                Some(id) => refusal.about(id),
                None => refusal,
            });
        }
        if errand.is_route_of(&session) {
            return None;
        }
        self.end_session(&session);
        Some(match &errand.host_id {
            Some(id) => Refusal::SessionUnknown.about(id),
            None => Refusal::SessionUnknown,
        })
    }

    /// Ends a session, here at once and elsewhere as soon as it is written.
    pub(crate) fn end_session(&self, session: &Session) {
        self.sessions.end(session);
    }

    /// Ends a session on every node before it returns.
    pub(crate) async fn close_session(&self, session: &Arc<Session>) -> Result<(), Refusal> {
        self.sessions
            .close(session)
            .await
            .map_err(|_| Refusal::SessionsAway)
    }

    /// Looks after the sessions of this node, removes those that nobody used for long, and tells their servers.
    pub async fn sweep_sessions(&self) {
        self.sweep_pool();
        let removed = self.sessions.tend().await;
        let routes = self.loader.routes();
        let told = stream::iter(removed).for_each_concurrent(TOLD_AT_ONCE, |session| {
            let mut all = routes.by_slug.values();
            let route = all.find(|route| route.route.id == session.route).cloned();
            async move {
                if let Some(route) = route.filter(|_| session.upstream().is_some())
                    && let Err(error) = upstream::end(&self.egress, &route, &session).await
                {
                    tracing::debug!(error = %error, "the upstream did not take the end of a session");
                }
            }
        });
        if tokio::time::timeout(TELLING, told).await.is_err() {
            tracing::debug!("not every upstream was told in time that a session is over");
        }
    }
}

impl Errand {
    /// Makes the session durable that begins with this answer, before the host can learn of it.
    pub(crate) async fn keep_session(&self) -> Result<(), Refusal> {
        match &self.session {
            Some(session) if self.method == Some(Method::Initialize) && session.version().is_some() => {
                session.keep().await.map_err(|_| Refusal::SessionsAway)
            }
            _ => Ok(()),
        }
    }
}

/// A host's answer may come to another node than the server's request went through.
pub(super) async fn learn_question(note: &Note) {
    if let (None, Some(answers), Some(session)) = (&note.method, &note.answers, &note.session) {
        session.learn_server_request(answers.get()).await;
    }
}
