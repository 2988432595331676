//! Keeps the index up to date: before each search the count of changes is asked for, and what changed is read.
//!
//! Before: somebody saved an entry, on this node or another. After: the search sees it.

use std::sync::{Arc, PoisonError, RwLock};

use portreeve_core::ports::{EntryFeed, FeedPosition, StoreError};
use tokio::sync::Mutex;

use super::index::Index;

/// Entries that are read at once.
const STEP: u32 = 500;

/// The index, following the store.
pub struct Searcher {
    feed: Arc<dyn EntryFeed>,
    index: RwLock<Index>,
    /// Up to where the index followed. One follows at a time.
    followed: Mutex<Followed>,
}

/// How far somebody came.
struct Followed {
    /// The last change that was taken in.
    at: FeedPosition,
    /// Every change up to this count was taken in.
    whole: i64,
}

impl std::fmt::Debug for Searcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Searcher")
    }
}

// === impl Searcher ===

impl Searcher {
    /// An index that knows nothing yet.
    pub fn new(feed: Arc<dyn EntryFeed>) -> Self {
        Self {
            feed,
            index: RwLock::default(),
            followed: Mutex::new(Followed {
                at: FeedPosition {
                    generation: -1,
                    server: String::new(),
                },
                whole: -1,
            }),
        }
    }

    /// Follows up to this moment.
    pub(crate) async fn follow(&self) -> Result<(), StoreError> {
        let generation = self.feed.entry_generation().await?;
        let mut followed = self.followed.lock().await;
        if followed.whole >= generation {
            return Ok(());
        }
        loop {
            let changed = self.feed.changed_entries(&followed.at, STEP).await?;
            let is_end = changed.len() < STEP as usize;
            if let Some(last) = changed.last().cloned() {
                let names: Vec<String> = changed.into_iter().map(|change| change.server).collect();
                let entries = self.feed.searchable(&names).await?;
                self.take(&names, &entries);
                // What was taken in stays so, should the next step fail.
                followed.at = last;
            }
            if is_end {
                break;
            }
        }
        followed.whole = generation;
        Ok(())
    }

    /// Asks the index. Nothing may wait in `with`.
    pub(super) fn read<T>(&self, with: impl FnOnce(&Index) -> T) -> T {
        with(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self, names: &[String], entries: &[portreeve_core::ports::Searchable]) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            index.remove(name);
        }
        for entry in entries {
            index.put(entry);
        }
    }
}
