//! Follows the feed of entries: what is kept in memory of them takes in what changed, in the order in which it changed.
//!
//! Before: somebody saved an entry, on this node or another. After: the index of `search` or the shelf of `serve` knows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use portreeve_core::ports::{EntryFeed, FeedPosition, StoreError};
use tokio::sync::{Mutex, MutexGuard};

/// Entries that are taken in at once.
const STEP: u32 = 500;
/// No change was taken in yet.
const NOTHING: i64 = -1;

/// Something in memory that follows entries.
pub(crate) trait Takes: Sync {
    /// Takes in how these entries are now. Those that are gone are forgotten.
    fn take(&self, names: Vec<String>) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// How far somebody came, who follows.
pub(crate) struct Follower {
    feed: Arc<dyn EntryFeed>,
    /// The last change that was taken in. One follows at a time.
    at: Mutex<FeedPosition>,
    /// Every change up to this count was taken in.
    known: AtomicI64,
}

// === impl Follower ===

impl Follower {
    /// Nothing is known yet.
    pub(crate) fn new(feed: Arc<dyn EntryFeed>) -> Self {
        Self {
            feed,
            at: Mutex::new(FeedPosition {
                generation: NOTHING,
                server: String::new(),
            }),
            known: AtomicI64::new(NOTHING),
        }
    }

    /// Whether everything was known once.
    pub(crate) fn is_whole(&self) -> bool {
        self.known() > NOTHING
    }

    /// Whether somebody takes changes in right now.
    pub(crate) fn is_busy(&self) -> bool {
        self.at.try_lock().is_err()
    }

    /// Counts the changes up to this moment.
    pub(crate) async fn now(&self) -> Result<i64, StoreError> {
        self.feed.entry_generation().await
    }

    /// Follows up to this moment.
    pub(crate) async fn follow(&self, who: &impl Takes) -> Result<(), StoreError> {
        let now = self.now().await?;
        self.follow_to(now, who).await
    }

    /// Whether every change up to this count was taken in.
    pub(crate) fn knows(&self, count: i64) -> bool {
        self.known() >= count
    }

    /// Follows up to this count.
    pub(crate) async fn follow_to(&self, count: i64, who: &impl Takes) -> Result<(), StoreError> {
        if self.knows(count) {
            return Ok(());
        }
        let mut at = self.at.lock().await;
        while !self.knows(count) {
            let changed = self.feed.changed_entries(&at, STEP).await?;
            let is_end = changed.len() < STEP as usize;
            if let Some(last) = changed.last().cloned() {
                who.take(changed.into_iter().map(|change| change.server).collect())
                    .await?;
                // What was taken in stays so, should the next step fail.
                *at = last;
            }
            // Changes are told in their order, so those that come behind this moment may wait.
            if is_end || at.generation > count {
                self.known.store(count, Ordering::Release);
            }
        }
        Ok(())
    }

    /// Keeps others from taking changes in while it is held.
    pub(crate) async fn alone(&self) -> MutexGuard<'_, FeedPosition> {
        self.at.lock().await
    }

    fn known(&self) -> i64 {
        self.known.load(Ordering::Acquire)
    }
}
