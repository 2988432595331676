//! Builds the index and the shelf after the start and keeps them near the store, so that no search and no list finds much
//! to read.
//!
//! Before: the node started, or somebody saved many entries at once. After: a search or a list reads what changed since
//! the last second.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::ports::StoreError;
use tokio::sync::watch;

use crate::registry::Registry;

/// Rest between two looks at the store.
const REST: Duration = Duration::from_secs(1);
/// Rest after the store did not answer.
const LONG_REST: Duration = Duration::from_secs(5);

/// The job. Each node has its own index.
#[derive(Debug)]
pub struct SearchJob(Arc<Registry>);

// === impl SearchJob ===

impl SearchJob {
    /// A job that does nothing until it is run.
    pub fn new(registry: Arc<Registry>) -> Self {
        Self(registry)
    }

    /// Runs until the node stops.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut is_failing = false;
        loop {
            let round = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                round = self.round() => round,
            };
            if let Err(error) = &round
                && !is_failing
            {
                tracing::warn!(%error, "what is kept in memory for lists and searches does not follow the store; it is tried again");
            }
            is_failing = round.is_err();
            let rest = if is_failing { LONG_REST } else { REST };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Follows up to now, and tidies up.
    async fn round(&self) -> Result<(), StoreError> {
        // A search cannot be answered without its index; a list can be without the shelf. One that fails does not stop
        // the other.
        let index = self.index().await;
        self.0.shelf.follow().await?;
        index
    }

    async fn index(&self) -> Result<(), StoreError> {
        self.0.searcher.follow().await?;
        self.0.searcher.tidy().await
    }
}
