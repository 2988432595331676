//! Copies of what servers answered, as far as they allow it (2026-07-28, server, utilities, caching): the same request gets
//! the same bytes again without the server being asked. What is kept is the server's answer, not what a host got of it:
//! every serving is judged anew by the rights of its caller (`ready.rs` spares that where nothing changed).
//!
//! A copy is good for the request that it answered, on the same kind of hop, until its time is over, the server says that
//! something changed, or the route does. A private one is good for its caller alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use portreeve_core::caller::Principal;
use portreeve_core::id::RouteId;
use portreeve_core::limits::Limits;
use portreeve_core::protocol::Era;
use portreeve_mcp::keeping::{Keeping, Scope, is_list};
use portreeve_mcp::method::Method;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::value::RawValue;

use super::around::Around;
use super::flights::{Boarding, Flights};
use super::place::{Place, Requested};
use crate::metrics::{CopyUse, Metrics};
use crate::route::ServedRoute;

/// The copies of a node.
pub struct Copies {
    kept: Cache<Key, Arc<Kept>, Weight>,
    book: Mutex<Book>,
    flights: Flights,
    limits: Arc<Limits>,
    metrics: Metrics,
}

/// What is known of servers.
#[derive(Default)]
struct Book {
    /// How often a kind of thing changed.
    turns: HashMap<(RouteId, Kind), u64>,
    /// What servers said last of answers of a kind. As many as there are routes, hops and methods.
    habits: HashMap<(RouteId, Era, Method), Habit>,
}

/// Whether there are copies, and whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    None,
    Private,
    Public,
}

/// What a server says that it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The lists of resources and of their templates.
    Resources,
    /// What is in a resource.
    Contents,
}

/// Which answer, and for whom: for everybody, if for nobody in particular.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) requested: Arc<Requested>,
    pub(super) whose: Option<Principal>,
}

struct Kept {
    route: Weak<ServedRoute>,
    turn: u64,
    received: Instant,
    life: Duration,
    authority: Authority,
    answer: Around,
    server: Option<Arc<str>>,
}

/// Who says that there may be a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Authority {
    Server,
    Route,
}

/// A copy that serves.
#[derive(Debug, Clone)]
pub struct Copy {
    /// The server's answer, under the id of the present request.
    pub answer: Bytes,
    /// How long it is good still, where the server said how long it is.
    pub left: Option<Duration>,
    /// What the server called itself, where its era does not say it with every answer.
    pub server: Option<Arc<str>>,
}

/// Who answers a request.
#[derive(Debug)]
pub enum Turn {
    /// A copy.
    Copied(Copy),
    /// The server; where its answer goes.
    Asked(Place),
}

#[derive(Clone)]
struct Weight;

/// A guess that only sets the size of tables at the start.
const COPIES: usize = 256;
/// How often somebody waits for another one's answer before he asks himself.
const TRIES: usize = 3;
/// No copy takes more than this part of what all may take.
const PART: usize = 8;

// === impl Kind ===

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::Contents];

    /// What a notification says.
    pub fn told_by(method: &str) -> Option<Self> {
        Some(match method {
            "notifications/tools/list_changed" => Self::Tools,
            "notifications/prompts/list_changed" => Self::Prompts,
            "notifications/resources/list_changed" => Self::Resources,
            "notifications/resources/updated" => Self::Contents,
            _ => return None,
        })
    }

    /// Its word between nodes.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Contents => "contents",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// What answers to a method are about. What a server is does not change while it is spoken with.
    const fn of(method: Method) -> Option<Self> {
        Some(match method {
            Method::ListTools => Self::Tools,
            Method::ListPrompts => Self::Prompts,
            Method::ListResources | Method::ListTemplates => Self::Resources,
            Method::ReadResource => Self::Contents,
            _ => return None,
        })
    }
}

// === impl Copies ===

impl std::fmt::Debug for Copies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Copies")
    }
}

impl Copies {
    /// None yet; never more bytes than the limits say.
    pub fn new(limits: Arc<Limits>, metrics: Metrics) -> Self {
        Self {
            kept: Cache::with_weighter(COPIES, limits.copied_bytes as u64, Weight),
            book: Mutex::default(),
            flights: Flights::default(),
            limits,
            metrics,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often that changed what answers to a method are about.
    pub(super) fn turn(&self, route: RouteId, method: Method) -> u64 {
        Kind::of(method).map_or(0, |kind| {
            let book = self.lock();
            book.turns.get(&(route, kind)).copied().unwrap_or_default()
        })
    }

    /// Something changed: what was answered before is good no more.
    pub fn changed(&self, route: RouteId, kind: Kind) {
        *self.lock().turns.entry((route, kind)).or_default() += 1;
    }

    /// Nobody knows what changed.
    pub fn forget(&self) {
        self.kept.clear();
        self.measure();
    }

    /// A copy that is good, for the request of that id.
    pub fn find(&self, place: &Place) -> Option<Copy> {
        let (kept, age) = self.look(place)?;
        let left = kept.life.checked_sub(age).filter(|left| !left.is_zero())?;
        self.metrics.copies(&place.route().route.slug, CopyUse::Served);
        Some(kept.serve(place, left))
    }

    /// A list that is out of date, in place of one that the server cannot give just now. What it said since that it
    /// changed is not served.
    pub fn stale(&self, place: &Place) -> Option<Copy> {
        if !is_list(place.method()) {
            return None;
        }
        let (kept, age) = self.look(place)?;
        if age > kept.life + self.limits.stale_copy {
            return None;
        }
        self.metrics.copies(&place.route().route.slug, CopyUse::Stale);
        Some(kept.serve(place, Duration::ZERO))
    }

    fn look(&self, place: &Place) -> Option<(Arc<Kept>, Duration)> {
        let turn = self.turn(place.route().route.id, place.method());
        let own = place.principal().map(Some);
        let whose = own.into_iter().chain([None]);
        whose
            .filter_map(|whose| self.kept.get(&place.key(whose)))
            .find(|kept| kept.turn == turn && kept.route.as_ptr() == Arc::as_ptr(place.route()))
            .map(|kept| {
                let age = kept.received.elapsed();
                (kept, age)
            })
    }

    /// Whose turn it is to answer. Where the server's answer to somebody else will do as well, that is waited for, but not
    /// for longer than this.
    pub async fn turn_of(&self, mut place: Place, patience: Duration) -> Turn {
        for _ in 0..TRIES {
            if let Some(copy) = self.find(&place) {
                return Turn::Copied(copy);
            }
            match self.board(&place) {
                Boarding::Alone => break,
                Boarding::Lead(flight) => {
                    if let Some(copy) = self.find(&place) {
                        // It came between the two looks.
                        return Turn::Copied(copy);
                    }
                    place.lead(flight);
                    break;
                }
                Boarding::Follow(mut over) => {
                    // Nothing is ever sent: it ends.
                    if tokio::time::timeout(patience, over.changed()).await.is_err() {
                        break;
                    }
                    place = place.renewed(self);
                }
            }
        }
        self.metrics.copies(&place.route().route.slug, CopyUse::Asked);
        Turn::Asked(place)
    }

    fn board(&self, place: &Place) -> Boarding {
        let route = place.route().route.id;
        let habit = self.habit(route, place.era(), place.method());
        let whose = match habit {
            Some(Habit::None) => return Boarding::Alone,
            Some(Habit::Public) => None,
            Some(Habit::Private) | None => match place.principal() {
                Some(principal) => Some(principal),
                None => return Boarding::Alone,
            },
        };
        self.flights.board(place.key(whose))
    }

    fn habit(&self, route: RouteId, era: Era, method: Method) -> Option<Habit> {
        self.lock().habits.get(&(route, era, method)).copied()
    }

    /// Keeps what the server answered, if there may be a copy of it.
    pub fn keep(&self, place: &Place, answer: &Bytes, result: &RawValue, server: Option<&str>) {
        let (habit, life) = self.judge(place, result);
        let (route, method) = (place.route(), place.method());
        let known = (route.route.id, place.era(), method);
        self.lock().habits.insert(known, habit);
        let whose = match habit {
            Habit::None => return,
            Habit::Public => None,
            Habit::Private => place.principal(),
        };
        let Some(around) = Around::of(answer) else { return };
        if answer.len() > self.limits.copied_bytes / PART {
            return;
        }
        let (life, authority) = life;
        let kept = Kept {
            route: Arc::downgrade(route),
            turn: place.turn(),
            received: Instant::now(),
            life,
            authority,
            answer: around,
            server: server.map(Arc::from),
        };
        self.kept.insert(place.key(whose), Arc::new(kept));
        self.measure();
    }

    fn judge(&self, place: &Place, result: &RawValue) -> (Habit, (Duration, Authority)) {
        let never = (Habit::None, (Duration::ZERO, Authority::Server));
        let Some(said) = Keeping::of(result) else {
            return never;
        };
        let most = self.limits.copy_life;
        let (scope, life, authority) = if place.era() == Era::Modern && said.ttl_ms > 0 {
            (said.scope, Duration::from_millis(said.ttl_ms), Authority::Server)
        } else if is_list(place.method()) {
            let own = Duration::from_millis(place.route().route.list_cache_ms);
            (Scope::Private, own, Authority::Route)
        } else {
            return never;
        };
        let habit = match (scope, place.principal()) {
            _ if life.is_zero() => return never,
            (Scope::Public, _) => Habit::Public,
            (Scope::Private, Some(_)) => Habit::Private,
            // Callers without a name are not one caller.
            (Scope::Private, None) => return never,
        };
        (habit, (life.min(most), authority))
    }

    fn measure(&self) {
        self.metrics
            .copied_bytes
            .set(i64::try_from(self.kept.weight()).unwrap_or(i64::MAX));
    }
}

// === impl Kept ===

impl Kept {
    fn serve(&self, place: &Place, left: Duration) -> Copy {
        Copy {
            answer: self.answer.put(place.id()),
            left: (self.authority == Authority::Server).then_some(left),
            server: self.server.clone(),
        }
    }
}

// === impl Weight ===

impl Weighter<Key, Arc<Kept>> for Weight {
    fn weight(&self, key: &Key, kept: &Arc<Kept>) -> u64 {
        let server = kept.server.as_ref().map_or(0, |server| server.len());
        (kept.answer.bytes() + key.requested.bytes() + server) as u64 + 256
    }
}
