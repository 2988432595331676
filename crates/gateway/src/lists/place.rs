//! Where the copy of an answer has its place: what was asked, of whom, by whom. Before it: a request that is about to be
//! sent. After it: `copies.rs`.

use std::sync::{Arc, Mutex, PoisonError};

use portreeve_core::caller::Principal;
use portreeve_core::id::RouteId;
use portreeve_core::protocol::Era;
use portreeve_mcp::keeping;
use portreeve_mcp::method::Method;

use super::copies::{Copies, Key};
use super::flights::Flight;
use crate::relay::Errand;
use crate::route::ServedRoute;
use crate::translate::{Crossing, Outbound};
use crate::upstream::{Way, alike};

/// The longest part of a request that a copy is found by.
const ASKED_BYTES: usize = 8 * 1024;

/// A request, as far as it decides its answer.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Requested {
    route: RouteId,
    era: Era,
    method: Method,
    /// The session, where an answer may depend on it: what a host said of itself when it began decides what some servers
    /// list.
    session: Option<String>,
    asked: String,
}

/// The place of a copy, and the request that fills it.
#[derive(Debug)]
pub struct Place {
    requested: Arc<Requested>,
    route: Arc<ServedRoute>,
    /// `None`: somebody without a name.
    principal: Option<Principal>,
    /// Our id of the request on the server's hop, as it was written.
    id: String,
    /// What had changed when the server was asked. What changes meanwhile makes its answer old.
    turn: u64,
    flight: Mutex<Option<Flight>>,
}

// === impl Requested ===

impl Requested {
    pub(super) fn bytes(&self) -> usize {
        self.asked.len() + self.session.as_ref().map_or(0, String::len)
    }
}

// === impl Place ===

impl Place {
    /// The place of the answer to a request. `None`: of such an answer there is no copy.
    pub fn of(outbound: &Outbound, errand: &Errand) -> Option<Self> {
        let method = match (errand.hop, errand.method?) {
            // What a modern server is asked when a legacy host begins.
            (Era::Modern, Method::Initialize) => Method::Discover,
            (Era::Legacy, method) if !keeping::is_list(method) => return None,
            (_, method) => method,
        };
        let is_remote = matches!(errand.route.upstream, Way::Remote(_));
        let may_be = match errand.hop {
            Era::Modern => keeping::is_kept(method),
            Era::Legacy => errand.route.route.list_cache_ms > 0,
        };
        if !is_remote || !may_be {
            return None;
        }
        let asked = keeping::asked(&outbound.body).filter(|asked| asked.len() <= ASKED_BYTES)?;
        let principal = errand.caller.principal;
        let route = &errand.route;
        let requested = Requested {
            route: route.route.id,
            era: errand.hop,
            method,
            session: session(errand),
            asked,
        };
        let id = errand.id_on_the_hop()?;
        let copies = &errand.gateway.copies;
        Some(Self {
            requested: Arc::new(requested),
            route: Arc::clone(route),
            principal: (principal != Principal::Anonymous).then_some(principal),
            id,
            turn: copies.turn(route.route.id, method),
            flight: Mutex::default(),
        })
    }

    /// The same once more, after a while.
    pub(super) fn renewed(mut self, copies: &Copies) -> Self {
        self.turn = copies.turn(self.route.route.id, self.requested.method);
        self
    }

    pub(super) fn key(&self, whose: Option<Principal>) -> Key {
        Key {
            requested: Arc::clone(&self.requested),
            whose,
        }
    }

    pub(super) const fn route(&self) -> &Arc<ServedRoute> {
        &self.route
    }

    pub(super) fn method(&self) -> Method {
        self.requested.method
    }

    pub(super) fn era(&self) -> Era {
        self.requested.era
    }

    pub(super) const fn principal(&self) -> Option<Principal> {
        self.principal
    }

    pub(super) const fn turn(&self) -> u64 {
        self.turn
    }

    /// Our id of the request.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Others wait for this answer until it is here, or given up.
    pub(super) fn lead(&self, flight: Flight) {
        *self.flight.lock().unwrap_or_else(PoisonError::into_inner) = Some(flight);
    }

    /// It is here.
    pub fn landed(&self) {
        drop(self.flight.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// In which session a legacy server is asked.
fn session(errand: &Errand) -> Option<String> {
    match (errand.hop, errand.crossing.as_deref()) {
        (Era::Modern, _) => None,
        (Era::Legacy, Some(Crossing::ToLegacy(crossing))) => {
            Some(alike(&errand.route, errand.caller.principal, crossing).capabilities)
        }
        (Era::Legacy, _) => errand.session.as_ref().map(|session| session.id.clone()),
    }
}
