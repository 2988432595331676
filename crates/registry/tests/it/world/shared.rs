//! Locks and signals of one process.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use portreeve_core::ports::{
    Counters, Lease, Locks, RateDecision, RateLimit, Signals, StateError, Subscription,
};

/// Locks that end only when they are given back.
#[derive(Default)]
pub(crate) struct Locked {
    held: Mutex<HashSet<String>>,
    is_broken: bool,
}

impl Locked {
    pub(crate) fn broken() -> Self {
        Self {
            is_broken: true,
            ..Self::default()
        }
    }

    pub(crate) fn hold(&self, key: &str) {
        self.held.lock().unwrap().insert(key.to_owned());
    }

    pub(crate) fn free(&self, key: &str) {
        self.held.lock().unwrap().remove(key);
    }
}

#[async_trait]
impl Locks for Locked {
    async fn acquire(&self, key: &str, holder: &str, _: Duration) -> Result<Option<Lease>, StateError> {
        if self.is_broken {
            return Err(StateError("broken".to_owned()));
        }
        let is_free = self.held.lock().unwrap().insert(key.to_owned());
        Ok(is_free.then(|| Lease {
            key: key.to_owned(),
            holder: holder.to_owned(),
            fence: 1,
        }))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StateError> {
        self.held.lock().unwrap().remove(&lease.key);
        Ok(())
    }
}

/// Remembers what was published.
#[derive(Default)]
pub(crate) struct Told(pub(crate) Mutex<Vec<String>>);

#[async_trait]
impl Signals for Told {
    async fn publish(&self, topic: &str, _: &[u8]) -> Result<(), StateError> {
        self.0.lock().unwrap().push(topic.to_owned());
        Ok(())
    }

    async fn subscribe(&self, _: &str) -> Result<Box<dyn Subscription>, StateError> {
        Err(StateError("nobody listens here".to_owned()))
    }
}

/// Counters to which nothing comes back.
#[derive(Default)]
pub(crate) struct Counted(Mutex<HashMap<String, u32>>);

#[async_trait]
impl Counters for Counted {
    async fn take(&self, key: &str, limit: RateLimit, units: u32) -> Result<RateDecision, StateError> {
        let decision = self.peek(key, limit, units).await?;
        if decision.allowed {
            *self.0.lock().unwrap().entry(key.to_owned()).or_default() += units;
        }
        Ok(decision)
    }

    async fn peek(&self, key: &str, limit: RateLimit, units: u32) -> Result<RateDecision, StateError> {
        let taken = self.0.lock().unwrap().get(key).copied().unwrap_or_default();
        Ok(RateDecision {
            allowed: taken + units <= limit.burst,
            remaining: limit.burst.saturating_sub(taken),
            retry_after: limit.interval,
        })
    }
}
