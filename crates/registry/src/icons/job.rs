//! The job that fetches icons once their entry is listed, and again when what it names has changed. Woken by this node's
//! approvals; what another node approved is found by itself.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{IconDue, Locks};
use tokio::sync::watch;

use super::Fetch;
use crate::error::RegistryError;
use crate::lease::{self, Turn};
use crate::registry::Registry;

/// Looks of one round.
const ROUND: usize = 100;
/// Entries that are looked through at once: what that takes, a request may have to wait for.
const AMONG: u32 = 200;
/// Rest after a round that found nothing more to do.
const REST: Duration = Duration::from_secs(60);
/// Rest between rounds while there is more, and before a round that somebody woke.
const BREATH: Duration = Duration::from_secs(1);
/// How long a round may take before another node may begin one, and how long one waits that finds another at it. What a
/// node that died was at is taken up soon; two that fetch the same do no harm.
const TURN: Duration = Duration::from_secs(20);
/// Rest before entries are read: a thousand that were never looked at, as after an import, are no reason to work without one.
const PAUSE: Duration = Duration::from_millis(5);
/// Entries that are read, and looks that are written down, at once.
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

/// What a round came to.
#[derive(Debug, Default)]
struct Round {
    looked: usize,
    /// The entry up to which everything was looked through, if there are more.
    last: Option<ServerName>,
}

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
        let mut last = None;
        // Somebody woke it while it was at the entries behind others.
        let mut is_missed = false;
        loop {
            let woken = &self.0.registry.icons_wanted;
            let is_woken = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(rest) => false,
                () = woken.notified() => true,
            };
            // Who approves one thing often approves the next one, too.
            let breath = if is_woken { BREATH } else { Duration::ZERO };
            is_missed |= is_woken && last.is_some();
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(breath) => {}
            }
            let round = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                round = self.attempt(last.as_ref()) => round,
            };
            rest = match round {
                Ok(None) => TURN,
                Ok(Some(round)) => {
                    last = round.last;
                    if last.is_some() || std::mem::take(&mut is_missed) {
                        BREATH
                    } else {
                        REST
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %error, "icons could not be fetched; the next round tries again");
                    REST
                }
            };
        }
    }

    /// Looks at icons that are due, unless another node does. Returns how many were looked at.
    pub async fn round(&self) -> Result<usize, RegistryError> {
        let round = self.attempt(None).await?;
        Ok(round.unwrap_or_default().looked)
    }

    /// The same, behind this entry; nothing if another node is at it.
    async fn attempt(&self, last: Option<&ServerName>) -> Result<Option<Round>, RegistryError> {
        let IconParts { locks, holder, .. } = &self.0;
        let Turn::Ours(lease) = lease::take(locks.as_ref(), "icons", holder, TURN).await else {
            return Ok(None);
        };
        let round = self.work(last).await;
        if let Some(lease) = lease {
            lease::give_back(locks.as_ref(), &lease).await;
        }
        round.map(Some)
    }

    async fn work(&self, last: Option<&ServerName>) -> Result<Round, RegistryError> {
        let parts = &self.0.registry.parts;
        let mut round = Round {
            looked: 0,
            last: last.cloned(),
        };
        loop {
            let now = parts.clock.now();
            let due = parts.icons.icons_due(now, round.last.as_ref(), AMONG).await?;
            self.look_at(&due.servers).await?;
            round.looked += due.servers.len();
            round.last = due.last;
            if round.last.is_none() || round.looked >= ROUND {
                return Ok(round);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn look_at(&self, due: &[IconDue]) -> Result<(), RegistryError> {
        for some in due.chunks(AT_ONCE) {
            tokio::time::sleep(PAUSE).await;
            self.look_at_some(some).await?;
        }
        Ok(())
    }

    /// Looks at a few entries that are read at once.
    async fn look_at_some(&self, due: &[IconDue]) -> Result<(), RegistryError> {
        let registry = &self.0.registry;
        let icons = &registry.parts.icons;
        let names: Vec<ServerName> = due.iter().map(|due| due.server.clone()).collect();
        // Those that were removed since they were found are not among them.
        let entries = registry.parts.imports.entries_named(&names).await?;
        let mut looks = Vec::new();
        for entry in &entries {
            let name = &entry.server.name;
            let is_known = due.iter().any(|due| due.server == *name && due.is_known);
            let known = if is_known {
                icons.icons_of(name).await?
            } else {
                Vec::new()
            };
            looks.push(
                registry
                    .look(&Caller::system(), entry, &known, Fetch::Missing)
                    .await,
            );
            // What was fetched is not put at risk by what comes.
            if looks.last().is_some_and(|look| !look.events.is_empty()) {
                icons.save_icons(std::mem::take(&mut looks)).await?;
            }
        }
        icons.save_icons(looks).await?;
        Ok(())
    }
}
