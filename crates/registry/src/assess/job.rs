//! The job that judges what was submitted, and judges again what is listed: a server may change, and a name that was the only
//! one of its kind may get a neighbour.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::{Imported, Locks, StoreError};
use tokio::sync::watch;

use crate::error::RegistryError;
use crate::registry::Registry;

/// Versions of one round.
const ROUND: u32 = 20;
/// Rest after a round that found nothing more to do.
const REST: Duration = Duration::from_secs(60);
/// Rest between rounds while there is more.
const BREATH: Duration = Duration::from_secs(1);
/// How long one version may take before another node may try.
const TURN: Duration = Duration::from_secs(120);

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
pub struct AssessJob(AssessParts);

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
        Self(parts)
    }

    /// Runs until the node stops.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut rest = REST;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(rest) => {}
            }
            let round = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                round = self.round() => round,
            };
            rest = match round {
                Ok(judged) if judged >= ROUND as usize => BREATH,
                Ok(_) => REST,
                Err(error) => {
                    tracing::warn!(error = %error, "versions could not be assessed; the next round tries again");
                    REST
                }
            };
        }
    }

    /// Judges what waits longest. Returns how many versions were judged here.
    pub async fn round(&self) -> Result<usize, RegistryError> {
        let AssessParts {
            registry,
            repeat,
            imported,
            ..
        } = &self.0;
        let since = registry.parts.clock.now().minus(*repeat);
        let waiting = registry
            .parts
            .assessments
            .unassessed(since, *imported, ROUND)
            .await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let neighbours = registry.neighbours().await?;
        let mut judged = 0;
        for (name, version) in &waiting {
            judged += usize::from(self.turn(name, version, &neighbours).await?);
        }
        Ok(judged)
    }

    /// Judges one version, unless another node does.
    async fn turn(
        &self,
        name: &ServerName,
        version: &VersionText,
        neighbours: &Arc<[String]>,
    ) -> Result<bool, RegistryError> {
        let key = format!("assess/{name}/{version}");
        let lease = match self.0.locks.acquire(&key, &self.0.holder, TURN).await {
            Ok(Some(lease)) => lease,
            Ok(None) => return Ok(false),
            Err(error) => {
                // Without locks two nodes may do the same work; that is better than none doing it.
                tracing::debug!(error = %error, "an assessment is made without a lock");
                return self.judge(name, version, neighbours).await;
            }
        };
        let outcome = self.judge(name, version, neighbours).await;
        if let Err(error) = self.0.locks.release(&lease).await {
            tracing::debug!(error = %error, "the lock of an assessment ends by its time");
        }
        outcome
    }

    async fn judge(
        &self,
        name: &ServerName,
        version: &VersionText,
        neighbours: &Arc<[String]>,
    ) -> Result<bool, RegistryError> {
        let registry = &self.0.registry;
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
        let assessment = registry.judged(&entry, version, Arc::clone(neighbours)).await?;
        match registry.keep(&Caller::system(), name, &assessment).await {
            Ok(()) => Ok(true),
            // Removed while it was judged.
            Err(RegistryError::NotFound { .. }) => Ok(false),
            Err(RegistryError::Store(StoreError::NotFound { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
