//! What members showed last, for when they are away. What one caller was shown is never shown to another.

use std::sync::Arc;

use portreeve_core::caller::Principal;
use portreeve_core::id::RouteId;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::value::RawValue;

/// Lists of members, within so many bytes.
pub(super) struct Remembered(Cache<Key, Items, Weight>);

/// The items of a list.
pub(super) type Items = Arc<Vec<Box<RawValue>>>;

/// Whose list, of which member, of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) caller: Principal,
    pub(super) member: RouteId,
    pub(super) method: &'static str,
}

#[derive(Clone)]
struct Weight;

/// A guess that only sets the size of tables at the start.
const LISTS: usize = 256;

// === impl Remembered ===

impl Remembered {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Cache::with_weighter(LISTS, bytes as u64, Weight))
    }

    pub(super) fn find(&self, key: &Key) -> Option<Items> {
        self.0.get(key)
    }

    pub(super) fn keep(&self, key: Key, items: &Items) {
        self.0.insert(key, Arc::clone(items));
    }
}

// === impl Weight ===

impl Weighter<Key, Items> for Weight {
    fn weight(&self, _: &Key, items: &Items) -> u64 {
        let bytes: usize = items.iter().map(|item| item.get().len() + 32).sum();
        bytes as u64 + 256
    }
}
