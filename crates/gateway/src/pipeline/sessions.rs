//! The corridor's part in what outlives a request: the tasks of the modern era, and legacy sessions, which begin with the
//! answer to `initialize` and end when nobody used them for long.

use std::sync::Arc;

use http::Response;
use portreeve_core::protocol::Era;
use portreeve_mcp::method::Method;

use super::Gateway;
use crate::accept::inbound::Call;
use crate::record::{Record, Stopped, stop};
use crate::relay::Errand;
use crate::respond::{self, Body, Refusal};
use crate::session::{NewSession, Session};
use crate::stranger;
use crate::tasks::{InHand, Owner};
use crate::upstream;

/// With whom a session is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opened {
    WithServer,
    AsStranger,
}

impl Gateway {
    /// Tells the host its new session. Where the server refused the handshake there is none, and nothing that would
    /// count against the caller's sessions.
    pub(super) fn hand_over(
        &self,
        session: &Session,
        answered: Result<Response<Body>, Stopped>,
    ) -> Result<Response<Body>, Stopped> {
        match answered {
            // A stream is still to come; whether it agrees on a version is not known yet.
            Ok(mut response) if session.version().is_some() || respond::is_stream(&response) => {
                respond::put(
                    response.headers_mut(),
                    portreeve_mcp::header::SESSION_ID,
                    &session.id,
                );
                Ok(response)
            }
            refused => {
                self.end_session(session);
                refused
            }
        }
    }

    pub(super) fn open_session(
        &self,
        errand: &Errand,
        upstream: Option<String>,
        opened: Opened,
    ) -> Result<Arc<Session>, Refusal> {
        let session = self.sessions.open(NewSession {
            principal: errand.caller.principal,
            route: errand.route.route.id,
            upstream,
            stranger: opened == Opened::AsStranger,
            hop: errand.hop,
        })?;
        self.count_sessions();
        Ok(session)
    }

    /// Answers a caller who was granted nothing here.
    pub(super) fn as_stranger(
        &self,
        call: &Call,
        errand: &Errand,
        mut record: Record,
    ) -> Result<Response<Body>, Stopped> {
        record.stranger();
        let mut response = stranger::answer(call);
        if call.method == Method::Initialize {
            match self.open_session(errand, None, Opened::AsStranger) {
                Ok(session) => respond::put(
                    response.headers_mut(),
                    portreeve_mcp::header::SESSION_ID,
                    &session.id,
                ),
                Err(refusal) => return Err(stop(refusal.about(&call.id), record)),
            }
        }
        match record.journal(response.status().as_u16()) {
            Ok(()) => Ok(response),
            Err(refusal) => Err(stop(refusal, record)),
        }
    }

    fn count_sessions(&self) {
        let open = i64::try_from(self.sessions.len()).unwrap_or(i64::MAX);
        self.sinks.metrics.sessions.set(open);
    }

    /// What a modern request has to do with tasks, whose identities become the server's own.
    pub(super) fn look_for_tasks(
        &self,
        call: &mut Call,
        errand: &mut Errand,
        record: &mut Record,
    ) -> Result<(), Refusal> {
        if call.era == Era::Legacy {
            return Ok(());
        }
        if errand.hop == Era::Legacy {
            // What legacy servers call tasks begins and ends in other ways.
            let is_about_one = matches!(
                call.method,
                Method::GetTask | Method::UpdateTask | Method::CancelTask
            );
            return match is_about_one {
                true => Err(Refusal::MethodNotFound {
                    id: Some(call.id.clone()),
                    era: Era::Modern,
                    method: call.method.as_str().to_owned(),
                }),
                false => Ok(()),
            };
        }
        let owner = Owner {
            caller: &errand.caller,
            route: &errand.route,
        };
        let in_hand = self.tasks.take(call, owner)?;
        if let Some(tool) = in_hand.as_ref().and_then(InHand::tool) {
            record.is_about(tool);
        }
        errand.tasks = in_hand.map(Arc::new);
        Ok(())
    }

    /// Ends the session of a request if the server is spoken to in another era than when it was opened: the server knows
    /// nothing of it then, or was never told who its host is. The host begins anew.
    pub(super) fn outlived(&self, errand: &Errand) -> Option<Refusal> {
        let session = errand.session.as_ref()?;
        if session.stranger || session.hop == errand.hop {
            return None;
        }
        self.end_session(session);
        Some(match &errand.host_id {
            Some(id) => Refusal::SessionUnknown.about(id),
            None => Refusal::SessionUnknown,
        })
    }

    /// Forgets a session.
    pub(crate) fn end_session(&self, session: &Session) {
        self.sessions.end(session);
        self.count_sessions();
    }

    /// Ends sessions that nobody used for long, and tells their servers.
    pub async fn sweep_sessions(&self) {
        self.sweep_pool();
        for session in self.sessions.sweep() {
            let routes = self.loader.routes();
            let route = routes
                .by_slug
                .values()
                .find(|route| route.route.id == session.route);
            if let Some(route) = route.filter(|_| session.upstream.is_some())
                && let Err(error) = upstream::end(&self.egress, route, &session).await
            {
                tracing::debug!(error = %error, "the upstream did not take the end of a session");
            }
        }
        self.count_sessions();
    }
}
