//! The job that fetches icons once their entry is listed, and again when what it names has changed. Woken by this node's
//! approvals; what another node approved is found by itself.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{IconLook, Locks};
use tokio::sync::watch;

use super::Fetch;
use crate::error::RegistryError;
use crate::lease::{self, Turn};
use crate::registry::Registry;

/// Servers of one round.
const ROUND: u32 = 100;
/// Rest after a round that found nothing more to do.
const REST: Duration = Duration::from_secs(60);
/// Rest between rounds while there is more, and before a round that somebody woke.
const BREATH: Duration = Duration::from_secs(1);
/// How long a round may take before another node may begin one, and how long one waits that finds another at it. What a
/// node that died was at is taken up soon; two that fetch the same do no harm.
const TURN: Duration = Duration::from_secs(20);
/// Rest between two servers: a thousand that were never looked at, as after an import, are no reason to work without
/// one.
const PAUSE: Duration = Duration::from_millis(5);
/// Looks that are written down at once.
const AT_ONCE: usize = 20;

/// What the job works with.
pub struct IconParts {
    /// The registry.
    pub registry: Arc<Registry>,
    /// So that two nodes do not fetch the same.
    pub locks: Arc<dyn Locks>,
    /// The name of this node in locks.
    pub holder: String,
}

/// The job. One per node; one of them works at a time.
pub struct IconJob(IconParts);

impl std::fmt::Debug for IconParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IconParts")
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for IconJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IconJob")
    }
}

// === impl IconJob ===

impl IconJob {
    /// A job that does nothing until it is run.
    pub fn new(parts: IconParts) -> Self {
        Self(parts)
    }

    /// Runs until the node stops.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut rest = BREATH;
        loop {
            let woken = &self.0.registry.icons_wanted;
            let is_woken = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(rest) => false,
                () = woken.notified() => true,
            };
            // Who approves one thing often approves the next one, too.
            let breath = if is_woken { BREATH } else { Duration::ZERO };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(breath) => {}
            }
            let round = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                round = self.attempt() => round,
            };
            rest = match round {
                Ok(None) => TURN,
                Ok(Some(looked)) if looked >= ROUND as usize => BREATH,
                Ok(Some(_)) => REST,
                Err(error) => {
                    tracing::warn!(error = %error, "icons could not be fetched; the next round tries again");
                    REST
                }
            };
        }
    }

    /// Looks at the icons of the servers that wait longest, unless another node does. Returns how many were looked at.
    pub async fn round(&self) -> Result<usize, RegistryError> {
        Ok(self.attempt().await?.unwrap_or_default())
    }

    /// The same; nothing if another node is at it.
    async fn attempt(&self) -> Result<Option<usize>, RegistryError> {
        let IconParts { locks, holder, .. } = &self.0;
        let Turn::Ours(lease) = lease::take(locks.as_ref(), "icons", holder, TURN).await else {
            return Ok(None);
        };
        let round = self.work().await;
        if let Some(lease) = lease {
            lease::give_back(locks.as_ref(), &lease).await;
        }
        round.map(Some)
    }

    async fn work(&self) -> Result<usize, RegistryError> {
        let parts = &self.0.registry.parts;
        let due = parts.icons.icons_due(parts.clock.now(), ROUND).await?;
        let mut looks = Vec::new();
        for name in &due {
            tokio::time::sleep(PAUSE).await;
            looks.extend(self.look(name).await?);
            // What was fetched is not put at risk by what comes.
            let is_news = looks.last().is_some_and(|look| !look.events.is_empty());
            if is_news || looks.len() >= AT_ONCE {
                parts.icons.save_icons(std::mem::take(&mut looks)).await?;
            }
        }
        parts.icons.save_icons(looks).await?;
        Ok(due.len())
    }

    async fn look(&self, name: &ServerName) -> Result<Option<IconLook>, RegistryError> {
        let registry = &self.0.registry;
        match registry.parts.entries.entry(name).await? {
            Some(entry) => registry
                .look(&Caller::system(), &entry, Fetch::Missing)
                .await
                .map(Some),
            // Removed since it was found.
            None => Ok(None),
        }
    }
}
