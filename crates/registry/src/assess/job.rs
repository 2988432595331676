//! The job that judges what was submitted, and judges again what is listed: a server may change, and a name that was the only
//! one of its kind may get a neighbour. Woken by what is submitted on this node; everything else is found by itself.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::{Imported, Locks, StoreError};
use portreeve_core::server::Approval;
use portreeve_core::time::Timestamp;
use tokio::sync::watch;

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
    /// What waits of the entries that were looked through.
    waiting: VecDeque<Which>,
    /// The entry up to which everything was looked through, if there are more.
    last: Option<ServerName>,
    /// The names to compare with, and since when.
    neighbours: Option<(Timestamp, Arc<Neighbours>)>,
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Versions that were judged here.
    pub judged: usize,
    /// Whether others may wait.
    pub more: bool,
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
        Self {
            parts,
            waiting: VecDeque::new(),
            last: None,
            neighbours: None,
        }
    }

    /// Runs until the node stops.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut rest = REST;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(rest) => {}
                () = self.wake() => {}
            }
            let round = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                round = self.round() => round,
            };
            rest = match round {
                Ok(Round { more: true, .. }) => BREATH,
                Ok(_) => REST,
                Err(error) => {
                    tracing::warn!(error = %error, "versions could not be assessed; the next round tries again");
                    REST
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
        let registry = Arc::clone(&self.parts.registry);
        let since = registry.parts.clock.now().minus(self.parts.repeat);
        let mut now = self.under_review(registry.submitted.take(ROUND)).await?;
        let is_found = self.find(since, ROUND - now.len()).await?;
        let count = self.waiting.len().min(ROUND - now.len());
        now.extend(self.waiting.drain(..count));
        let mut round = Round {
            judged: 0,
            more: is_found || now.len() == ROUND,
        };
        if now.is_empty() {
            return Ok(round);
        }
        let neighbours = self.neighbours().await?;
        for (name, version) in &now {
            round.judged += usize::from(self.turn((name, version), since, &neighbours).await?);
        }
        Ok(round)
    }

    /// Those of them that somebody is to review still. What was approved meanwhile is judged in its turn.
    async fn under_review(&self, mut submitted: Vec<Which>) -> Result<Vec<Which>, RegistryError> {
        if submitted.is_empty() {
            return Ok(submitted);
        }
        let names: Vec<ServerName> = submitted.iter().map(|(name, _)| name.clone()).collect();
        let entries = self.parts.registry.parts.imports.entries_named(&names).await?;
        submitted.retain(|(name, version)| {
            let versions = entries
                .iter()
                .filter(|entry| entry.server.name == *name)
                .flat_map(|entry| &entry.versions);
            let mut submitted = versions.filter(|known| known.approval == Approval::Submitted);
            submitted.any(|known| known.version == *version)
        });
        Ok(submitted)
    }

    async fn neighbours(&mut self) -> Result<Arc<Neighbours>, RegistryError> {
        let registry = &self.parts.registry;
        let now = registry.parts.clock.now();
        let known = self.neighbours.as_ref();
        if let Some((_, neighbours)) = known.filter(|(since, _)| *since >= now.minus(NAMES)) {
            return Ok(Arc::clone(neighbours));
        }
        let neighbours = registry.neighbours().await?;
        self.neighbours = Some((now, Arc::clone(&neighbours)));
        Ok(neighbours)
    }

    /// Goes on through the entries until that many versions wait. Returns whether there are more entries.
    async fn find(&mut self, since: Timestamp, enough: usize) -> Result<bool, RegistryError> {
        let AssessParts {
            registry, imported, ..
        } = &self.parts;
        while self.waiting.len() < enough {
            let assessments = &registry.parts.assessments;
            let found = assessments
                .unassessed(since, *imported, self.last.as_ref(), AMONG)
                .await?;
            self.waiting.extend(found.versions);
            self.last = found.last;
            if self.last.is_none() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(self.last.is_some())
    }

    /// Judges one version, unless another node does.
    async fn turn(
        &self,
        which: (&ServerName, &VersionText),
        since: Timestamp,
        neighbours: &Arc<Neighbours>,
    ) -> Result<bool, RegistryError> {
        let AssessParts { locks, holder, .. } = &self.parts;
        let key = format!("assess/{}/{}", which.0, which.1);
        let Turn::Ours(lease) = lease::take(locks.as_ref(), &key, holder, TURN).await else {
            return Ok(false);
        };
        let outcome = self.judge(which, since, neighbours).await;
        if let Some(lease) = lease {
            lease::give_back(locks.as_ref(), &lease).await;
        }
        outcome
    }

    async fn judge(
        &self,
        (name, version): (&ServerName, &VersionText),
        since: Timestamp,
        neighbours: &Arc<Neighbours>,
    ) -> Result<bool, RegistryError> {
        let registry = &self.parts.registry;
        let Some(entry) = registry.parts.entries.entry(name).await? else {
            return Ok(false);
        };
        let Some(version) = entry
            .versions
            .iter()
            .find(|candidate| candidate.version == *version)
        else {
            return Ok(false);
        };
        let stored = registry
            .parts
            .assessments
            .assessment(name, &version.version)
            .await?;
        if stored.is_some_and(|stored| stored.at >= since && stored.content_hash == version.content_hash) {
            // Another node was faster.
            return Ok(false);
        }
        let assessment = registry.judged(&entry, version, Arc::clone(neighbours)).await?;
        match registry.keep(&Caller::system(), name, &assessment).await {
            Ok(()) => {
                registry.pass_imported(&entry, version, &assessment).await?;
                Ok(true)
            }
            // Removed while it was judged.
            Err(RegistryError::NotFound { .. }) => Ok(false),
            Err(RegistryError::Store(StoreError::NotFound { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
