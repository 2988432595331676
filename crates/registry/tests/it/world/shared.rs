//! Locks and signals of one process.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use portreeve_core::ports::{Lease, Locks, Signals, StateError, Subscription};

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
