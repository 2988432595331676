//! State that the nodes of an installation share: counters, cache, locks, signals. In process, or Valkey/Redis.

use std::time::Duration;

use async_trait::async_trait;

/// The shared state cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("the shared state is not available: {0}")]
pub struct StateError(pub String);

/// A rate: `burst` at once, and one more every `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Time in which one unit comes back.
    pub interval: Duration,
    /// Units that may be taken at once.
    pub burst: u32,
}

/// What a counter answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateDecision {
    /// Whether the units were taken.
    pub allowed: bool,
    /// Units that could be taken now.
    pub remaining: u32,
    /// How long until the units asked for can be taken; zero when they were.
    pub retry_after: Duration,
}

/// Rate counters (GCRA). Keys are typed by their caller: `rate_limit/{route}/{caller}/{tool}`.
#[async_trait]
pub trait Counters: Send + Sync {
    /// Takes `units` from the counter `key`, or none of them.
    async fn take(&self, key: &str, limit: RateLimit, units: u32) -> Result<RateDecision, StateError>;

    /// What [`Counters::take`] would answer, without taking.
    async fn peek(&self, key: &str, limit: RateLimit, units: u32) -> Result<RateDecision, StateError>;
}

/// A cache of bytes with a time to live.
#[async_trait]
pub trait Cache: Send + Sync {
    /// The live value.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StateError>;

    /// Stores a value.
    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), StateError>;

    /// Removes a value.
    async fn remove(&self, key: &str) -> Result<(), StateError>;
}

/// A lock that was taken. It ends by [`Locks::release`], or by itself after its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What is locked.
    pub key: String,
    /// Who holds it.
    pub holder: String,
    /// Grows with every taking of this lock, so that a late holder can be told from the present one.
    pub fence: u64,
}

/// Locks with a time limit.
#[async_trait]
pub trait Locks: Send + Sync {
    /// Takes the lock for a time, unless somebody holds it.
    async fn acquire(&self, key: &str, holder: &str, ttl: Duration) -> Result<Option<Lease>, StateError>;

    /// Gives the lock back; does nothing if it is not this lease's any more.
    async fn release(&self, lease: &Lease) -> Result<(), StateError>;
}

/// Messages of one topic. Some may be lost when the connection breaks; then one empty message comes after the break,
/// so that the listener looks for itself.
#[async_trait]
pub trait Subscription: Send {
    /// The next message. Waits without end.
    async fn next(&mut self) -> Vec<u8>;
}

/// Signals between the nodes: hints to look, never data that must arrive.
#[async_trait]
pub trait Signals: Send + Sync {
    /// Tells all subscribers of the topic, those of this node included.
    async fn publish(&self, topic: &str, message: &[u8]) -> Result<(), StateError>;

    /// Listens to a topic from now on.
    async fn subscribe(&self, topic: &str) -> Result<Box<dyn Subscription>, StateError>;
}
