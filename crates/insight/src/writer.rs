//! Moves usage from the ring into the store: every second, when somebody asks, and at shutdown.
//!
//! Before it: [`UsageRing`]. After it: the store's rollups. While the store is away the writer keeps one batch and
//! the ring keeps the rest; what comes on top is dropped and counted, so memory stays bounded.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::ports::{StoreError, UsageStore};
use portreeve_core::time::Clock;
use portreeve_core::usage::UsageEvent;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;

use crate::purge::UsagePurge;
use crate::ring::UsageRing;
use crate::shutdown;

/// Events of one transaction.
const BATCH: usize = 1_000;
/// The time between two looks at the ring.
const EVERY: Duration = Duration::from_secs(1);
/// How long somebody who asked for a flush waits for it.
const FLUSH_WAIT: Duration = Duration::from_secs(1);
/// How often the store is tried at shutdown, and the pause between.
const LAST_TRIES: u32 = 3;
const LAST_PAUSE: Duration = Duration::from_millis(500);

/// Asks the writer to write now, so that an answer counts the call of a moment ago. Cheap to clone.
#[derive(Debug, Clone)]
pub struct UsageFlush {
    ask: mpsc::Sender<oneshot::Sender<()>>,
}

impl UsageFlush {
    /// Returns when what was in the ring is written, when that failed, or after a second.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        // A full queue means that others asked already: their flush is ours.
        if self.ask.try_send(done).is_ok() {
            let _ = tokio::time::timeout(FLUSH_WAIT, wait).await;
        }
    }
}

/// The one who drains the ring.
pub struct UsageWriter {
    ring: Arc<UsageRing>,
    store: Arc<dyn UsageStore>,
    pending: Vec<UsageEvent>,
    store_is_away: bool,
    ask: UsageFlush,
    asked: mpsc::Receiver<oneshot::Sender<()>>,
    purge: UsagePurge,
}

impl UsageWriter {
    /// A writer from this ring into this store. The clock tells it what is too old to be kept.
    pub fn new(ring: Arc<UsageRing>, store: Arc<dyn UsageStore>, clock: Arc<dyn Clock>) -> Self {
        let (ask, asked) = mpsc::channel(16);
        Self {
            purge: UsagePurge::new(Arc::clone(&store), clock),
            ring,
            store,
            pending: Vec::with_capacity(BATCH),
            store_is_away: false,
            ask: UsageFlush { ask },
            asked,
        }
    }

    /// A handle by which readers ask for a flush.
    pub fn flusher(&self) -> UsageFlush {
        self.ask.clone()
    }

    /// Works until `shutdown` says `true` or its sender is gone, then writes what is left. Old usage is deleted
    /// beside it, once a day.
    pub async fn run(self, shutdown: watch::Receiver<bool>) {
        let purge = self.purge.clone().run(shutdown.clone());
        tokio::join!(self.write(shutdown), purge);
    }

    async fn write(mut self, mut shutdown: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown::told(&mut shutdown) => break,
                _ = tick.tick() => self.drain().await,
                Some(done) = self.asked.recv() => {
                    self.drain().await;
                    let _ = done.send(());
                }
            }
        }
        self.finish().await;
    }

    /// Writes until ring and batch are empty, or until the store fails.
    async fn drain(&mut self) {
        while self.fill() {
            match self.store.add_usage(&self.pending).await {
                Ok(()) => self.store_is_back(),
                Err(StoreError::Unavailable(reason)) => return self.store_went_away(reason.as_ref()),
                Err(error) => self.give_up(&error),
            }
            self.pending.clear();
        }
    }

    /// Fills the batch from the ring, unless one waits already. `false`: there is nothing to write.
    fn fill(&mut self) -> bool {
        if self.pending.is_empty() {
            self.pending
                .extend(std::iter::from_fn(|| self.ring.pop()).take(BATCH));
        }
        !self.pending.is_empty()
    }

    async fn finish(&mut self) {
        for left in (0..LAST_TRIES).rev() {
            self.drain().await;
            if self.pending.is_empty() {
                return;
            }
            if left > 0 {
                tokio::time::sleep(LAST_PAUSE).await;
            }
        }
        let lost = self.pending.len() + self.ring.len();
        tracing::error!(
            lost,
            "usage events are lost: the store did not come back before shutdown"
        );
    }

    fn store_went_away(&mut self, reason: &dyn std::error::Error) {
        if !self.store_is_away {
            self.store_is_away = true;
            tracing::warn!(%reason, "usage cannot be written; it is kept in memory as far as it fits");
        }
    }

    fn store_is_back(&mut self) {
        if self.store_is_away {
            self.store_is_away = false;
            let dropped = self.ring.dropped();
            tracing::info!(dropped, "usage is written again");
        }
    }

    /// The store answered, and trying again would not help: one bad batch must not stop the others.
    fn give_up(&mut self, error: &StoreError) {
        let lost = self.pending.len();
        self.ring.count_dropped(lost);
        tracing::error!(%error, lost, "the store refused usage events");
    }
}
