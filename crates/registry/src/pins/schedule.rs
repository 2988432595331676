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

/// Where a route waits. Those of one lane never wait for those of the other: a server that is away takes the whole time of
/// its question, and there may be thousands of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// It answered the last time, or just made itself heard.
    Answering,
    /// It did not answer, or was never asked.
    Doubtful,
}

/// All routes with the moments at which they are due.
#[derive(Debug)]
pub(super) struct Schedule {
    times: PinTimes,
    slots: HashMap<RouteId, Slot>,
    waiting: Waiting,
    /// The state of the catalogue of which these are the routes.
    generation: Option<i64>,
}

/// Those that are not busy, the next one first, by lane.
#[derive(Debug, Default)]
struct Waiting {
    answering: BTreeSet<(Instant, RouteId)>,
    doubtful: BTreeSet<(Instant, RouteId)>,
}

#[derive(Debug)]
struct Slot {
    due: Instant,
    occasion: Occasion,
    is_busy: bool,
    standing: Standing,
    /// Failures in a row that say nothing of the upstream.
    failures: u32,
    /// A notice that came while the route was being asked: the answer may be older than the notice.
    again: bool,
}

/// What the last answer of an upstream says of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It was not asked yet, or what it was asked at has changed.
    Untried,
    /// It answered.
    Answers,
    /// It did not answer, so many times in a row.
    Silent(u32),
}

// === impl Lane ===

impl Lane {
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::Answering, Self::Doubtful];
}

// === impl Waiting ===

impl Waiting {
    const fn of(&self, lane: Lane) -> &BTreeSet<(Instant, RouteId)> {
        match lane {
            Lane::Answering => &self.answering,
            Lane::Doubtful => &self.doubtful,
        }
    }

    fn of_mut(&mut self, lane: Lane) -> &mut BTreeSet<(Instant, RouteId)> {
        match lane {
            Lane::Answering => &mut self.answering,
            Lane::Doubtful => &mut self.doubtful,
        }
    }

    fn put(&mut self, id: RouteId, slot: &Slot) {
        self.of_mut(slot.lane()).insert((slot.due, id));
    }

    /// Takes out a slot, before anything of it changes.
    fn take(&mut self, id: RouteId, slot: &Slot) {
        self.of_mut(slot.lane()).remove(&(slot.due, id));
    }
}

// === impl Slot ===

impl Slot {
    const fn new(due: Instant) -> Self {
        Self {
            due,
            occasion: Occasion::Turn,
            is_busy: false,
            standing: Standing::Untried,
            failures: 0,
            again: false,
        }
    }

    fn lane(&self) -> Lane {
        if self.standing == Standing::Answers || self.occasion == Occasion::Notice {
            Lane::Answering
        } else {
            Lane::Doubtful
        }
    }

    /// Its route changed: what was said at the old address, or without the new credential, says nothing any more.
    fn forget(&mut self, due: Instant) {
        if matches!(self.standing, Standing::Silent(_)) {
            self.standing = Standing::Untried;
            self.due = self.due.min(due);
        }
    }

    /// Takes in how it ended, and says after what time it is asked again.
    fn rest(&mut self, ended: Ended, times: &PinTimes, jitter: Jitter) -> Duration {
        match ended {
            Ended::Done => {
                self.standing = Standing::Answers;
                self.failures = 0;
                // Between 80 and 95 in a hundred of the interval: never later than promised.
                times.interval.mul_f64(0.80 + 0.15 * jitter)
            }
            Ended::Elsewhere => times.interval.mul_f64(0.30 + 0.05 * jitter),
            Ended::Failed => {
                self.failures = self.failures.saturating_add(1);
                backoff(times.first_retry, self.failures, times.longest_retry).mul_f64(0.75 + 0.25 * jitter)
            }
            Ended::Unanswered => {
                let silent = match self.standing {
                    Standing::Silent(before) => before.saturating_add(1),
                    Standing::Untried | Standing::Answers => 1,
                };
                self.standing = Standing::Silent(silent);
                backoff(times.first_retry, silent, times.longest_silence).mul_f64(0.75 + 0.25 * jitter)
            }
        }
    }
}

// === impl Schedule ===

impl Schedule {
    pub(super) fn new(times: PinTimes) -> Self {
        Self {
            times,
            slots: HashMap::new(),
            waiting: Waiting::default(),
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
        let soon = self.times.first_retry.min(self.times.interval);
        let soon = || now + soon.mul_f64(jitter());
        let active = match news {
            News::All(active) => {
                let known: HashSet<RouteId> = active.iter().copied().collect();
                self.slots.retain(|id, _| known.contains(id));
                for lane in Lane::ALL {
                    self.waiting.of_mut(lane).retain(|(_, id)| known.contains(id));
                }
                active
            }
            News::Since { changed, gone } => {
                for id in gone {
                    if let Some(slot) = self.slots.remove(&id) {
                        self.waiting.take(id, &slot);
                    }
                }
                for id in &changed {
                    self.forget(*id, soon());
                }
                changed
            }
        };
        for id in active {
            self.slots.entry(id).or_insert_with(|| {
                let slot = Slot::new(soon());
                self.waiting.put(id, &slot);
                slot
            });
        }
    }

    /// A route changed that may be known.
    fn forget(&mut self, id: RouteId, due: Instant) {
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        self.waiting.take(id, slot);
        slot.forget(due);
        if !slot.is_busy {
            self.waiting.put(id, slot);
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
            self.waiting.take(id, slot);
            slot.occasion = Occasion::Notice;
            slot.due = slot.due.min(now + debounce);
            self.waiting.put(id, slot);
        }
    }

    /// A host got a list from it: silence towards this job may be over, or is one of credentials. It waits no longer than for
    /// other failures.
    pub(super) fn heard(&mut self, id: RouteId, now: Instant) {
        let due = now + self.times.longest_retry;
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        if !slot.is_busy && slot.due > due {
            self.waiting.take(id, slot);
            slot.due = due;
            self.waiting.put(id, slot);
        }
    }

    /// A route of that lane that is due; it is busy until it ended.
    pub(super) fn take_due(&mut self, now: Instant, lane: Lane) -> Option<(RouteId, Occasion)> {
        let waiting = self.waiting.of_mut(lane);
        let next = *waiting.first().filter(|(due, _)| *due <= now)?;
        waiting.remove(&next);
        let (_, id) = next;
        let slot = self.slots.get_mut(&id)?;
        slot.is_busy = true;
        Some((id, slot.occasion))
    }

    /// When the next route of that lane is due.
    pub(super) fn next_due(&self, lane: Lane) -> Option<Instant> {
        self.waiting.of(lane).first().map(|(due, _)| *due)
    }

    /// A route was asked.
    pub(super) fn ended(&mut self, id: RouteId, ended: Ended, now: Instant, jitter: Jitter) {
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        self.waiting.take(id, slot);
        slot.is_busy = false;
        slot.occasion = Occasion::Turn;
        slot.due = now + slot.rest(ended, &self.times, jitter);
        if std::mem::take(&mut slot.again) {
            slot.occasion = Occasion::Notice;
            slot.due = now + self.times.debounce;
        }
        self.waiting.put(id, slot);
    }

    /// Frees every slot: the end of one of them was lost.
    pub(super) fn free_all(&mut self) {
        for (id, slot) in &mut self.slots {
            slot.is_busy = false;
            self.waiting.put(*id, slot);
        }
    }
}

fn backoff(first: Duration, failures: u32, longest: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    first.saturating_mul(1 << doublings).min(longest)
}

#[cfg(test)]
mod tests;
