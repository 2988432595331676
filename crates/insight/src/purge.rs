//! Forgets usage that is older than [`KEEP_DAYS`]: at the start and then once a day.
//!
//! Safe to run on several nodes at once: deleting what is gone does nothing.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::ports::{StoreError, UsageStore};
use portreeve_core::time::Clock;
use tokio::sync::watch;

use crate::shutdown;

/// How many days of usage are kept: a year, and a month to compare it with.
pub const KEEP_DAYS: u64 = 400;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The daily purge.
#[derive(Clone)]
pub(crate) struct UsagePurge {
    store: Arc<dyn UsageStore>,
    clock: Arc<dyn Clock>,
}

impl UsagePurge {
    /// The job's name in logs.
    const NAME: &'static str = "usage-purge";

    /// A purge of this store.
    pub(crate) fn new(store: Arc<dyn UsageStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Purges now and then every day, until `shutdown` says `true` or its sender is gone.
    pub(crate) async fn run(self, mut shutdown: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(DAY);
        loop {
            tokio::select! {
                () = shutdown::told(&mut shutdown) => return,
                _ = tick.tick() => {
                    if let Err(error) = self.once().await {
                        tracing::warn!(job = Self::NAME, %error, "old usage was not deleted; tomorrow again");
                    }
                }
            }
        }
    }

    /// Purges once.
    async fn once(&self) -> Result<(), StoreError> {
        let keep = DAY.saturating_mul(u32::try_from(KEEP_DAYS).unwrap_or(u32::MAX));
        self.store.purge_usage(self.clock.now().minus(keep)).await
    }
}
