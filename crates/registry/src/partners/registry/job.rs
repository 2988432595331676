//! What nobody asks for: follows what other nodes changed, pulls newer catalogues, looks at servers again. Each node follows;
//! the rest is done by one of them at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Partners;
use super::offers::Told;

/// Rest between two looks at the store.
const REST: Duration = Duration::from_secs(1);
/// Longest rest between two looks whether something is due.
const LOOK: Duration = Duration::from_secs(60);

/// The job. One per node.
#[derive(Debug)]
pub struct PartnerJob(Arc<Partners>);

// === impl PartnerJob ===

impl PartnerJob {
    /// A job that does nothing until it is run.
    pub fn new(partners: Arc<Partners>) -> Self {
        Self(partners)
    }

    /// Runs until the node stops.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.follow() => {}
            () = self.pull() => {}
            () = self.verify() => {}
        }
    }

    async fn follow(&self) {
        let mut is_failing = false;
        let mut told = Told::default();
        loop {
            let followed = match self.0.follow().await {
                Ok(()) => self.0.tell_offers(&mut told).await,
                Err(error) => Err(error),
            };
            if let Err(error) = &followed
                && !is_failing
            {
                tracing::warn!(%error, "what is kept in memory of partners does not follow the store; it is tried again");
            }
            is_failing = followed.is_err();
            tokio::time::sleep(REST).await;
        }
    }

    async fn pull(&self) {
        if self.0.parts.settings.url.is_none() {
            return std::future::pending().await;
        }
        let rest = self.0.parts.settings.every.min(LOOK).max(REST);
        loop {
            // What is here is known first.
            tokio::time::sleep(REST).await;
            if let Err(error) = self.0.pull_if_due().await {
                tracing::warn!(%error, "the partner catalogue could not be pulled; this is tried again");
            }
            tokio::time::sleep(rest.saturating_sub(REST)).await;
        }
    }

    async fn verify(&self) {
        let Some(every) = self.0.parts.settings.verify_every else {
            return std::future::pending().await;
        };
        let rest = every.min(LOOK * 10).max(REST);
        loop {
            tokio::time::sleep(rest).await;
            if let Err(error) = self.0.verify_if_due().await {
                tracing::warn!(%error, "servers of partners could not be looked at again; the next round tries again");
            }
        }
    }
}
