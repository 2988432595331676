//! Locks of this process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portreeve_core::ports::Lease;
use tokio::time::Instant;

#[derive(Debug, Default)]
pub(super) struct LockMap(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    /// Grows over all locks, so that it need not be kept for each.
    last_fence: u64,
    locks: HashMap<String, Lock>,
}

#[derive(Debug)]
struct Lock {
    fence: u64,
    /// None: the time to live is longer than time.
    until: Option<Instant>,
}

impl LockMap {
    pub(super) fn acquire(&self, key: &str, holder: &str, ttl: Duration) -> Option<Lease> {
        let now = Instant::now();
        let mut held = self.held();
        // Locks are few and taken seldom; looking at all of them keeps the map as small as what is held.
        held.locks
            .retain(|_, lock| lock.until.is_none_or(|until| until > now));
        if held.locks.contains_key(key) {
            return None;
        }
        held.last_fence += 1;
        let fence = held.last_fence;
        held.locks.insert(
            key.to_owned(),
            Lock {
                fence,
                until: now.checked_add(ttl),
            },
        );
        Some(Lease {
            key: key.to_owned(),
            holder: holder.to_owned(),
            fence,
        })
    }

    pub(super) fn release(&self, lease: &Lease) {
        let mut held = self.held();
        if held
            .locks
            .get(&lease.key)
            .is_some_and(|lock| lock.fence == lease.fence)
        {
            held.locks.remove(&lease.key);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
