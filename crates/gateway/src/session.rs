//! Legacy sessions of this node: our own ids, bound to a caller and a route, each with its upstream side.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_core::caller::Principal;
use portreeve_core::id::RouteId;
use portreeve_core::limits::Limits;
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::time::{Clock, Timestamp};
use portreeve_mcp::method::Method;
use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::respond::Refusal;

/// One session.
#[derive(Debug)]
pub struct Session {
    /// Our id, which the host knows.
    pub id: String,
    /// Whose it is.
    pub principal: Principal,
    /// On which route.
    pub route: RouteId,
    /// The upstream's id; `None` when the upstream keeps no sessions.
    pub upstream: Option<String>,
    /// Opened with a caller who was granted nothing: no upstream side.
    pub stranger: bool,
    /// The era of the server's hop when it was opened.
    pub hop: Era,
    state: Mutex<State>,
    next_id: AtomicU64,
    used: AtomicI64,
    limit: usize,
}

#[derive(Debug, Default)]
struct State {
    version: Option<String>,
    /// Requests by our id on the upstream hop. Those that are over without an answer stay a while: it may still come
    /// on the session's own stream.
    pending: BTreeMap<u64, Pending>,
    /// Requests of the server that wait for the host's answer, by id as it was written.
    server_requests: HashSet<String>,
    /// Ends the present stream of the session when another one takes its place.
    stream: Option<watch::Sender<bool>>,
    /// What the host said of itself.
    host: HostSide,
}

/// What a host said of itself, for a server that wants to hear it with every request.
#[derive(Debug, Default)]
struct HostSide {
    capabilities: Option<Box<RawValue>>,
    info: Option<Box<RawValue>>,
    level: Option<String>,
    subscriptions: BTreeSet<String>,
}

/// A request that the host made.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The host's id as it was written.
    pub host_id: Box<RawValue>,
    /// What it asked for: what comes back is turned by this, whichever stream it comes on.
    pub method: Method,
    under_way: bool,
}

/// A request under way; over when dropped.
#[derive(Debug)]
pub struct UnderWay {
    session: Arc<Session>,
    /// Our id.
    pub id: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.session.leave(self.id);
    }
}

impl Session {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The negotiated version.
    pub fn version(&self) -> Option<String> {
        self.lock().version.clone()
    }

    /// Notes the negotiated version.
    pub fn set_version(&self, version: &str) {
        self.lock().version = Some(version.to_owned());
    }

    /// The capabilities that the host declared, as they were written.
    pub fn client_capabilities(&self) -> Option<Box<RawValue>> {
        self.lock().host.capabilities.clone()
    }

    /// What the host calls itself, as it was written. Unverified.
    pub fn client_info(&self) -> Option<Box<RawValue>> {
        self.lock().host.info.clone()
    }

    /// The level that the host set for log messages.
    pub fn log_level(&self) -> Option<String> {
        self.lock().host.level.clone()
    }

    /// Resources whose changes the host wants to be told.
    pub fn subscriptions(&self) -> BTreeSet<String> {
        self.lock().host.subscriptions.clone()
    }

    /// Notes what the host says of itself.
    pub fn introduce(&self, capabilities: Option<&str>, info: Option<&str>) {
        let raw = |text: Option<&str>| RawValue::from_string(text?.to_owned()).ok();
        let mut state = self.lock();
        state.host.capabilities = raw(capabilities);
        state.host.info = raw(info);
    }

    /// Notes the level that the host wants log messages of.
    pub fn set_log_level(&self, level: &str) {
        self.lock().host.level = Some(level.to_owned());
    }

    /// Notes that the host wants to be told of changes of a resource. `false`: it wants to be told of too many.
    pub fn subscribe(&self, uri: &str) -> bool {
        let mut state = self.lock();
        let known = state.host.subscriptions.len();
        let has_room = known < self.limit;
        if has_room {
            state.host.subscriptions.insert(uri.to_owned());
        }
        has_room
    }

    /// Notes that it does not any more.
    pub fn unsubscribe(&self, uri: &str) {
        self.lock().host.subscriptions.remove(uri);
    }

    /// Gives a request an id of ours: the host's ids need not be unique among requests under way.
    pub fn begin(self: &Arc<Self>, host_id: &RawValue, method: Method) -> Result<UnderWay, Refusal> {
        let mut state = self.lock();
        if state.pending.len() >= self.limit {
            let over = state.pending.iter().find(|(_, request)| !request.under_way);
            let Some(oldest) = over.map(|(id, _)| *id) else {
                return Err(Refusal::TooManyRequests);
            };
            state.pending.remove(&oldest);
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let pending = Pending {
            host_id: host_id.to_owned(),
            method,
            under_way: true,
        };
        state.pending.insert(id, pending);
        Ok(UnderWay {
            session: Arc::clone(self),
            id,
        })
    }

    /// The host's request of that id of ours, which is answered with this.
    pub fn finish(&self, id: u64) -> Option<Pending> {
        self.lock().pending.remove(&id)
    }

    fn leave(&self, id: u64) {
        if let Some(request) = self.lock().pending.get_mut(&id) {
            request.under_way = false;
        }
    }

    /// Our id of the host's newest request with that id.
    pub fn upstream_id(&self, host_id: &RawValue) -> Option<u64> {
        let state = self.lock();
        state
            .pending
            .iter()
            .rev()
            .find(|(_, known)| known.host_id.get() == host_id.get())
            .map(|(id, _)| *id)
    }

    /// Notes a request of the server that passes to the host.
    pub fn note_server_request(&self, id: &str) {
        let mut state = self.lock();
        if state.server_requests.len() < self.limit {
            state.server_requests.insert(id.to_owned());
        }
    }

    /// Whether the server waits for this answer; it does not any more afterwards.
    pub fn take_server_request(&self, id: &str) -> bool {
        self.lock().server_requests.remove(id)
    }

    /// Takes the session's one stream over; an older stream ends.
    pub fn take_stream(&self) -> watch::Receiver<bool> {
        let (sender, receiver) = watch::channel(false);
        if let Some(older) = self.lock().stream.replace(sender) {
            older.send_replace(true);
        }
        receiver
    }

    fn end_stream(&self) {
        if let Some(stream) = self.lock().stream.take() {
            stream.send_replace(true);
        }
    }
}

/// All sessions of this node.
#[derive(Debug)]
pub struct Sessions {
    open: RwLock<Open>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    limits: Arc<Limits>,
}

/// The open sessions, by id and by whose they are: neither a request nor a new session looks at those of others.
#[derive(Debug, Default)]
struct Open {
    by_id: HashMap<String, Arc<Session>>,
    by_principal: HashMap<Principal, HashSet<String>>,
}

impl Open {
    fn insert(&mut self, session: &Arc<Session>) {
        let of_caller = self.by_principal.entry(session.principal).or_default();
        of_caller.insert(session.id.clone());
        self.by_id.insert(session.id.clone(), Arc::clone(session));
    }

    fn remove(&mut self, session: &Session) {
        self.by_id.remove(&session.id);
        if let Some(of_caller) = self.by_principal.get_mut(&session.principal) {
            of_caller.remove(&session.id);
            if of_caller.is_empty() {
                self.by_principal.remove(&session.principal);
            }
        }
    }

    /// The session of a caller that rested longest, if the caller has so many.
    fn oldest(&self, principal: Principal, limit: usize) -> Option<Arc<Session>> {
        let of_caller = self.by_principal.get(&principal);
        of_caller
            .filter(|ids| ids.len() >= limit)?
            .iter()
            .filter_map(|id| self.by_id.get(id))
            .min_by_key(|session| session.used.load(Ordering::Relaxed))
            .cloned()
    }
}

/// What a new session is made of.
#[derive(Debug)]
pub struct NewSession {
    /// Whose it is.
    pub principal: Principal,
    /// On which route.
    pub route: RouteId,
    /// The upstream's id.
    pub upstream: Option<String>,
    /// Whether the caller was granted nothing.
    pub stranger: bool,
    /// The era of the server's hop.
    pub hop: Era,
}

impl Sessions {
    /// No sessions yet.
    pub fn new(clock: Arc<dyn Clock>, rng: Arc<dyn Rng>, limits: Arc<Limits>) -> Self {
        Self {
            open: RwLock::default(),
            clock,
            rng,
            limits,
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Open> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Open> {
        self.open.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session. Its id is 256 random bits: unguessable, and not the upstream's.
    pub fn open(&self, new: NewSession) -> Result<Arc<Session>, Refusal> {
        let mut random = [0_u8; 32];
        self.rng.fill(&mut random);
        let session = Arc::new(Session {
            id: URL_SAFE_NO_PAD.encode(random),
            principal: new.principal,
            route: new.route,
            upstream: new.upstream,
            stranger: new.stranger,
            hop: new.hop,
            state: Mutex::default(),
            next_id: AtomicU64::new(1),
            used: AtomicI64::new(self.clock.now().as_millis()),
            limit: self.limits.requests_per_session,
        });
        let mut open = self.write();
        if let Some(oldest) = open.oldest(new.principal, self.limits.sessions_per_caller) {
            // Many hosts never end a session. The one that rested longest gives way, or its caller were locked out
            // until all of them had aged; a host that comes back to it begins anew.
            open.remove(&oldest);
            oldest.end_stream();
        }
        if open.by_id.len() >= self.limits.sessions_per_node {
            return Err(Refusal::TooManySessions);
        }
        open.insert(&session);
        Ok(session)
    }

    /// The caller's session of that id on that route.
    pub fn find(&self, id: &str, principal: Principal, route: RouteId) -> Option<Arc<Session>> {
        let session = self.read().by_id.get(id).cloned()?;
        if session.principal != principal || session.route != route {
            return None;
        }
        session
            .used
            .store(self.clock.now().as_millis(), Ordering::Relaxed);
        Some(session)
    }

    /// Ends a session and its stream.
    pub fn end(&self, session: &Session) {
        self.write().remove(session);
        session.end_stream();
    }

    /// Ends sessions that were not used for long, and gives them back so that the upstream can be told.
    pub fn sweep(&self) -> Vec<Arc<Session>> {
        let limit = self.clock.now().minus(self.limits.session_idle);
        let idle = |session: &Session| Timestamp::from_millis(session.used.load(Ordering::Relaxed)) < limit;
        let old: Vec<_> = self
            .read()
            .by_id
            .values()
            .filter(|session| idle(session))
            .cloned()
            .collect();
        for session in &old {
            self.end(session);
        }
        old
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.read().by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
