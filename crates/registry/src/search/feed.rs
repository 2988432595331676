//! Keeps the index up to date: before each search the count of changes is asked for, and what changed is read.
//!
//! Before: somebody saved an entry, on this node or another. After: the search sees it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use portreeve_core::ports::{EntryFeed, StoreError};
use portreeve_search::Index;

use crate::follow::{Follower, Takes};

/// More entries than these are cut into words, and put into larger segments, on a thread of their own: others wait for
/// this one.
const AT_ONCE: usize = 32;

/// The index, following the store. Only who follows changes it.
pub struct Searcher {
    feed: Arc<dyn EntryFeed>,
    index: ArcSwap<Index>,
    follower: Follower,
}

/// How far the index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchState {
    /// Servers that can be found.
    pub entries: usize,
    /// Pieces that it is made of.
    pub segments: usize,
    /// Memory that it takes, about.
    pub bytes: usize,
    /// Whether it knew every server once since the start. What changed after that is read before it is looked for.
    pub is_whole: bool,
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
            follower: Follower::new(Arc::clone(&feed)),
            feed,
            index: ArcSwap::default(),
        }
    }

    /// How far the index is.
    pub(super) fn state(&self) -> SearchState {
        let index = self.index();
        SearchState {
            entries: index.len(),
            segments: index.segments(),
            bytes: index.bytes(),
            is_whole: self.is_whole(),
        }
    }

    /// Whether it knew every server once.
    pub(super) fn is_whole(&self) -> bool {
        self.follower.is_whole()
    }

    /// The index as it is now.
    pub(super) fn index(&self) -> Arc<Index> {
        self.index.load_full()
    }

    /// Follows up to this moment.
    pub(crate) async fn follow(&self) -> Result<(), StoreError> {
        self.follower.follow(self).await
    }

    /// Joins the large segments that should be joined. Searches and changes go on meanwhile.
    pub(super) async fn tidy(&self) -> Result<(), StoreError> {
        while let Some(merge) = self.index().to_merge(usize::MAX) {
            let merged = aside(move || merge.run()).await?;
            let _one_at_a_time = self.follower.alone().await;
            self.index.store(Arc::new(self.index().with_merged(merged)));
        }
        Ok(())
    }
}

impl Takes for Searcher {
    /// Reads entries, and puts them into the index.
    async fn take(&self, names: Vec<String>) -> Result<(), StoreError> {
        let entries = self.feed.searchable(&names).await?;
        let before = self.index();
        let is_large = names.len() > AT_ONCE;
        let work = move || settled(before.with(&names, &entries));
        let index = if is_large { aside(work).await? } else { work() };
        self.index.store(Arc::new(index));
        Ok(())
    }
}

/// Joins small segments at once: that takes less time than to find them again and again.
fn settled(mut index: Index) -> Index {
    while let Some(merge) = index.to_merge(AT_ONCE) {
        index = index.with_merged(merge.run());
    }
    index
}

/// Works on a thread that nobody waits for.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Unavailable(Box::new(error)))
}
