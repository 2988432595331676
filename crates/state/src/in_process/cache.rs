//! A cache of bytes, bounded by their number. What is asked for often stays when room is needed.

use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::time::Instant;

/// What an entry costs beside its key and value.
const OVERHEAD: u64 = 64;
/// A guess that only sets the size of tables at the start.
const ENTRY_BYTES: u64 = 4 * 1024;

pub(super) struct ByteCache(Cache<Box<str>, Entry, Bytes>);

#[derive(Clone)]
struct Entry {
    value: std::sync::Arc<[u8]>,
    /// None: the time to live is longer than time.
    until: Option<Instant>,
}

/// Weighs an entry by its bytes.
#[derive(Clone)]
struct Bytes;

impl Weighter<Box<str>, Entry> for Bytes {
    fn weight(&self, key: &Box<str>, entry: &Entry) -> u64 {
        key.len() as u64 + entry.value.len() as u64 + OVERHEAD
    }
}

impl std::fmt::Debug for ByteCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByteCache")
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

impl ByteCache {
    pub(super) fn new(bytes: u64) -> Self {
        let entries = usize::try_from(bytes / ENTRY_BYTES).unwrap_or(usize::MAX).max(32);
        Self(Cache::with_weighter(entries, bytes, Bytes))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.weight()
    }

    pub(super) fn get(&self, key: &str) -> Option<Vec<u8>> {
        let entry = self.0.get(key)?;
        if entry.until.is_some_and(|until| until <= Instant::now()) {
            // Unless somebody has stored a newer value in between.
            self.0.remove_if(key, |stored| stored.until == entry.until);
            return None;
        }
        Some(entry.value.to_vec())
    }

    pub(super) fn put(&self, key: &str, value: &[u8], ttl: Duration) {
        self.0.insert(
            key.into(),
            Entry {
                value: value.into(),
                until: Instant::now().checked_add(ttl),
            },
        );
    }

    pub(super) fn remove(&self, key: &str) {
        self.0.remove(key);
    }
}
