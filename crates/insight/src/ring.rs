//! The ring between the gateway and the writer: a push costs well below a microsecond and wakes nobody.
//!
//! Before it: the gateway's `record`. After it: [`crate::UsageWriter`], which comes by every second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_queue::SegQueue;
use portreeve_core::ports::UsageSink;
use portreeve_core::usage::UsageEvent;

/// A bounded queue that drops what does not fit, and counts what it dropped. It takes memory for what waits, not for
/// what might.
#[derive(Debug)]
pub struct UsageRing {
    queue: SegQueue<UsageEvent>,
    waiting: AtomicUsize,
    capacity: usize,
    dropped: AtomicU64,
}

impl UsageRing {
    /// A ring for this many events; for one event if `capacity` is zero.
    pub fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            queue: SegQueue::new(),
            waiting: AtomicUsize::new(0),
            capacity: capacity.max(1),
            dropped: AtomicU64::new(0),
        })
    }

    /// How many events were lost since the start, because the ring was full or the store refused them for good.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// How many events wait for the writer.
    pub fn len(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn pop(&self) -> Option<UsageEvent> {
        let event = self.queue.pop()?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(event)
    }

    pub(crate) fn count_dropped(&self, events: usize) {
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        self.dropped.fetch_add(events, Ordering::Relaxed);
    }
}

impl UsageSink for UsageRing {
    fn push(&self, event: UsageEvent) {
        // Counted before it is there: a place is never given twice.
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.capacity {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.queue.push(event);
    }
}
