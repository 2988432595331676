//! The rate limit itself (GCRA), as numbers: what both engines compute, and the in-process engine's computation.
//!
//! A counter is one moment, the time at which it would be full again. Taking moves it on; a taking that would move it
//! further than the burst lasts is refused. `valkey/gcra.lua` computes the same from the same three numbers.

use std::time::Duration;

use portreeve_core::ports::{RateDecision, RateLimit};

/// 71 years in microseconds. Sums of two such numbers stay exact in the doubles that Lua computes with.
const LONGEST: u64 = 1 << 51;

/// A limit and a number of units, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    /// Time in which one unit comes back; at least 1.
    pub(crate) interval: u64,
    /// Time in which the whole burst comes back.
    pub(crate) tolerance: u64,
    /// Time in which the units asked for come back.
    pub(crate) cost: u64,
}

impl Question {
    /// None if the limit lets everything pass: a unit that comes back at once is no limit.
    pub(crate) fn new(limit: RateLimit, units: u32) -> Option<Self> {
        if limit.interval.is_zero() {
            return None;
        }
        let burst = u64::from(limit.burst);
        let micros = u64::try_from(limit.interval.as_micros()).unwrap_or(u64::MAX);
        let interval = micros.clamp(1, LONGEST / burst.max(1));
        Some(Self {
            interval,
            tolerance: interval * burst,
            cost: interval.saturating_mul(u64::from(units)).min(LONGEST),
        })
    }

    /// Answers, given the time and the moment at which the counter would be full; and the new such moment, if the units
    /// are taken. More units than the burst are always refused, with the time by which they exceed it.
    pub(crate) fn answer(&self, now: u64, full_at: u64) -> (RateDecision, Option<u64>) {
        let full_at = full_at.max(now);
        let taken = full_at.saturating_add(self.cost);
        let wait = taken.saturating_sub(now).saturating_sub(self.tolerance);
        if wait > 0 {
            (self.decision(false, full_at - now, wait), None)
        } else {
            (self.decision(true, taken - now, 0), Some(taken))
        }
    }

    fn decision(&self, allowed: bool, debt: u64, wait: u64) -> RateDecision {
        let remaining = self.tolerance.saturating_sub(debt) / self.interval;
        decision(allowed, remaining, wait)
    }
}

/// A decision out of an engine's numbers.
pub(crate) fn decision(allowed: bool, remaining: u64, wait_micros: u64) -> RateDecision {
    RateDecision {
        allowed,
        remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
        retry_after: Duration::from_micros(wait_micros),
    }
}

/// The answer where there is no limit.
pub(crate) fn unlimited(limit: RateLimit) -> RateDecision {
    RateDecision {
        allowed: true,
        remaining: limit.burst,
        retry_after: Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portreeve_core::ports::RateLimit;

    use super::{LONGEST, Question};

    fn question(interval: Duration, burst: u32, units: u32) -> Question {
        Question::new(RateLimit { interval, burst }, units).unwrap()
    }

    #[test]
    fn a_burst_and_then_one_per_interval() {
        let one = question(Duration::from_secs(1), 3, 1);
        let mut full_at = 0;
        for left in [2, 1, 0] {
            let (decision, moved) = one.answer(1_000_000, full_at);
            assert!(decision.allowed && decision.remaining == left);
            full_at = moved.unwrap();
        }
        let (refused, moved) = one.answer(1_400_000, full_at);
        assert!(!refused.allowed && moved.is_none());
        assert_eq!(
            (refused.remaining, refused.retry_after),
            (0, Duration::from_millis(600))
        );
        assert!(one.answer(2_000_000, full_at).0.allowed);
    }

    #[test]
    fn the_largest_limits_stay_exact() {
        for burst in [0, 1, u32::MAX] {
            let most = question(Duration::MAX, burst, u32::MAX);
            assert!(most.tolerance <= LONGEST && most.cost <= LONGEST, "{most:?}");
            let (decision, _) = question(Duration::MAX, burst, 0).answer(5, 0);
            assert!(decision.allowed && decision.remaining == burst, "{decision:?}");
        }
        assert_eq!(question(Duration::from_nanos(1), 7, 1).interval, 1);
        assert!(
            Question::new(
                RateLimit {
                    interval: Duration::ZERO,
                    burst: 0
                },
                9
            )
            .is_none()
        );
    }
}
