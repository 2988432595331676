//! Legacy sessions: our own ids, bound to a caller and a route, each with its upstream side.
//!
//! The id that a host knows says what never changes (`ticket`). What changes lives in a row (`kept`, `keeper`), written
//! before the host learns of the session, so that any node serves it and a restart does not end it. A session in memory
//! (`node`) is served without a look into the store; nodes tell each other what they end (`news`, `duties`), and hand over
//! what is meant for another one (`handed`). A server that loses its side is greeted anew (`renewal`, `greeting`).
//!
//! What is under way stays with the node that it is under way on: requests, their answers, streams.

mod keeper;
mod kept;
mod left;
mod ticket;

mod node;

mod duties;
mod gone;
mod handed;
mod news;

mod greeting;
mod renewal;
mod wish;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portreeve_client::{ClientError, some_line};
use portreeve_core::caller::Principal;
use portreeve_core::id::{HostSessionId, RouteId};
use portreeve_core::limits::Limits;
use portreeve_core::protocol::Era;
use portreeve_core::time::Timestamp;
use portreeve_mcp::method::Method;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use self::keeper::Keeper;
use self::kept::Kept;
use self::left::{Leaving, Left};
use self::news::News;
use crate::respond::Refusal;

pub use self::handed::Here;
pub use self::keeper::KeepError;
pub use self::node::{NewSession, SessionKeys, SessionParts, Sessions};
pub(crate) use self::renewal::{listen, post};

/// How long a node that made a request of a server known may take until all others can see it.
const HEARSAY: Duration = Duration::from_millis(100);

/// One session.
#[derive(Debug)]
pub struct Session {
    /// Our id, which the host knows.
    pub id: String,
    key: HostSessionId,
    /// Whose it is.
    pub principal: Principal,
    /// On which route.
    pub route: RouteId,
    /// Opened with a caller who was granted nothing: no upstream side.
    pub stranger: bool,
    /// The era of the server's hop when it was opened.
    pub hop: Era,
    /// Which server that was: the hash of its URL, where there is one.
    pub server: Option<String>,
    opened_at: Timestamp,
    expires_at: Timestamp,
    state: Mutex<State>,
    next_id: AtomicU64,
    used: AtomicI64,
    limits: Arc<Limits>,
    keeper: Arc<Keeper>,
    /// One greets the server anew; those who wait meanwhile share what comes of it. When that last failed, and how.
    renewing: tokio::sync::Mutex<Option<(Instant, ClientError)>>,
    /// Changes of one session on this node follow each other, or all but one would be made in vain.
    changing: tokio::sync::Mutex<()>,
    leaving: Leaving,
    /// Room between the nodes for what its host says, in bytes.
    handing: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    kept: Kept,
    /// The line of this node to a server of HTTP+SSE; what is kept says only that it is one. Each node has its own.
    line: Option<String>,
    /// Of what is kept; 0 while it is not.
    revision: i64,
    /// Requests by our id on the upstream hop. Those that are over without an answer stay a while: it may still come
    /// on the session's own stream.
    pending: BTreeMap<u64, Pending>,
    /// Requests of the server that wait for the host's answer, by the hash of the id as it was written. One that was
    /// answered through another node stays, so the oldest give way.
    server_requests: VecDeque<String>,
    /// Ends the present stream of the session when another one takes its place; and since when there is this one.
    stream: Option<(Timestamp, watch::Sender<bool>)>,
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
    /// Whether the server gave an event of its stream an id, by which the host may come back for the rest.
    may_return: AtomicBool,
}

impl UnderWay {
    /// Notes that the host may come back for the answer, to whichever node.
    pub fn may_return(&self) {
        self.may_return.store(true, Ordering::Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.session
            .leave(self.id, self.may_return.load(Ordering::Relaxed));
    }
}

impl Session {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The negotiated version.
    pub fn version(&self) -> Option<String> {
        self.lock().kept.version.clone()
    }

    /// Notes the negotiated version.
    pub fn set_version(&self, version: &str) {
        self.lock().kept.version = Some(version.to_owned());
    }

    /// The upstream's id; `None` when the upstream keeps no sessions.
    pub fn upstream(&self) -> Option<String> {
        let state = self.lock();
        let kept = state.kept.upstream.as_ref()?;
        let line = state.line.as_ref().filter(|_| some_line(kept).is_some());
        Some(line.unwrap_or(kept).clone())
    }

    /// The capabilities that the host declared, as they were written.
    pub fn client_capabilities(&self) -> Option<Box<RawValue>> {
        self.lock().kept.capabilities()
    }

    /// What the host calls itself, as it was written. Unverified.
    pub fn client_info(&self) -> Option<Box<RawValue>> {
        self.lock().kept.client_info()
    }

    /// The level that the host set for log messages.
    pub fn log_level(&self) -> Option<String> {
        self.lock().kept.level.clone()
    }

    /// Resources whose changes the host wants to be told.
    pub fn subscriptions(&self) -> BTreeSet<String> {
        self.lock().kept.subscriptions.clone()
    }

    /// Whether the session is durable, so that the host may learn of it.
    pub(crate) fn is_kept(&self) -> bool {
        self.lock().revision > 0
    }

    fn kept(&self) -> (Kept, i64) {
        let state = self.lock();
        (state.kept.clone(), state.revision)
    }

    fn alter(&self, change: impl Fn(&mut Kept)) {
        change(&mut self.lock().kept);
    }

    /// Takes over what the row holds, unless something newer is known.
    fn take_over(&self, kept: Kept, revision: i64) {
        let mut state = self.lock();
        if revision > state.revision {
            state.kept = kept;
            state.revision = revision;
        }
    }

    fn revision(&self) -> i64 {
        self.lock().revision
    }

    /// An id for a request on the upstream hop.
    fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Gives a request an id of ours: the host's ids need not be unique among requests under way.
    pub fn begin(self: &Arc<Self>, host_id: &RawValue, method: Method) -> Result<UnderWay, Refusal> {
        let mut state = self.lock();
        if state.pending.len() >= self.limits.requests_per_session {
            let over = state.pending.iter().find(|(_, request)| !request.under_way);
            let Some(oldest) = over.map(|(id, _)| *id) else {
                return Err(Refusal::TooManyRequests);
            };
            state.pending.remove(&oldest);
        }
        let id = self.next_id();
        let pending = Pending {
            host_id: host_id.to_owned(),
            method,
            under_way: true,
        };
        state.pending.insert(id, pending);
        Ok(UnderWay {
            session: Arc::clone(self),
            id,
            may_return: AtomicBool::new(false),
        })
    }

    /// The host's request of that id of ours, which is answered with this.
    pub fn finish(&self, id: u64) -> Option<Pending> {
        let request = self.lock().pending.remove(&id)?;
        if !request.under_way {
            self.keeper
                .no_longer_left(self.key, &self.leaving, id, self.limits.stream_lifetime);
        }
        Some(request)
    }

    fn leave(&self, id: u64, may_return: bool) {
        let mut state = self.lock();
        let Some(request) = state.pending.get_mut(&id) else {
            return;
        };
        request.under_way = false;
        if may_return {
            let left = Left::new(id, request);
            drop(state);
            self.keeper
                .hand_on(self.key, &self.leaving, left, self.limits.stream_lifetime);
        }
    }

    /// Takes up requests that were left on other nodes without an answer, since their host came back here for it.
    pub async fn take_up(&self) {
        let left = self.keeper.left(self.key).await;
        let mut state = self.lock();
        for (id, request) in left.into_iter().filter_map(Left::taken_up) {
            if state.pending.len() < self.limits.requests_per_session {
                state.pending.entry(id).or_insert(request);
            }
        }
    }

    fn method(&self, id: u64) -> Option<Method> {
        self.lock().pending.get(&id).map(|request| request.method)
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

    /// Notes a request of the server that passes to the host, whose answer may come to any node.
    pub fn note_server_request(&self, id: &str) {
        let id = left::hash_of(id);
        self.keeper
            .note_question(self.key, &id, self.limits.stream_lifetime);
        self.awaits(id);
    }

    fn awaits(&self, question: String) {
        let mut state = self.lock();
        if !state.server_requests.contains(&question) {
            if state.server_requests.len() >= self.limits.requests_per_session {
                state.server_requests.pop_front();
            }
            state.server_requests.push_back(question);
        }
    }

    /// Learns whether the server asked this through another node.
    pub async fn learn_server_request(&self, id: &str) {
        let id = left::hash_of(id);
        let is_ours = self.lock().server_requests.contains(&id);
        let mut is_known = self.keeper.take_question(self.key, &id).await;
        if !is_ours && !is_known {
            tokio::time::sleep(HEARSAY).await;
            is_known = self.keeper.take_question(self.key, &id).await;
        }
        if is_known {
            self.awaits(id);
        }
    }

    /// Whether the server waits for this answer; it does not any more afterwards.
    pub fn take_server_request(&self, id: &str) -> bool {
        let id = left::hash_of(id);
        let mut state = self.lock();
        let place = state.server_requests.iter().position(|known| *known == id);
        place.is_some_and(|place| state.server_requests.remove(place).is_some())
    }

    /// Takes the session's one stream over; an older stream ends, on whichever node it is.
    pub fn take_stream(&self) -> watch::Receiver<bool> {
        let (sender, receiver) = watch::channel(false);
        let since = self.keeper.clock.now();
        if let Some((_, older)) = self.lock().stream.replace((since, sender)) {
            older.send_replace(true);
        }
        self.keeper.tell(News::Stream(self.key, since));
        receiver
    }

    fn end_stream(&self) {
        if let Some((_, stream)) = self.lock().stream.take() {
            stream.send_replace(true);
        }
    }

    /// Ends the stream if it is older than one that another node has.
    fn yield_stream(&self, to: Timestamp) {
        let older = self.lock().stream.take_if(|(since, _)| *since < to);
        if let Some((_, stream)) = older {
            stream.send_replace(true);
        }
    }

    /// Whether nothing of it is under way here, so that memory of it can be given up.
    fn rests(&self) -> bool {
        let state = self.lock();
        let has_stream = state
            .stream
            .as_ref()
            .is_some_and(|(_, stream)| !stream.is_closed());
        !state.pending.values().any(|request| request.under_way) && !has_stream
    }

    /// Notes the level that the host wants log messages of, durable when it returns.
    pub async fn set_log_level(&self, level: &str) -> Result<(), KeepError> {
        self.change(|kept| kept.set_level(level)).await
    }

    /// Whether one more subscription can be remembered, to this.
    pub fn has_room(&self, uri: &str) -> bool {
        self.lock().kept.has_room(uri, &self.limits)
    }

    /// Notes that the host wants to be told of changes of a resource, durable when it returns.
    pub async fn subscribe(&self, uri: &str) -> Result<(), KeepError> {
        self.change(|kept| kept.subscribe(uri, &self.limits)).await
    }

    /// Notes that it does not any more.
    pub async fn unsubscribe(&self, uri: &str) -> Result<(), KeepError> {
        self.change(|kept| kept.unsubscribe(uri)).await
    }
}
