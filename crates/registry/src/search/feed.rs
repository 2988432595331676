//! Keeps the index up to date: before each search the count of changes is asked for, and what changed is read.
//!
//! Before: somebody saved an entry, on this node or another. After: the search sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use portreeve_core::ports::{EntryFeed, FeedPosition, StoreError};
use portreeve_search::Index;
use tokio::sync::Mutex;

/// Entries that are read at once.
const STEP: u32 = 500;
/// More entries than these are cut into words, and put into larger segments, on a thread of their own: others wait for
/// this one.
const AT_ONCE: usize = 32;

/// The index, following the store.
pub struct Searcher {
    feed: Arc<dyn EntryFeed>,
    index: ArcSwap<Index>,
    /// Up to where the index followed. One follows at a time, and only who does changes the index.
    followed: Mutex<Followed>,
    /// Whether it knew every entry once.
    is_whole: AtomicBool,
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
            index: ArcSwap::default(),
            followed: Mutex::new(Followed {
                at: FeedPosition {
                    generation: -1,
                    server: String::new(),
                },
                whole: -1,
            }),
            is_whole: AtomicBool::new(false),
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
        self.is_whole.load(Ordering::Acquire)
    }

    /// The index as it is now.
    pub(super) fn index(&self) -> Arc<Index> {
        self.index.load_full()
    }

    /// Follows up to this moment.
    pub(crate) async fn follow(&self) -> Result<(), StoreError> {
        let generation = self.feed.entry_generation().await?;
        let mut followed = self.followed.lock().await;
        while followed.whole < generation {
            let changed = self.feed.changed_entries(&followed.at, STEP).await?;
            let is_end = changed.len() < STEP as usize;
            if let Some(last) = changed.last().cloned() {
                let names: Vec<String> = changed.into_iter().map(|change| change.server).collect();
                self.take(names).await?;
                // What was taken in stays so, should the next step fail.
                followed.at = last;
            }
            // Changes are told in their order, so those that come behind this moment may wait.
            if is_end || followed.at.generation > generation {
                followed.whole = generation;
                self.is_whole.store(true, Ordering::Release);
            }
        }
        Ok(())
    }

    /// Joins the large segments that should be joined. Searches and changes go on meanwhile.
    pub(super) async fn tidy(&self) -> Result<(), StoreError> {
        while let Some(merge) = self.index().to_merge(usize::MAX) {
            let merged = aside(move || merge.run()).await?;
            let _one_at_a_time = self.followed.lock().await;
            self.index.store(Arc::new(self.index().with_merged(merged)));
        }
        Ok(())
    }

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
