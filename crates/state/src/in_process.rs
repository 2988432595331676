//! The engine for one node: everything in this process, bounded in memory, gone at its end.

mod cache;
mod counters;
mod locks;
mod signals;

use async_trait::async_trait;
use portreeve_core::ports::{
    Cache, Counters, Lease, Locks, RateDecision, RateLimit, Signals, StateError, Subscription,
};
use std::time::Duration;

use self::cache::ByteCache;
use self::counters::CounterMap;
use self::locks::LockMap;
use self::signals::Topics;

/// How the process before this one ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// In order, or there was none: a counter begins with its burst available.
    Fresh,
    /// It crashed, and what its counters said is lost: a counter begins as if its burst had been spent at the start,
    /// so that a crash is never a way to a second burst.
    AfterCrash,
}

/// How much memory the engine may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Rate counters that are not full again. Beyond it, those nearest to full are forgotten.
    pub counter_keys: usize,
    /// Bytes of cached keys and values.
    pub cache_bytes: u64,
}

/// The shared state of an installation that has one node.
#[derive(Debug)]
pub struct InProcess {
    counters: CounterMap,
    cache: ByteCache,
    locks: LockMap,
    topics: Topics,
}

// === impl Bounds ===

impl Default for Bounds {
    fn default() -> Self {
        Self {
            counter_keys: 1 << 20,
            cache_bytes: 64 * 1024 * 1024,
        }
    }
}

// === impl InProcess ===

impl InProcess {
    /// Starts empty.
    pub fn new(start: Start) -> Self {
        Self::with_bounds(start, Bounds::default())
    }

    /// [`InProcess::new`] with other bounds.
    pub fn with_bounds(start: Start, bounds: Bounds) -> Self {
        Self {
            counters: CounterMap::new(start, bounds.counter_keys),
            cache: ByteCache::new(bounds.cache_bytes),
            locks: LockMap::default(),
            topics: Topics::default(),
        }
    }

    /// Rate counters in memory.
    pub fn counter_keys(&self) -> usize {
        self.counters.len()
    }

    /// Bytes of cached keys and values in memory.
    pub fn cache_bytes(&self) -> u64 {
        self.cache.bytes()
    }
}

#[async_trait]
impl Counters for InProcess {
    async fn take(&self, key: &str, limit: RateLimit, units: u32) -> Result<RateDecision, StateError> {
        Ok(self.counters.take(key, limit, units))
    }

    async fn peek(&self, key: &str, limit: RateLimit, units: u32) -> Result<RateDecision, StateError> {
        Ok(self.counters.peek(key, limit, units))
    }
}

#[async_trait]
impl Cache for InProcess {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.cache.get(key))
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), StateError> {
        self.cache.put(key, value, ttl);
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), StateError> {
        self.cache.remove(key);
        Ok(())
    }
}

#[async_trait]
impl Locks for InProcess {
    async fn acquire(&self, key: &str, holder: &str, ttl: Duration) -> Result<Option<Lease>, StateError> {
        Ok(self.locks.acquire(key, holder, ttl))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StateError> {
        self.locks.release(lease);
        Ok(())
    }
}

#[async_trait]
impl Signals for InProcess {
    async fn publish(&self, topic: &str, message: &[u8]) -> Result<(), StateError> {
        self.topics.publish(topic, message);
        Ok(())
    }

    async fn subscribe(&self, topic: &str) -> Result<Box<dyn Subscription>, StateError> {
        Ok(Box::new(self.topics.subscribe(topic)))
    }
}
