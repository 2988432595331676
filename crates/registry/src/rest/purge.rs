//! Toolsets that no version names are removed after a while: imports that were given up half-way, versions of servers that
//! were removed.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::id::EventId;
use tokio::sync::watch;

use crate::error::RegistryError;
use crate::registry::Registry;

/// An import keeps its toolset before it saves the version, which takes seconds; so much longer nobody waits.
const GRACE: Duration = Duration::from_secs(24 * 60 * 60);
/// Rest between rounds.
const REST: Duration = Duration::from_secs(60 * 60);

/// The job. One per node; two at once find nothing twice.
#[derive(Debug)]
pub struct PurgeJob(Arc<Registry>);

// === impl PurgeJob ===

impl PurgeJob {
    /// A job that does nothing until it is run.
    pub fn new(registry: Arc<Registry>) -> Self {
        Self(registry)
    }

    /// Runs until the node stops.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "toolsets that nobody needs could not be removed; it is tried again");
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(REST) => {}
            }
        }
    }

    /// Removes what no version names. Returns how many toolsets that were.
    pub async fn round(&self) -> Result<u64, RegistryError> {
        let parts = &self.0.parts;
        let now = parts.clock.now();
        let event = AuditEvent::new(
            EventId::new(parts.clock.as_ref(), parts.rng.as_ref()),
            now,
            "toolsets.purge",
            &Caller::system(),
        );
        let removed = parts.toolsets.purge_toolsets(now.minus(GRACE), event).await?;
        if removed > 0 {
            tracing::info!(removed, "toolsets that no version names were removed");
        }
        Ok(removed)
    }
}
