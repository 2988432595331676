//! Taps: what a server says unasked is heard once for all the streams of one caller, and each of them gets its part.
//!
//! Before: a host subscribes, or opens the stream of its session. After: its stream hears from its seat at the tap.
//!
//! A tap lasts as long as somebody sits at it. Callers without a name share none: nobody knows that they are the same.

mod driver;
mod source;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use portreeve_client::ClientError;
use portreeve_core::caller::Principal;
use portreeve_core::id::RouteId;
use portreeve_core::protocol::Era;
use portreeve_mcp::bridge::Wanted;
use tokio::sync::{OnceCell, broadcast, watch};
use tokio::task::AbortHandle;

use self::driver::Driver;
pub use self::source::Hello;
use self::source::Source;
use super::Errand;
use crate::route::ServedRoute;
use crate::upstream::OwnSession;

/// How long a server may take before a stream begins without it. Some send the head of a stream with its first event.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long is spent on taking subscriptions back.
const FAREWELL: Duration = Duration::from_secs(10);

/// Messages that a seat may be behind. One that is further behind is told that everything may have changed.
const BEHIND: usize = 256;

/// The taps of a node.
#[derive(Debug, Default)]
pub struct Taps {
    open: Mutex<HashMap<Key, Weak<Tap>>>,
}

/// Whose tap it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    principal: Principal,
    route: RouteId,
    hop: Era,
}

/// One stream of a server.
struct Tap {
    route: Arc<ServedRoute>,
    /// What each seat wants to hear.
    seats: Mutex<HashMap<u64, Wanted>>,
    /// What any of them wants: made when that changes, and read for every event.
    wanted: ArcSwap<Wanted>,
    /// What a modern server was asked for last, which may be more.
    asked: ArcSwap<Wanted>,
    /// Counts the changes of that.
    changed: watch::Sender<u64>,
    said: broadcast::Sender<Said>,
    begun: OnceCell<Begun>,
    /// The resources whose changes a legacy server was asked to tell.
    subscribed: tokio::sync::Mutex<BTreeSet<String>>,
}

/// A tap that runs.
struct Begun {
    source: Source,
    /// What the server promised of what it was asked.
    told: watch::Receiver<Told>,
    driver: Option<AbortHandle>,
}

/// What a modern server was asked, and what it promised.
#[derive(Debug, Clone, Default)]
struct Told {
    asked: Wanted,
    promised: Wanted,
}

/// What comes out of a tap.
#[derive(Debug, Clone)]
pub(super) enum Said {
    /// A notification of the server.
    Note {
        /// Its method.
        method: Arc<str>,
        /// The resource that it is about, if it is about one.
        uri: Option<Arc<str>>,
        /// The whole message.
        data: Bytes,
    },
    /// Something may have been missed.
    Missed,
}

/// A place at a tap, for the stream of one host.
pub struct Seat {
    tap: Arc<Tap>,
    number: u64,
    wanted: Wanted,
    /// Whether notifications that nobody here knows are for it: a modern host may have agreed on them with the server.
    unknown: bool,
    said: broadcast::Receiver<Said>,
}

// === impl Taps ===

impl Taps {
    /// Sits down at the tap of a caller. What the server will not tell is taken out of what is wanted.
    pub(crate) async fn sit(
        &self,
        errand: &Errand,
        wanted: Wanted,
        hello: impl FnOnce() -> Hello,
    ) -> Result<Seat, ClientError> {
        let tap = self.tap(errand);
        let seat = Seat::at(tap, wanted);
        let begun = seat.tap.begun(errand, hello).await?;
        Ok(match &begun.source {
            Source::Silent => seat.with(Wanted::default()),
            Source::Legacy(own) => {
                let own = Arc::clone(own);
                seat.told_by_legacy(&own, errand.gateway.limits.probe).await
            }
            Source::Modern(_) => seat,
        })
    }

    /// The tap that is open for such an errand, or a new one: a route that was changed since has another one.
    fn tap(&self, errand: &Errand) -> Arc<Tap> {
        let key = Key {
            principal: errand.caller.principal,
            route: errand.route.route.id,
            hop: errand.hop,
        };
        let fresh = || Arc::new(Tap::new(Arc::clone(&errand.route)));
        if matches!(key.principal, Principal::Anonymous | Principal::Publisher) {
            return fresh();
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let known = open.get(&key).and_then(Weak::upgrade);
        if let Some(tap) = known.filter(|tap| Arc::ptr_eq(&tap.route, &errand.route)) {
            return tap;
        }
        open.retain(|_, tap| tap.strong_count() > 0);
        let tap = fresh();
        open.insert(key, Arc::downgrade(&tap));
        tap
    }
}

// === impl Tap ===

impl std::fmt::Debug for Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tap")
            .field("route", &self.route.route.slug)
            .finish_non_exhaustive()
    }
}

impl Tap {
    fn new(route: Arc<ServedRoute>) -> Self {
        Self {
            route,
            seats: Mutex::default(),
            wanted: ArcSwap::default(),
            asked: ArcSwap::default(),
            changed: watch::channel(0).0,
            said: broadcast::channel(BEHIND).0,
            begun: OnceCell::new(),
            subscribed: tokio::sync::Mutex::default(),
        }
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<u64, Wanted>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that somebody here wants to hear.
    fn wanted(&self) -> Arc<Wanted> {
        self.wanted.load_full()
    }

    /// Whether a resource is one that somebody here asked for, now or before.
    fn knows(&self, is_part: impl Fn(&[String]) -> bool) -> bool {
        let of = |all: &ArcSwap<Wanted>| is_part(&all.load().resource_subscriptions);
        of(&self.wanted) || of(&self.asked)
    }

    fn set(&self, seat: u64, wanted: Option<Wanted>) {
        let mut seats = self.seats();
        match wanted {
            Some(wanted) => seats.insert(seat, wanted),
            None => seats.remove(&seat),
        };
        let all = seats.values().fold(Wanted::default(), Wanted::and);
        self.wanted.store(Arc::new(all));
        drop(seats);
        self.changed.send_modify(|count| *count += 1);
    }

    /// Opens the server's stream, unless somebody did. Who gives up while it is opened leaves that to the next one.
    async fn begun(
        self: &Arc<Self>,
        errand: &Errand,
        hello: impl FnOnce() -> Hello,
    ) -> Result<&Begun, ClientError> {
        self.begun
            .get_or_try_init(|| async {
                let wanted = (*self.wanted()).clone();
                let (source, wire) = Source::begin(errand, wanted.clone(), hello()).await?;
                let (told, promises) = watch::channel(Told::default());
                let driver = (!matches!(source, Source::Silent)).then(|| {
                    let driver = Driver::new(self, errand, (source.clone(), wire, wanted), told);
                    tokio::spawn(driver.run()).abort_handle()
                });
                Ok(Begun {
                    source,
                    told: promises,
                    driver,
                })
            })
            .await
    }

    /// Takes back what a legacy server was asked to tell and nobody wants to hear any more.
    async fn unsubscribe(&self, uris: &[String]) {
        let Some(Source::Legacy(own)) = self.begun.get().map(|begun| &begun.source) else {
            return;
        };
        let mut unwanted = Vec::new();
        {
            let mut subscribed = self.subscribed.lock().await;
            let wanted = self.wanted();
            for uri in uris {
                if !wanted.resource_subscriptions.contains(uri) && subscribed.remove(uri) {
                    unwanted.push(uri);
                }
            }
        }
        // Whoever wants one of them again meanwhile asks for it again.
        let farewell = async {
            for uri in unwanted {
                own.unsubscribe(uri).await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(driver) = &self.driver {
            driver.abort();
        }
    }
}

// === impl Seat ===

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seat")
            .field("tap", &self.tap)
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}

impl Seat {
    fn at(tap: Arc<Tap>, wanted: Wanted) -> Self {
        static SEATS: AtomicU64 = AtomicU64::new(0);
        let number = SEATS.fetch_add(1, Ordering::Relaxed);
        let said = tap.said.subscribe();
        tap.set(number, Some(wanted.clone()));
        Self {
            tap,
            number,
            wanted,
            unknown: false,
            said,
        }
    }

    /// What is told here.
    pub(crate) const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Whether the server says nothing at all unasked.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(
            self.tap.begun.get().map(|begun| &begun.source),
            Some(Source::Silent)
        )
    }

    fn with(mut self, wanted: Wanted) -> Self {
        self.wish(wanted);
        self
    }

    /// The host wants to hear other things now.
    pub(super) fn wish(&mut self, wanted: Wanted) {
        if wanted != self.wanted {
            self.tap.set(self.number, Some(wanted.clone()));
            self.wanted = wanted;
        }
    }

    /// The same with what a legacy server tells of it, which is asked to.
    async fn told_by_legacy(self, own: &OwnSession, patience: Duration) -> Self {
        let mut wanted = self.wanted.clone().told_by(&own.initialized());
        let Ok(mut subscribed) = tokio::time::timeout(patience, self.tap.subscribed.lock()).await else {
            wanted.resource_subscriptions.clear();
            return self.with(wanted);
        };
        let open: Vec<String> = wanted.resource_subscriptions.clone();
        let fresh: Vec<String> = open.into_iter().filter(|uri| !subscribed.contains(uri)).collect();
        let agreed = tokio::time::timeout(patience, own.subscribe(&fresh)).await;
        subscribed.extend(agreed.unwrap_or_default());
        wanted
            .resource_subscriptions
            .retain(|uri| subscribed.contains(uri));
        drop(subscribed);
        self.with(wanted)
    }

    /// The same once a modern server promised what is wanted here, as far as it does.
    pub(crate) async fn promised(mut self) -> Self {
        self.unknown = true;
        let Some(begun) = self.tap.begun.get() else {
            return self;
        };
        let mut told = begun.told.clone();
        let is_asked = |told: &Told| told.asked.includes(&self.wanted);
        let _ = tokio::time::timeout(PATIENCE, told.wait_for(is_asked)).await;
        let promised = self.wanted.clone().among(&told.borrow().promised);
        self.with(promised)
    }

    /// What comes next that may be for this seat.
    pub(super) async fn hear(&mut self) -> Said {
        match self.said.recv().await {
            Ok(said) => said,
            Err(broadcast::error::RecvError::Lagged(_)) => Said::Missed,
            // Only a tap that was never begun says nothing more.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }

    /// Whether a notification is for this seat.
    pub(super) fn is_for(&self, method: &str, uri: Option<&str>) -> bool {
        match uri {
            Some(uri) if method == "notifications/resources/updated" => {
                let own = &self.wanted.resource_subscriptions;
                // A server may tell of a part of the resource that was subscribed to.
                let is_part = |all: &[String]| all.iter().any(|of| uri.starts_with(of.as_str()));
                is_part(own) || !own.is_empty() && !self.tap.knows(is_part)
            }
            _ => self.wanted.covers(method) || self.unknown && !Wanted::knows(method),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.tap.set(self.number, None);
        let uris = std::mem::take(&mut self.wanted.resource_subscriptions);
        let others = !self.tap.seats().is_empty();
        if let (true, false, Ok(runtime)) = (others, uris.is_empty(), tokio::runtime::Handle::try_current()) {
            let tap = Arc::clone(&self.tap);
            runtime.spawn(async move { tap.unsubscribe(&uris).await });
        }
    }
}
