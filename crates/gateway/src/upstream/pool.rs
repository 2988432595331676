//! Sessions with legacy servers for hosts that have none of their own, those of the modern era: kept for those who are
//! alike in everything that a server may answer by, and opened once however many come at the same time.
//!
//! Before: `translate` found that the server speaks the other era. After: `lease` says what becomes of a session when a
//! request is over.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use portreeve_client::{ClientError, Connection, Upstream};
use portreeve_core::caller::Principal;
use portreeve_core::id::RouteId;
use portreeve_core::limits::Limits;
use portreeve_core::time::{Clock, Timestamp};
use portreeve_net::Egress;
use serde_json::Value;
use tokio::sync::{OnceCell, oneshot};

use super::lease::end_at;

/// The sessions of a node with legacy servers.
pub struct Pool {
    open: Mutex<HashMap<Alike, Place>>,
    next_id: AtomicU64,
    limits: Arc<Limits>,
    clock: Arc<dyn Clock>,
}

/// Who may share a session: a server may show one caller other things than another, and other things to a host that can
/// do more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alike {
    /// The route, with its credential.
    pub route: RouteId,
    /// Where it leads: a route may be moved.
    pub url: String,
    /// The caller.
    pub principal: Principal,
    /// What the host declared, in one order.
    pub capabilities: String,
}

/// Where a session is, or will be.
#[derive(Debug, Clone)]
struct Place {
    session: Shared,
    used: Timestamp,
}

/// A session that is opened once.
pub type Shared = Arc<OnceCell<Arc<ServerSession>>>;

/// A session with a legacy server.
#[derive(Debug)]
pub struct ServerSession {
    /// The server's id; `None` when it keeps no sessions.
    pub id: Option<String>,
    /// The version that was agreed on.
    pub version: String,
    /// What it answered to `initialize`.
    pub initialized: Bytes,
    /// What it says about itself, an object as it was written.
    pub server: Option<String>,
}

// === impl Place ===

impl Place {
    /// Whether a request is under way in the session.
    fn is_in_use(&self) -> bool {
        self.session
            .get()
            .is_some_and(|session| Arc::strong_count(session) > 1)
    }
}

// === impl Pool ===

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pool")
    }
}

impl Pool {
    /// None open yet.
    pub fn new(clock: Arc<dyn Clock>, limits: Arc<Limits>) -> Self {
        Self {
            open: Mutex::default(),
            next_id: AtomicU64::new(1),
            limits,
            clock,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Alike, Place>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An id of ours: no two requests of a node have the same, so none that share a session.
    pub fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// How long a session may take to be opened.
    pub fn patience(&self) -> Duration {
        self.limits.probe
    }

    /// The place of the session for hosts that are alike. When all places are taken, of the node or of the caller, the one
    /// that rested longest is let go: its server ends it by itself.
    pub fn place(&self, alike: &Alike) -> Shared {
        let now = self.clock.now();
        let mut open = self.lock();
        if let Some(place) = open.get_mut(alike) {
            place.used = now;
            return Arc::clone(&place.session);
        }
        let is_callers = |known: &Alike| known.principal == alike.principal;
        let of_caller = open.keys().filter(|known| is_callers(known)).count();
        let too_many = of_caller >= self.limits.sessions_per_caller;
        if too_many || open.len() >= self.limits.pooled_sessions {
            let known = open.iter().filter(|(known, _)| !too_many || is_callers(known));
            let oldest = known.min_by_key(|(_, place)| (place.is_in_use(), place.used));
            if let Some(oldest) = oldest.map(|(alike, _)| alike.clone()) {
                open.remove(&oldest);
            }
        }
        let session = Shared::default();
        let place = Place {
            session: Arc::clone(&session),
            used: now,
        };
        open.insert(alike.clone(), place);
        session
    }

    /// Forgets a session that its server does not know any more. Whoever comes next opens one, once.
    pub fn forget(&self, alike: &Alike, lost: &Shared) {
        let mut open = self.lock();
        let is_there = open
            .get(alike)
            .is_some_and(|place| Arc::ptr_eq(&place.session, lost));
        if is_there {
            open.remove(alike);
        }
    }

    /// Lets go of sessions that were not used for long, and gives back those that their servers keep.
    pub fn sweep(&self) -> Vec<(RouteId, Arc<ServerSession>)> {
        let limit = self.clock.now().minus(self.limits.pooled_idle);
        let mut old = Vec::new();
        self.lock().retain(|alike, place| {
            let stays = place.used >= limit || place.is_in_use();
            if let Some(session) = place.session.get().filter(|_| !stays) {
                old.push((alike.route, Arc::clone(session)));
            }
            stays
        });
        old.retain(|(_, session)| session.id.is_some());
        old
    }

    /// Opens a session with a server. A host that goes away meanwhile does not break off in the middle: what is open then
    /// is ended, or the server would keep it.
    pub async fn open(
        &self,
        egress: &Egress,
        server: &Upstream,
        (capabilities, info): (&str, Option<&str>),
    ) -> Result<Arc<ServerSession>, ClientError> {
        let read = |text: &str| serde_json::from_str::<Value>(text).ok();
        let hello = (read(capabilities).unwrap_or_default(), info.and_then(read));
        let (egress, server, limits) = (egress.clone(), server.clone(), Arc::clone(&self.limits));
        let (wanted, waiting) = oneshot::channel();
        tokio::spawn(async move {
            let opened = opened(&egress, &server, &limits, hello).await;
            if let Err(Ok(unwanted)) = wanted.send(opened) {
                end_at(&egress, &server, &unwanted).await;
            }
        });
        let broken = |_| ClientError::NotMcp("the handshake was given up".to_owned());
        waiting.await.map_err(broken)?
    }
}

async fn opened(
    egress: &Egress,
    server: &Upstream,
    limits: &Limits,
    hello: (Value, Option<Value>),
) -> Result<Arc<ServerSession>, ClientError> {
    let late = |_| ClientError::Timeout(limits.probe.as_secs());
    let opening = Connection::legacy_for(egress, server, limits, hello);
    let opened = tokio::time::timeout(limits.probe, opening).await;
    let (connection, result) = opened.map_err(late)??;
    let session = Arc::new(ServerSession {
        id: connection.session().map(str::to_owned),
        version: connection.version().to_owned(),
        server: connection.server_info().map(str::to_owned),
        initialized: Bytes::from(result.get().to_owned()),
    });
    let limit = limits.handshake_bytes;
    if session.initialized.len() > limit {
        end_at(egress, server, &session).await;
        let reason = format!("its answer to `initialize` has more than {limit} bytes");
        return Err(ClientError::NotMcp(reason));
    }
    Ok(session)
}

#[cfg(test)]
mod tests;
