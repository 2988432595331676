//! The job that judges what was submitted, and judges again what is listed: a server may change, and a name that was the only
//! one of its kind may get a neighbour. Woken by what is submitted on this node; everything else is found by itself.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{Imported, Locks, Sought, StoreError};
use portreeve_core::server::{Approval, Lifecycle};
use portreeve_core::time::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::near_names::Neighbours;
use super::submitted::Which;
use crate::error::RegistryError;
use crate::lease::{self, Turn};
use crate::registry::Registry;

/// Versions of one round.
const ROUND: usize = 20;
/// Entries that are looked through at once: what that takes, a request may have to wait for.
const AMONG: u32 = 200;
/// Rest between them.
const PAUSE: Duration = Duration::from_millis(5);
/// Rest after a round that found nothing more to do.
const REST: Duration = Duration::from_secs(60);
/// Rest between rounds while there is more, and before one that a submission woke.
const BREATH: Duration = Duration::from_secs(1);
/// How long one version may take before another node may try.
const TURN: Duration = Duration::from_secs(120);
/// How long the names of listed servers serve: to gather them takes longer than to judge what somebody submitted.
const NAMES: Duration = Duration::from_secs(60);

/// What the job works with.
pub struct AssessParts {
    /// The registry.
    pub registry: Arc<Registry>,
    /// So that two nodes do not judge the same version at once.
    pub locks: Arc<dyn Locks>,
    /// The name of this node in locks.
    pub holder: String,
    /// How old an assessment may become.
    pub repeat: Duration,
    /// Whether proposals of imports are judged, too.
    pub imported: Imported,
}

/// The job. One per node; the nodes share the work.
pub struct AssessJob {
    parts: AssessParts,
    /// What waits for a review, and what is listed.
    sweeps: [Sweep; 2],
    /// When the first of them began.
    began: Timestamp,
    /// What was submitted and could not be judged: another node was at it, or the database was away.
    again: Vec<Which>,
    /// The names to compare with, and since when.
    neighbours: Option<(Timestamp, Arc<Neighbours>)>,
}

/// A way through all entries, in the order of their names.
#[derive(Debug)]
struct Sweep {
    sought: Sought,
    /// What was found and not judged yet.
    found: VecDeque<Which>,
    /// The entry up to which everything was looked through.
    last: Option<ServerName>,
    is_at_end: bool,
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Versions that were judged here.
    pub judged: usize,
    /// Whether others may wait.
    pub more: bool,
}

/// What became of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judging {
    /// It was judged.
    Done,
    /// There is nothing to judge any more.
    Needless,
    /// Another node is at it.
    Theirs,
}

impl std::fmt::Debug for AssessParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssessParts")
            .field("repeat", &self.repeat)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AssessJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AssessJob")
    }
}

// === impl AssessJob ===

impl AssessJob {
    /// A job that does nothing until it is run.
    pub fn new(parts: AssessParts) -> Self {
        let now = parts.registry.parts.clock.now();
        Self {
            sweeps: [
                Sweep::new(Sought::Waiting(parts.imported)),
                Sweep::new(Sought::Listed),
            ],
            parts,
            began: now,
            again: Vec::new(),
            neighbours: None,
        }
    }

    /// Runs until the node stops.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut next = Instant::now() + REST;
        loop {
            let is_woken = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep_until(next) => false,
                () = self.wake() => true,
            };
            let round = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                round = self.some(!is_woken) => round,
            };
            next = match round {
                Ok(Round { more: true, .. }) => Instant::now() + BREATH,
                Ok(_) if is_woken => next,
                Ok(_) => Instant::now() + REST,
                Err(error) => {
                    tracing::warn!(error = %error, "versions could not be assessed; the next round tries again");
                    Instant::now() + REST
                }
            };
        }
    }

    /// Waits until something was submitted, and a moment more: who submits one thing often submits the next one, too.
    async fn wake(&self) {
        self.parts.registry.submitted.come().await;
        tokio::time::sleep(BREATH).await;
    }

    /// Judges what was submitted here, and then some of what waits besides.
    pub async fn round(&mut self) -> Result<Round, RegistryError> {
        self.some(true).await
    }

    /// The same, one after the other: what is submitted meanwhile comes next. Without the rest if nobody looks for it.
    async fn some(&mut self, looks: bool) -> Result<Round, RegistryError> {
        let registry = Arc::clone(&self.parts.registry);
        let now = registry.parts.clock.now();
        let since = now.minus(self.parts.repeat);
        if looks {
            registry.submitted.put(std::mem::take(&mut self.again));
            self.begin(now);
        }
        let mut round = Round {
            judged: 0,
            more: true,
        };
        for _ in 0..ROUND {
            let submitted = registry.submitted.take();
            let is_submitted = submitted.is_some();
            let which = match submitted {
                None if looks => self.find(since).await?,
                submitted => submitted,
            };
            let Some(which) = which else {
                round.more = false;
                break;
            };
            let turn = self.turn((&which, is_submitted), since).await;
            let is_left = matches!(turn, Ok(Judging::Theirs) | Err(RegistryError::Store(_)));
            if is_submitted && is_left {
                self.again.push(which);
            }
            round.judged += usize::from(turn? == Judging::Done);
        }
        Ok(round)
    }

    /// Begins anew where everything was looked through; with what waits for a review also while there is much else.
    fn begin(&mut self, now: Timestamp) {
        let is_over = self.sweeps.iter().all(Sweep::is_over);
        let is_long_ago = self.began <= now.minus(REST);
        for (number, sweep) in self.sweeps.iter_mut().enumerate() {
            if is_over || is_long_ago && number == 0 {
                *sweep = Sweep::new(sweep.sought);
                self.began = now;
            }
        }
    }

    /// Names to compare with that are as of this moment, or not much older.
    async fn neighbours(&mut self, is_strict: bool) -> Result<Arc<Neighbours>, RegistryError> {
        let registry = &self.parts.registry;
        let now = registry.parts.clock.now();
        let known = self.neighbours.as_ref().filter(|_| !is_strict);
        if let Some((_, neighbours)) = known.filter(|(since, _)| *since >= now.minus(NAMES)) {
            return Ok(Arc::clone(neighbours));
        }
        let neighbours = registry.neighbours().await?;
        self.neighbours = Some((now, Arc::clone(&neighbours)));
        Ok(neighbours)
    }

    /// The next version that waits; goes on through the entries for it.
    async fn find(&mut self, since: Timestamp) -> Result<Option<Which>, RegistryError> {
        let assessments = &self.parts.registry.parts.assessments;
        for sweep in &mut self.sweeps {
            loop {
                if let Some(which) = sweep.found.pop_front() {
                    return Ok(Some(which));
                }
                if sweep.is_at_end {
                    break;
                }
                let found = assessments
                    .unassessed(since, sweep.sought, sweep.last.as_ref(), AMONG)
                    .await?;
                sweep.found.extend(found.versions);
                sweep.is_at_end = found.last.is_none();
                sweep.last = found.last;
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(None)
    }

    /// Judges one version, unless another node does.
    async fn turn(
        &mut self,
        (which, is_submitted): (&Which, bool),
        since: Timestamp,
    ) -> Result<Judging, RegistryError> {
        let locks = Arc::clone(&self.parts.locks);
        let key = format!("assess/{}/{}", which.0, which.1);
        let Turn::Ours(lease) = lease::take(locks.as_ref(), &key, &self.parts.holder, TURN).await else {
            return Ok(Judging::Theirs);
        };
        let outcome = self.judge((which, is_submitted), since).await;
        if let Some(lease) = lease {
            lease::give_back(locks.as_ref(), &lease).await;
        }
        outcome
    }

    async fn judge(
        &mut self,
        ((name, version), is_submitted): (&Which, bool),
        since: Timestamp,
    ) -> Result<Judging, RegistryError> {
        let registry = Arc::clone(&self.parts.registry);
        let Some(entry) = registry.parts.entries.entry(name).await? else {
            return Ok(Judging::Needless);
        };
        let mut versions = entry.versions.iter();
        let Some(version) = versions.find(|candidate| candidate.version == *version) else {
            return Ok(Judging::Needless);
        };
        let is_reviewed = version.approval == Approval::Submitted && version.lifecycle != Lifecycle::Retired;
        if is_submitted && !is_reviewed {
            // What was approved meanwhile is judged in its turn.
            return Ok(Judging::Needless);
        }
        let stored = registry
            .parts
            .assessments
            .assessment(name, &version.version)
            .await?;
        if stored.is_some_and(|stored| stored.at >= since && stored.content_hash == version.content_hash) {
            // Another node was faster.
            return Ok(Judging::Needless);
        }
        // What a rule approves next is compared with what was approved last: two of a kind may come one after the other.
        let is_strict = is_reviewed && registry.awaits_rule(version).await?;
        let neighbours = self.neighbours(is_strict).await?;
        let assessment = registry.judged(&entry, version, neighbours).await?;
        match registry.keep(&Caller::system(), name, &assessment).await {
            Ok(()) => {
                registry.pass_imported(&entry, version, &assessment).await?;
                Ok(Judging::Done)
            }
            // Removed while it was judged.
            Err(RegistryError::NotFound { .. }) => Ok(Judging::Needless),
            Err(RegistryError::Store(StoreError::NotFound { .. })) => Ok(Judging::Needless),
            Err(error) => Err(error),
        }
    }
}

// === impl Sweep ===

impl Sweep {
    const fn new(sought: Sought) -> Self {
        Self {
            sought,
            found: VecDeque::new(),
            last: None,
            is_at_end: false,
        }
    }

    fn is_over(&self) -> bool {
        self.is_at_end && self.found.is_empty()
    }
}
