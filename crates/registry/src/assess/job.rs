//! The job that judges what was submitted, and judges again what is listed: a server may change, and a name that was the only
//! one of its kind may get a neighbour. Woken by what is submitted on this node; everything else is found by itself.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{Entry, Imported, Locks, Sought, StoreError};
use portreeve_core::server::{Approval, Lifecycle, Version};
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
/// What nodes take in turns where a rule may approve what is judged: each is compared with what the one before came to.
const BY_RULE: &str = "assess-by-rule";
/// One in so many is looked for among what does not wait for a review.
const FAIR: usize = 4;
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
    /// What waits for a review, what is listed, and then the other proposals of imports, where they are judged.
    sweeps: Vec<Sweep>,
    /// What was submitted and could not be judged: another node was at it, or the database was away.
    again: Vec<Which>,
    /// The names to compare with, and since when.
    neighbours: Option<(Timestamp, Arc<Neighbours>)>,
}

/// A way through all entries, in the order of their names.
#[derive(Debug)]
struct Sweep {
    sought: Sought,
    began: Timestamp,
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
        let mut sweeps = vec![
            Sweep::new(Sought::Waiting(Imported::Left), now),
            Sweep::new(Sought::Listed, now),
        ];
        if parts.imported == Imported::Judged {
            sweeps.push(Sweep::new(Sought::Waiting(Imported::Judged), now));
        }
        Self {
            sweeps,
            parts,
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
                    if is_woken { next } else { Instant::now() + REST }
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
        for number in 0..ROUND {
            let submitted = registry.submitted.take();
            let is_submitted = submitted.is_some();
            let which = match submitted {
                None if looks => self.find(since, number % FAIR == FAIR - 1).await?,
                submitted => submitted,
            };
            let Some(which) = which else {
                round.more = false;
                break;
            };
            let (name, version) = &which;
            match self.turn((&which, is_submitted), since).await {
                Ok(judging) => {
                    round.judged += usize::from(judging == Judging::Done);
                    if is_submitted && judging == Judging::Theirs {
                        self.again.push(which);
                    }
                }
                Err(error @ RegistryError::Store(StoreError::Unavailable(_))) => {
                    if is_submitted {
                        self.again.push(which);
                    }
                    return Err(error);
                }
                // It keeps nobody else waiting.
                Err(error) => {
                    tracing::warn!(server = %name, %version, error = %error, "a version could not be assessed");
                }
            }
        }
        Ok(round)
    }

    /// Begins anew where everything was looked through, once a minute while there is more elsewhere; with what waits for a
    /// review in any case.
    fn begin(&mut self, now: Timestamp) {
        let is_over = self.sweeps.iter().all(Sweep::is_over);
        for (number, sweep) in self.sweeps.iter_mut().enumerate() {
            let is_long_ago = sweep.began <= now.minus(REST);
            if is_over || is_long_ago && (number == 0 || sweep.is_over()) {
                *sweep = Sweep::new(sweep.sought, now);
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

    /// The next version that waits; goes on through the entries for it. Of others than wait for a review first, so that
    /// their turn comes, too.
    async fn find(&mut self, since: Timestamp, others: bool) -> Result<Option<Which>, RegistryError> {
        let assessments = &self.parts.registry.parts.assessments;
        let (first, rest) = self.sweeps.split_at_mut(usize::from(others));
        for sweep in rest.iter_mut().chain(first) {
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
        // What a rule approves next is compared with what was approved last: two of a kind may come one after the other.
        let is_strict = is_reviewed && registry.awaits_rule(version).await?;
        let stored = registry
            .parts
            .assessments
            .assessment(name, &version.version)
            .await?;
        let is_fresh =
            stored.is_some_and(|stored| stored.at >= since && stored.content_hash == version.content_hash);
        // Or the rule was not asked any more, when it came to that.
        if is_fresh && !(is_submitted && is_strict) {
            // Another node was faster.
            return Ok(Judging::Needless);
        }
        let (locks, holder) = (Arc::clone(&self.parts.locks), self.parts.holder.clone());
        let by_rule = if is_strict {
            match lease::take(locks.as_ref(), BY_RULE, &holder, TURN).await {
                Turn::Ours(lease) => lease,
                Turn::Theirs => return Ok(Judging::Theirs),
            }
        } else {
            None
        };
        let outcome = self.assess((&entry, version), is_strict).await;
        if let Some(lease) = by_rule {
            lease::give_back(locks.as_ref(), &lease).await;
        }
        outcome
    }

    async fn assess(
        &mut self,
        (entry, version): (&Entry, &Version),
        is_strict: bool,
    ) -> Result<Judging, RegistryError> {
        let registry = Arc::clone(&self.parts.registry);
        let neighbours = self.neighbours(is_strict).await?;
        let assessment = registry.judged(entry, version, neighbours).await?;
        match registry.keep(&Caller::system(), &version.name, &assessment).await {
            Ok(()) => {
                registry.pass_imported(entry, version, &assessment).await?;
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
    const fn new(sought: Sought, now: Timestamp) -> Self {
        Self {
            sought,
            began: now,
            found: VecDeque::new(),
            last: None,
            is_at_end: false,
        }
    }

    fn is_over(&self) -> bool {
        self.is_at_end && self.found.is_empty()
    }
}
