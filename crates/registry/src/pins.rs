//! Keeps the pins honest: takes what the gateway sees of live tools, and asks every upstream again by itself.
//!
//! Before: `approve` pinned a list. After: a tool that says something else is hidden by the gateway with the next
//! snapshot, and stands in the audit log as `tools.drift`.

mod refresh;
mod schedule;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use portreeve_core::id::RouteId;
use portreeve_core::limits::Limits;
use portreeve_core::members::VirtualServer;
use portreeve_core::ports::{Locks, PinWatch, Refresh, RouteStore, Signals};
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::route::Route;
use portreeve_core::time::Clock;
use portreeve_core::tool::ToolDefinition;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::observe::{Noted, Sighting};
use crate::source::ToolSource;
use refresh::{Ended, Worker};
use schedule::{Lane, Schedule};

/// Notices that wait at most; more are dropped, since the next list or the next refresh brings them again.
const QUEUE: usize = 1_024;

/// Upstreams of one lane that are asked at once.
const AT_ONCE: usize = 4;

/// What the job needs.
pub struct PinParts {
    /// Routes and tools.
    pub routes: Arc<dyn RouteStore>,
    /// Where tool lists come from.
    pub source: Arc<dyn ToolSource>,
    /// One node of an installation asks, not all of them.
    pub locks: Arc<dyn Locks>,
    /// Tells the other nodes.
    pub signals: Arc<dyn Signals>,
    /// Tells this node.
    pub refresh: Arc<dyn Refresh>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Limits on what comes from outside.
    pub limits: Arc<Limits>,
}

/// When the job does what. The defaults are what the product promises; tests are more impatient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinTimes {
    /// A route is asked again at the latest after this.
    pub interval: Duration,
    /// Notices of one route within this time become one refresh.
    pub debounce: Duration,
    /// Time after a failure, doubled with each further one.
    pub first_retry: Duration,
    /// Where the doubling ends, if it says nothing of the upstream, or a host gets lists from it meanwhile.
    pub longest_retry: Duration,
    /// Where the doubling ends for an upstream that does not answer.
    pub longest_silence: Duration,
    /// How often the job looks for new routes.
    pub reload: Duration,
}

/// The gateway's end: takes notices and never blocks.
#[derive(Debug)]
pub struct PinKeeper {
    queue: mpsc::Sender<Notice>,
    /// Bytes that lists may still take in the queue: a list is up to some MiB, and a thousand of them fit by number.
    room: Arc<Semaphore>,
    dropped: AtomicU64,
}

/// The job's end of the queue.
#[derive(Debug)]
pub struct PinQueue(mpsc::Receiver<Notice>);

/// The job. One per node.
pub struct PinJob {
    queue: PinQueue,
    parts: PinParts,
    times: PinTimes,
}

/// Questions of one lane that are under way.
type Asked = JoinSet<(RouteId, Ended)>;

#[derive(Debug)]
enum Notice {
    /// A list, with its bytes of the queue, which are given back when it was read.
    Seen(RouteId, Era, Vec<ToolDefinition>, OwnedSemaphorePermit),
    ListChanged(RouteId),
}

// === impl PinTimes ===

impl Default for PinTimes {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            debounce: Duration::from_millis(250),
            first_retry: Duration::from_secs(5),
            longest_retry: Duration::from_secs(300),
            longest_silence: Duration::from_secs(24 * 60 * 60),
            reload: Duration::from_secs(2),
        }
    }
}

// === impl PinKeeper ===

impl PinKeeper {
    /// The keeper and its job.
    pub fn new(parts: PinParts) -> (Self, PinJob) {
        let (keeper, queue) = Self::queue(&parts.limits);
        (keeper, PinJob::new(queue, parts))
    }

    /// The keeper alone: the gateway takes it before there is a `Refresh`, which the gateway itself implements.
    pub fn queue(limits: &Limits) -> (Self, PinQueue) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let keeper = Self {
            queue: sender,
            room: Arc::new(Semaphore::new(limits.tool_list_bytes)),
            dropped: AtomicU64::new(0),
        };
        (keeper, PinQueue(receiver))
    }

    /// Notices that found the queue full, by number or by bytes.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn send(&self, notice: Option<Notice>) {
        if notice.is_none_or(|notice| self.queue.try_send(notice).is_err()) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes the bytes of a list out of the room that is left; `None` when there is not enough.
    fn room_for(&self, tools: &[ToolDefinition]) -> Option<OwnedSemaphorePermit> {
        let bytes: usize = tools.iter().map(|tool| tool.definition.len()).sum();
        let bytes = u32::try_from(bytes).ok()?;
        Arc::clone(&self.room).try_acquire_many_owned(bytes).ok()
    }
}

impl PinWatch for PinKeeper {
    fn seen(&self, route: RouteId, era: Era, tools: Vec<ToolDefinition>) {
        let room = self.room_for(&tools);
        self.send(room.map(|room| Notice::Seen(route, era, tools, room)));
    }

    fn list_changed(&self, route: RouteId) {
        self.send(Some(Notice::ListChanged(route)));
    }
}

// === impl PinJob ===

impl std::fmt::Debug for PinJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PinJob")
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

impl PinJob {
    /// The job's name in logs.
    pub const NAME: &'static str = "pins";

    /// Puts the job together.
    pub fn new(queue: PinQueue, parts: PinParts) -> Self {
        Self {
            queue,
            parts,
            times: PinTimes::default(),
        }
    }

    /// The same job with other times.
    #[must_use]
    pub fn with_times(self, times: PinTimes) -> Self {
        Self { times, ..self }
    }

    /// Works until `shutdown` says true, or nobody is left to say it.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) {
        let Self {
            queue: PinQueue(mut queue),
            parts,
            times,
        } = self;
        let worker = Arc::new(Worker::new(parts, times));
        let mut schedule = Schedule::new(times);
        let (mut answering, mut doubtful) = (Asked::new(), Asked::new());
        let mut reload_at = Instant::now();
        let mut is_open = true;
        while !*shutdown.borrow() {
            let now = Instant::now();
            if now >= reload_at {
                worker.reload(&mut schedule, now).await;
                reload_at = now + times.reload;
            }
            let mut wake = reload_at;
            for (lane, tasks) in [(Lane::Answering, &mut answering), (Lane::Doubtful, &mut doubtful)] {
                while tasks.len() < AT_ONCE
                    && let Some((route, occasion)) = schedule.take_due(now, lane)
                {
                    let worker = worker.clone();
                    tasks.spawn(async move { (route, worker.refresh(route, occasion).await) });
                }
                if tasks.len() < AT_ONCE
                    && let Some(due) = schedule.next_due(lane)
                {
                    wake = wake.min(due);
                }
            }
            tokio::select! {
                changed = shutdown.changed() => if changed.is_err() { break },
                notice = queue.recv(), if is_open => match notice {
                    Some(notice) => worker.take(&mut schedule, notice).await,
                    None => is_open = false,
                },
                Some(ended) = answering.join_next(), if !answering.is_empty() => worker.hear(&mut schedule, ended),
                Some(ended) = doubtful.join_next(), if !doubtful.is_empty() => worker.hear(&mut schedule, ended),
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }
}

// === impl Worker ===

impl Worker {
    /// Takes over which routes there are, as far as that changed since they were read.
    async fn reload(&self, schedule: &mut Schedule, now: Instant) {
        match self.parts.routes.active_routes(schedule.generation()).await {
            Ok(news) => schedule.take_over(news, now, || self.jitter()),
            Err(error) => {
                tracing::warn!(%error, "The routes could not be read; the pins are looked after later.")
            }
        }
    }

    /// Takes in how a question ended.
    fn hear(&self, schedule: &mut Schedule, ended: Result<(RouteId, Ended), JoinError>) {
        match ended {
            Ok((route, ended)) => schedule.ended(route, ended, Instant::now(), self.jitter()),
            Err(error) => {
                // Which route it was is lost with it. To ask one of the others twice does no harm.
                tracing::error!(%error, "A refresh of tools broke off.");
                schedule.free_all();
            }
        }
    }

    async fn take(&self, schedule: &mut Schedule, notice: Notice) {
        match notice {
            Notice::ListChanged(route) => {
                if !schedule.knows(route) {
                    self.reload(schedule, Instant::now()).await;
                }
                schedule.hurry(route, Instant::now());
            }
            Notice::Seen(route, era, tools, _room) => {
                let Some(route) = self.find(schedule, route).await else {
                    return;
                };
                schedule.heard(route.id, Instant::now());
                if VirtualServer::is_address(&route.upstream_url) {
                    // It says what its members say, and follows what is approved there.
                    schedule.hurry(route.id, Instant::now());
                    return;
                }
                match self
                    .observer()
                    .part(Sighting {
                        route: &route,
                        era,
                        tools,
                    })
                    .await
                {
                    Ok(Noted::Changed) => self.announce().await,
                    Ok(Noted::Known) => {}
                    Err(error) => {
                        tracing::warn!(route = %route.slug, %error, "Seen tools could not be stored.")
                    }
                }
            }
        }
    }

    /// The route, if it is one that is served.
    async fn find(&self, schedule: &mut Schedule, id: RouteId) -> Option<Route> {
        if !schedule.knows(id) {
            // It is newer than the schedule, or it was never there.
            self.reload(schedule, Instant::now()).await;
        }
        if !schedule.knows(id) {
            return None;
        }
        self.route(id).await.ok().flatten()
    }
}
