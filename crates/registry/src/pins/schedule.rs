//! When which route is asked again. Pure: time comes in, nothing goes out.
//!
//! Before: `pins` knows the routes and hears notices. After: `refresh` asks the upstream.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use portreeve_core::id::RouteId;
use portreeve_core::ports::News;

use super::PinTimes;
use super::refresh::{Ended, Occasion};

/// A share of the interval that is left to chance, so that routes do not all come at once: between 0 and 1.
pub(super) type Jitter = f64;

/// All routes with the moments at which they are due.
#[derive(Debug)]
pub(super) struct Schedule {
    times: PinTimes,
    slots: HashMap<RouteId, Slot>,
    /// Those that are not busy, the next one first.
    waiting: BTreeSet<(Instant, RouteId)>,
    /// The state of the catalogue of which these are the routes.
    generation: Option<i64>,
}

#[derive(Debug)]
struct Slot {
    due: Instant,
    occasion: Occasion,
    is_busy: bool,
    failures: u32,
    /// A notice that came while the route was being asked: the answer may be older than the notice.
    again: bool,
}

// === impl Schedule ===

impl Schedule {
    pub(super) fn new(times: PinTimes) -> Self {
        Self {
            times,
            slots: HashMap::new(),
            waiting: BTreeSet::new(),
            generation: None,
        }
    }

    /// The state of the catalogue of which it knows the routes.
    pub(super) const fn generation(&self) -> Option<i64> {
        self.generation
    }

    /// Takes over which routes there are. New ones are due soon, since something may have changed while nobody looked.
    pub(super) fn take_over(
        &mut self,
        (generation, news): (i64, News<RouteId, RouteId>),
        now: Instant,
        jitter: impl Fn() -> Jitter,
    ) {
        self.generation = Some(generation);
        let active = match news {
            News::All(active) => {
                let known: HashSet<RouteId> = active.iter().copied().collect();
                self.slots.retain(|id, _| known.contains(id));
                self.waiting.retain(|(_, id)| known.contains(id));
                active
            }
            News::Since { changed, gone } => {
                for id in gone {
                    if let Some(slot) = self.slots.remove(&id) {
                        self.waiting.remove(&(slot.due, id));
                    }
                }
                changed
            }
        };
        let soon = self.times.first_retry.min(self.times.interval);
        for id in active {
            self.slots.entry(id).or_insert_with(|| {
                let due = now + soon.mul_f64(jitter());
                self.waiting.insert((due, id));
                Slot {
                    due,
                    occasion: Occasion::Turn,
                    is_busy: false,
                    failures: 0,
                    again: false,
                }
            });
        }
    }

    /// Whether it is one of them.
    pub(super) fn knows(&self, id: RouteId) -> bool {
        self.slots.contains_key(&id)
    }

    /// A notice came: the route is asked shortly, once for all notices until then.
    pub(super) fn hurry(&mut self, id: RouteId, now: Instant) {
        let debounce = self.times.debounce;
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        if slot.is_busy {
            slot.again = true;
        } else if slot.occasion == Occasion::Turn {
            self.waiting.remove(&(slot.due, id));
            slot.occasion = Occasion::Notice;
            slot.due = slot.due.min(now + debounce);
            self.waiting.insert((slot.due, id));
        }
    }

    /// A route that is due; it is busy until it ended.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(RouteId, Occasion)> {
        let next = *self.waiting.first().filter(|(due, _)| *due <= now)?;
        self.waiting.remove(&next);
        let (_, id) = next;
        let slot = self.slots.get_mut(&id)?;
        slot.is_busy = true;
        Some((id, slot.occasion))
    }

    /// When the next route is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// A route was asked.
    pub(super) fn ended(&mut self, id: RouteId, ended: Ended, now: Instant, jitter: Jitter) {
        let times = self.times;
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        self.waiting.remove(&(slot.due, id));
        slot.is_busy = false;
        slot.occasion = Occasion::Turn;
        slot.failures = match ended {
            Ended::Failed => slot.failures.saturating_add(1),
            Ended::Done => 0,
            Ended::Elsewhere => slot.failures,
        };
        slot.due = now
            + match ended {
                // Between 80 and 95 in a hundred of the interval: never later than promised.
                Ended::Done => times.interval.mul_f64(0.80 + 0.15 * jitter),
                Ended::Elsewhere => times.interval.mul_f64(0.30 + 0.05 * jitter),
                Ended::Failed => backoff(times, slot.failures).mul_f64(0.75 + 0.25 * jitter),
            };
        if std::mem::take(&mut slot.again) {
            slot.occasion = Occasion::Notice;
            slot.due = now + times.debounce;
        }
        self.waiting.insert((slot.due, id));
    }

    /// Frees every slot: the end of one of them was lost.
    pub(super) fn free_all(&mut self) {
        for (id, slot) in &mut self.slots {
            slot.is_busy = false;
            self.waiting.insert((slot.due, *id));
        }
    }
}

fn backoff(times: PinTimes, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    times
        .first_retry
        .saturating_mul(1 << doublings)
        .min(times.longest_retry)
}

#[cfg(test)]
mod tests;
