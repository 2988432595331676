//! The sessions that a node has in memory: opened here, or read when somebody came with one. Those that rest are given
//! up, which ends none of them.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use portreeve_core::caller::Principal;
use portreeve_core::id::{HostSessionId, RouteId};
use portreeve_core::limits::Limits;
use portreeve_core::ports::{Cache, HostSessionStore, Signals};
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::secret::SecretKey;
use portreeve_core::time::{Clock, Timestamp};
use portreeve_inspect::{Mac, SealError, Sealer};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::gone::Gone;
use super::handed::Here;
use super::keeper::{KeepError, Keeper, KeeperParts};
use super::kept::{self, Kept};
use super::news;
use super::ticket::{Holder, Ticket};
use super::{Session, State};
use crate::metrics::Metrics;
use crate::respond::Refusal;

/// Sessions whose rows are read at once. Two requests of one session wait for one reading.
const READERS: usize = 64;

/// Requests of a session, roughly, before the ids of the node that opened it come where others begin.
const BY_ONE_NODE: u64 = 1 << 20;

/// The part of its sessions that a node gives up at once where it has no room for one more.
const ROOM_PART: usize = 64;

/// Uses are noted each minute. So late the row may say that a session was used.
const NOTED_LATE: Duration = Duration::from_secs(120);

/// What sessions are made with.
pub struct SessionParts {
    /// Where they are kept.
    pub store: Arc<dyn HostSessionStore>,
    /// Where nodes leave each other what must not last.
    pub cache: Arc<dyn Cache>,
    /// How nodes tell each other.
    pub signals: Arc<dyn Signals>,
    /// What they are proved and sealed with.
    pub keys: SessionKeys,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub rng: Arc<dyn Rng>,
    /// The limits.
    pub limits: Arc<Limits>,
    /// Figures.
    pub metrics: Metrics,
    /// Where the store is asked, beside the threads that serve calls.
    pub runtime: Handle,
}

/// Keys of the installation, the same on every node.
#[derive(Debug)]
pub struct SessionKeys {
    /// Proves the ids that hosts know.
    pub ids: SecretKey,
    /// Seals what is kept.
    pub rows: SecretKey,
}

/// The sessions of this node.
#[derive(Debug)]
pub struct Sessions {
    open: RwLock<Open>,
    pub(super) keeper: Arc<Keeper>,
    mac: Mac,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rng: Arc<dyn Rng>,
    pub(super) limits: Arc<Limits>,
    reading: [tokio::sync::Mutex<()>; READERS],
    /// Sessions that are over, whether or not their rows are still there: nobody brings them back, nor looks for them.
    gone: Mutex<Gone>,
    /// What is under way here.
    pub(super) here: OnceLock<Arc<dyn Here>>,
    /// When uses were last noted in the rows.
    pub(super) noted: AtomicI64,
}

/// The open sessions, by id and by whose they are: neither a request nor a new session looks at those of others.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) by_id: HashMap<HostSessionId, Arc<Session>>,
    by_principal: HashMap<Principal, HashSet<HostSessionId>>,
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
    /// The hash of the server's URL, where it has one.
    pub server: Option<String>,
    /// The host's `initialize`, as it was written; empty where it is never to be repeated.
    pub hello: bytes::Bytes,
}

impl std::fmt::Debug for SessionParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionParts")
    }
}

// === impl Open ===

impl Open {
    fn insert(&mut self, session: &Arc<Session>) {
        let of_caller = self.by_principal.entry(session.principal).or_default();
        of_caller.insert(session.key);
        self.by_id.insert(session.key, Arc::clone(session));
    }

    fn remove(&mut self, id: HostSessionId) -> Option<Arc<Session>> {
        let session = self.by_id.remove(&id)?;
        if let Some(of_caller) = self.by_principal.get_mut(&session.principal) {
            of_caller.remove(&id);
            if of_caller.is_empty() {
                self.by_principal.remove(&session.principal);
            }
        }
        Some(session)
    }

    /// Sees to room for one more: where there is none, sessions that rest are in the store alone from now on. Those that
    /// rested longest, some at once, so that not everybody who comes looks at all of them.
    fn make_room(&mut self, most: usize) -> bool {
        if self.by_id.len() < most {
            return true;
        }
        let resting = self
            .by_id
            .values()
            .filter(|session| session.is_kept() && session.rests());
        let mut resting: Vec<_> = resting
            .map(|session| (session.used.load(Ordering::Relaxed), session.key))
            .collect();
        let count = most / ROOM_PART + 1;
        if count < resting.len() {
            resting.select_nth_unstable_by_key(count, |(used, _)| *used);
            resting.truncate(count);
        }
        for (_, id) in resting {
            self.remove(id);
        }
        self.by_id.len() < most
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

// === impl Sessions ===

impl Sessions {
    /// Begins with none in memory, and follows the other nodes.
    ///
    /// # Errors
    ///
    /// When the cryptography library does not take a key.
    pub fn new(parts: SessionParts) -> Result<Arc<Self>, SealError> {
        let keeper = Keeper::new(KeeperParts {
            store: parts.store,
            cache: parts.cache,
            signals: parts.signals,
            sealer: Sealer::new(&parts.keys.rows)?,
            rng: Arc::clone(&parts.rng),
            clock: Arc::clone(&parts.clock),
            runtime: parts.runtime.clone(),
            metrics: parts.metrics,
        });
        let sessions = Arc::new(Self {
            open: RwLock::default(),
            gone: Mutex::default(),
            keeper,
            here: OnceLock::new(),
            mac: Mac::new(&parts.keys.ids),
            noted: AtomicI64::new(parts.clock.now().as_millis()),
            clock: parts.clock,
            rng: parts.rng,
            limits: parts.limits,
            reading: std::array::from_fn(|_| tokio::sync::Mutex::default()),
        });
        parts.runtime.spawn(news::follow(Arc::clone(&sessions)));
        Ok(sessions)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Open> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Open> {
        self.open.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session, in memory: [`Session::keep`] makes it durable.
    pub fn open(&self, new: NewSession) -> Result<Arc<Session>, Refusal> {
        let (upstream, line) = kept::side_of(new.upstream);
        let kept = Kept {
            upstream,
            stranger: new.stranger,
            to_modern: new.hop == Era::Modern,
            server: new.server,
            hello: kept::hello_of(&new.hello, new.hop, &self.limits),
            ..Kept::default()
        };
        let now = self.clock.now();
        let ticket = Ticket {
            id: HostSessionId::new(&*self.clock, &*self.rng),
            expires_at: now.plus(self.limits.session_lifetime),
        };
        let holder = Holder {
            principal: new.principal,
            route: new.route,
        };
        let session = self.session(ticket, holder, (kept, 0), now);
        session.lock().line = line;
        // Nobody else has it yet.
        session.next_id.store(1, Ordering::Relaxed);
        let mut open = self.write();
        let oldest = open.oldest(new.principal, self.limits.sessions_per_caller);
        if let Some(oldest) = &oldest {
            // Many hosts never end a session. The one that rested longest gives way, or its caller were locked out
            // until all of them had aged; a host that comes back to it begins anew.
            open.remove(oldest.key);
        }
        let is_full = !open.make_room(self.limits.sessions_per_node);
        if !is_full {
            open.insert(&session);
        }
        self.count(&open);
        drop(open);
        if let Some(oldest) = oldest {
            self.end(&oldest);
        }
        if is_full {
            return Err(Refusal::TooManySessions);
        }
        Ok(session)
    }

    pub(super) fn session(
        &self,
        ticket: Ticket,
        holder: Holder,
        (kept, revision): (Kept, i64),
        used_at: Timestamp,
    ) -> Arc<Session> {
        Arc::new(Session {
            id: ticket.write(&self.mac, holder),
            key: ticket.id,
            principal: holder.principal,
            route: holder.route,
            stranger: kept.stranger,
            hop: kept.hop(),
            server: kept.server.clone(),
            opened_at: used_at,
            expires_at: ticket.expires_at,
            state: Mutex::new(State {
                kept,
                revision,
                ..State::default()
            }),
            next_id: AtomicU64::new(self.first_id()),
            used: AtomicI64::new(used_at.as_millis()),
            limits: Arc::clone(&self.limits),
            keeper: Arc::clone(&self.keeper),
            renewing: tokio::sync::Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            leaving: Arc::default(),
            handing: Arc::new(Semaphore::new(self.limits.handed_bytes_per_session)),
        })
    }

    /// Where ids of requests begin on a session that was read. Another node has the same session at the server, or this one
    /// had it before a restart: no two of them may begin at the same place. Small enough for servers that read 31 bits.
    fn first_id(&self) -> u64 {
        let mut random = [0_u8; 4];
        self.rng.fill(&mut random);
        u64::from(u32::from_be_bytes(random) >> 2) + BY_ONE_NODE
    }

    /// Reads the session that a caller came with into memory, unless it is there already. One that there is not, or is
    /// not for this caller on this route, is not read; [`Sessions::find`] does not find it then.
    ///
    /// # Errors
    ///
    /// When the store is away, or there is no room.
    pub async fn bring(&self, id: &str, principal: Principal, route: RouteId) -> Result<(), Refusal> {
        let holder = Holder { principal, route };
        let Some(claimed) = Ticket::claimed(id) else {
            return Ok(());
        };
        if self.holds(claimed) {
            // From now on it does not rest, and nobody gives it up before it is asked for.
            let _ = self.find(id, principal, route);
            return Ok(());
        }
        let now = self.clock.now();
        let Some(ticket) = Ticket::read(id, &self.mac, holder, now) else {
            return Ok(());
        };
        let mut hasher = DefaultHasher::new();
        ticket.id.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % READERS as u64).unwrap_or(0);
        let Some(reading) = self.reading.get(place) else {
            return Ok(());
        };
        let _one_reads = reading.lock().await;
        if self.holds(ticket.id) || self.gone().contains(ticket.id) {
            return Ok(());
        }
        let found = self.keeper.read(ticket.id).await;
        let Some((row, kept)) = found.map_err(|_| Refusal::SessionsAway)? else {
            self.gone().insert(ticket.id);
            return Ok(());
        };
        if row.used_at < self.unused_since(now) {
            return Ok(());
        }
        self.keeper.metrics().sessions_read.inc();
        let session = self.session(ticket, holder, (kept, row.revision), row.used_at);
        session.used.store(now.as_millis(), Ordering::Relaxed);
        let mut open = self.write();
        // It may have ended while it was read.
        if self.gone().contains(ticket.id) {
            return Ok(());
        }
        if !open.make_room(self.limits.sessions_per_node) {
            return Err(Refusal::TooManySessions);
        }
        open.insert(&session);
        self.count(&open);
        Ok(())
    }

    /// A session that was not used since then is over.
    pub(super) fn unused_since(&self, now: Timestamp) -> Timestamp {
        now.minus(self.limits.session_idle + NOTED_LATE)
    }

    pub(super) fn gone(&self) -> MutexGuard<'_, Gone> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, open: &Open) {
        let count = i64::try_from(open.by_id.len()).unwrap_or(i64::MAX);
        self.keeper.metrics().sessions.set(count);
    }

    fn holds(&self, id: HostSessionId) -> bool {
        self.read().by_id.contains_key(&id)
    }

    /// The caller's session of that id on that route, if it is in memory.
    pub fn find(&self, id: &str, principal: Principal, route: RouteId) -> Option<Arc<Session>> {
        let claimed = Ticket::claimed(id)?;
        let session = self.read().by_id.get(&claimed).cloned()?;
        let now = self.clock.now();
        let is_it = session.id == id && session.principal == principal && session.route == route;
        if !is_it || session.expires_at <= now {
            return None;
        }
        session.used.store(now.as_millis(), Ordering::Relaxed);
        Some(session)
    }

    /// Ends a session and its stream, here at once and elsewhere as soon as it is written.
    pub fn end(&self, session: &Session) {
        self.forget_for_good(session.key);
        session.end_stream();
        if session.is_kept() {
            let (keeper, id) = (Arc::clone(&self.keeper), session.key);
            self.keeper.aside(async move {
                // What cannot be written ends when nobody used it for long.
                let _ = keeper.end(id).await;
            });
        }
    }

    /// Ends a session for good: when it returns no node reads it any more, and those that have it in memory were told. What
    /// was begun is finished, also where nobody waits for it any more.
    pub async fn close(self: &Arc<Self>, session: &Arc<Session>) -> Result<(), KeepError> {
        let (sessions, session) = (Arc::clone(self), Arc::clone(session));
        let closed = self.keeper.beside(async move {
            if session.is_kept() {
                sessions.keeper.end(session.key).await?;
            }
            sessions.forget_for_good(session.key);
            session.end_stream();
            Ok::<_, KeepError>(())
        });
        closed.await.unwrap_or(Err(KeepError::Away))
    }

    /// Gives up the memory of a session, which goes on.
    pub(super) fn forget(&self, id: HostSessionId) -> Option<Arc<Session>> {
        let mut open = self.write();
        let session = open.remove(id);
        self.count(&open);
        session
    }

    /// Forgets a session that is over.
    pub(super) fn forget_for_good(&self, id: HostSessionId) -> Option<Arc<Session>> {
        self.gone().insert(id);
        self.forget(id)
    }

    /// How many there are in memory.
    pub fn len(&self) -> usize {
        self.read().by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
