//! Keeps the shelf up to date: before each list the count of changes is asked for, and what changed is read.
//!
//! Before: somebody saved an entry, on this node or another. After: `lists` finds it on the shelf. Where the shelf is not
//! at hand, because it is still being made, is behind a large import, or would be too large, the store is asked instead,
//! which says the same and takes longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use portreeve_core::ports::{EntryFeed, ServedStore, StoreError};

use super::shelf::{Shelf, Torn};
use crate::follow::{Follower, Takes};

/// More entries than these are packed on a thread of their own: others wait for this one.
const AT_ONCE: usize = 32;

/// The shelf, following the store.
pub(crate) struct ShelfKeeper {
    served: Arc<dyn ServedStore>,
    shelf: ArcSwap<Shelf>,
    follower: Follower,
    /// Bytes that it may take.
    most: usize,
    /// There is more than may be kept: until the next start nothing is.
    is_over: AtomicBool,
}

impl std::fmt::Debug for ShelfKeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShelfKeeper")
    }
}

// === impl ShelfKeeper ===

impl ShelfKeeper {
    /// A shelf that holds nothing yet, and may take so many bytes.
    pub(crate) fn new(feed: Arc<dyn EntryFeed>, served: Arc<dyn ServedStore>, most: usize) -> Self {
        Self {
            served,
            shelf: ArcSwap::default(),
            follower: Follower::new(feed),
            most,
            is_over: AtomicBool::new(false),
        }
    }

    /// The shelf with everything that was saved up to now, unless that takes longer than this.
    pub(crate) async fn now(&self, wait: Duration) -> Result<Option<Arc<Shelf>>, StoreError> {
        if self.is_over() {
            return Ok(None);
        }
        let now = self.follower.now().await?;
        if !self.follower.knows(now) {
            // Who makes it from the beginning has much to read.
            if !self.follower.is_whole() && self.follower.is_busy() {
                return Ok(None);
            }
            match tokio::time::timeout(wait, self.follower.follow_to(now, self)).await {
                Ok(followed) => followed?,
                Err(_) => return Ok(None),
            }
        }
        let is_kept = !self.is_over();
        Ok(is_kept.then(|| self.shelf.load_full()))
    }

    /// Follows up to this moment, however long that takes.
    pub(crate) async fn follow(&self) -> Result<(), StoreError> {
        if self.is_over() {
            return Ok(());
        }
        self.follower.follow(self).await
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}

impl Takes for ShelfKeeper {
    async fn take(&self, names: Vec<String>) -> Result<(), StoreError> {
        if self.is_over() {
            return Ok(());
        }
        let entries = self.served.served_entries(&names).await?;
        let before = self.shelf.load_full();
        let is_large = names.len() > AT_ONCE;
        let work = move || before.with(&names, entries);
        let shelf = if is_large {
            let done = tokio::task::spawn_blocking(work).await;
            done.map_err(|error| StoreError::Unavailable(Box::new(error)))?
        } else {
            work()
        };
        let shelf = shelf.map_err(|Torn| StoreError::Corrupt {
            what: "a list that is kept in memory".to_owned(),
        })?;
        if shelf.bytes() > self.most {
            tracing::warn!(
                bytes = self.most,
                "lists take more memory than they may; from now on they are read from the store"
            );
            self.is_over.store(true, Ordering::Release);
            self.shelf.store(Arc::default());
        } else {
            self.shelf.store(Arc::new(shelf));
        }
        Ok(())
    }
}
