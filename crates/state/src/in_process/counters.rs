//! Rate counters in a sharded map. A counter that is full again says nothing, so it is swept; what is left is bounded.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use portreeve_core::ports::{RateDecision, RateLimit};
use tokio::time::Instant;

use super::Start;
use crate::gcra::{Question, unlimited};

/// Few enough to cost nothing, many enough that the cores of a machine seldom meet.
const SHARDS: usize = 64;
/// Below this many keys a shard is not swept.
const SWEPT_FROM: usize = 64;

#[derive(Debug)]
pub(super) struct CounterMap {
    start: Start,
    origin: Instant,
    keys_per_shard: usize,
    hasher: RandomState,
    shards: Box<[Mutex<Shard>]>,
}

/// Each key with the moment at which it is full again, in microseconds since the origin.
#[derive(Debug)]
struct Shard {
    full_at: HashMap<Box<str>, u64>,
    /// Swept when it has this many keys; doubles with what a sweep leaves, so that sweeping costs little per taking.
    sweep_at: usize,
}

impl CounterMap {
    pub(super) fn new(start: Start, keys: usize) -> Self {
        let shard = || {
            Mutex::new(Shard {
                full_at: HashMap::new(),
                sweep_at: SWEPT_FROM,
            })
        };
        Self {
            start,
            origin: Instant::now(),
            keys_per_shard: (keys / SHARDS).max(SWEPT_FROM),
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| shard()).collect(),
        }
    }

    pub(super) fn take(&self, key: &str, limit: RateLimit, units: u32) -> RateDecision {
        let Some(question) = Question::new(limit, units) else {
            return unlimited(limit);
        };
        let now = self.now();
        let mut shard = self.shard(key);
        let known = shard.full_at.get(key).copied();
        let (decision, moved) = question.answer(now, known.unwrap_or_else(|| self.unseen(&question)));
        if let Some(full_at) = moved.filter(|full_at| *full_at > now) {
            shard.store(key, full_at, now, self.keys_per_shard);
        }
        decision
    }

    pub(super) fn peek(&self, key: &str, limit: RateLimit, units: u32) -> RateDecision {
        let Some(question) = Question::new(limit, units) else {
            return unlimited(limit);
        };
        let known = self.shard(key).full_at.get(key).copied();
        question
            .answer(self.now(), known.unwrap_or_else(|| self.unseen(&question)))
            .0
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).full_at.len()).sum()
    }

    /// When a counter that is not in the map is full. After a crash: when a burst spent at the start is back. A counter
    /// that was swept is past that moment, so that it needs no remembering which keys were seen.
    fn unseen(&self, question: &Question) -> u64 {
        match self.start {
            Start::Fresh => 0,
            Start::AfterCrash => question.tolerance,
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        let place = self.hasher.hash_one(key) as usize % SHARDS;
        lock(&self.shards[place])
    }
}

impl Shard {
    fn store(&mut self, key: &str, full_at: u64, now: u64, most: usize) {
        if let Some(known) = self.full_at.get_mut(key) {
            *known = full_at;
            return;
        }
        if self.full_at.len() >= self.sweep_at.min(most) {
            self.full_at.retain(|_, full_at| *full_at > now);
            if self.full_at.len() >= most {
                self.forget(most / 4);
            }
            self.sweep_at = (self.full_at.len() * 2).max(SWEPT_FROM);
        }
        self.full_at.insert(key.into(), full_at);
    }

    /// Forgets the counters that are nearest to full: their callers gain the least by it.
    fn forget(&mut self, mut count: usize) {
        let mut moments: Vec<u64> = self.full_at.values().copied().collect();
        let (_, last, _) = moments.select_nth_unstable(count);
        let last = *last;
        self.full_at.retain(|_, full_at| {
            let forgotten = *full_at <= last && count > 0;
            count -= usize::from(forgotten);
            !forgotten
        });
    }
}

/// A panic while a shard was locked left whole values behind: each change is one insert.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
