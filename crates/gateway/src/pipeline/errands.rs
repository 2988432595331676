//! What goes with a request on its way through the corridor, and what may still refuse it there.

use std::sync::Arc;
use std::time::Duration;

use portreeve_access::network;
use portreeve_core::caller::Principal;
use portreeve_core::ports::{RateLimit, StateError};
use portreeve_core::protocol::Era;
use portreeve_mcp::bridge::Wanted;
use portreeve_mcp::method::Method;

use super::Gateway;
use crate::accept::head::Head;
use crate::accept::inbound::{Call, Inbound};
use crate::accept::ladder;
use crate::authenticate::Identified;
use crate::relay::Errand;
use crate::respond::Refusal;
use crate::route::ServedRoute;
use crate::session::Session;
use crate::translate;

/// Sessions of somebody whom no grant names: at once, and then one more in this time.
const STRANGERS: RateLimit = RateLimit {
    interval: Duration::from_secs(1),
    burst: 60,
};

impl Gateway {
    pub(crate) fn errand(
        self: &Arc<Self>,
        route: &Arc<ServedRoute>,
        who: &Identified,
        inbound: &Inbound,
    ) -> Errand {
        let (era, method, host_id, session) = match inbound {
            Inbound::Call(call) => (
                call.era,
                Some(call.method),
                Some(call.id.clone()),
                call.session.clone(),
            ),
            Inbound::Note(note) => (note.era, None, None, note.session.clone()),
            Inbound::Listen(session) | Inbound::End(session) => {
                (Era::Legacy, None, None, Some(Arc::clone(session)))
            }
            Inbound::Connect | Inbound::Batch(_) => (Era::Legacy, None, None, None),
        };
        Errand {
            gateway: Arc::clone(self),
            route: Arc::clone(route),
            caller: who.caller.clone(),
            allowed: who.allowed_above.clone(),
            from: who.from,
            era,
            hop: route.hop(era),
            method,
            host_id,
            session,
            under_way: None,
            crossing: None,
            lease: None,
            belonging: None,
            exchange: None,
            tasks: None,
            copying: None,
            wanted: None,
        }
    }

    /// Counts a greeting without a credential.
    pub(super) async fn count_greeting(&self, is_hello: bool, errand: &Errand) -> Result<(), Refusal> {
        if is_hello && errand.caller.principal == Principal::Anonymous {
            self.count_stranger(errand).await?;
        }
        Ok(())
    }

    /// Counts a session of somebody who needs no grant for it, since each writes a row: who has no credential counts by
    /// address.
    pub(super) async fn count_stranger(&self, errand: &Errand) -> Result<(), Refusal> {
        let whose = match (errand.caller.principal, errand.from) {
            (Principal::Anonymous, Some(from)) => network(from),
            (principal, _) => principal.to_string(),
        };
        let key = format!("stranger_session/{whose}");
        match self.loader.counters().take(&key, STRANGERS, 1).await {
            Ok(decision) if decision.allowed => Ok(()),
            Ok(decision) => Err(Refusal::Limited {
                retry_after: decision.retry_after,
                reason: "sessions of callers without a grant".to_owned(),
            }),
            Err(StateError(reason)) => {
                tracing::error!(reason, "the sessions of strangers cannot be counted");
                Err(Refusal::StateAway)
            }
        }
    }
}

impl Errand {
    /// Whether the route still leads where this session was opened, and in the same era.
    pub(super) fn is_route_of(&self, session: &Session) -> bool {
        session.hop == self.hop
            && (session.hop == Era::Modern || session.server.as_deref() == self.route.server_mark())
    }

    /// Takes the route as it is now, unless it lets other callers in than the one by which this caller was let in.
    pub(super) fn take_again(&mut self, route: Option<Arc<ServedRoute>>) {
        let known = &self.route.route;
        let alike = |now: &Arc<ServedRoute>| now.route.id == known.id && now.route.access == known.access;
        if let Some(route) = route.filter(alike) {
            self.hop = route.hop(self.era);
            self.route = route;
        }
    }

    /// Notes what a stream is opened for, and what the state belongs to that a call may give.
    pub(super) fn looks_into(&mut self, call: &Call) {
        if self.method == Some(Method::Listen) {
            self.wanted = Wanted::read(&call.body).map(Arc::new);
        }
        if self.era == Era::Modern && self.gives_states() {
            self.belonging = translate::Belonging::of(call).map(Arc::new);
        }
    }

    /// What may still refuse a call that is permitted, before an approval of it is used up.
    pub(super) fn admits(&self, head: &Head, call: &Call) -> Result<(), Refusal> {
        if self.session.as_ref().is_some_and(|session| session.stranger) {
            // Opened before the caller was granted anything: the host must begin anew, now with the server itself.
            return Err(Refusal::SessionUnknown);
        }
        match self.era {
            Era::Modern => ladder::arguments_agree(head, call, &self.route),
            Era::Legacy => Ok(()),
        }
    }
}
