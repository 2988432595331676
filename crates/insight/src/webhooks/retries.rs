//! When a failed attempt is made again: later each time, and never exactly when others are.

use std::time::Duration;

use portreeve_core::random::Rng;
use portreeve_core::time::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The pauses after each failed attempt, in seconds: nine attempts within about 27 hours.
const PAUSES: [u64; 8] = [
    5,
    30,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    10 * HOUR,
];
/// The longest pause that a receiver may ask for.
const LONGEST: Duration = Duration::from_secs(24 * HOUR);

/// When failed attempts are made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retries {
    pauses: Vec<Duration>,
}

impl Default for Retries {
    fn default() -> Self {
        Self::after(PAUSES.map(Duration::from_secs).into())
    }
}

impl Retries {
    /// A pause after each failed attempt; after as many pauses nobody tries any more.
    pub const fn after(pauses: Vec<Duration>) -> Self {
        Self { pauses }
    }

    /// When the attempt after these failed ones is made; `None`: there is none. A fifth of the pause is chance, so that a
    /// receiver that comes back is not met by everybody at once.
    pub(super) fn next(&self, failed: u32, now: Timestamp, rng: &dyn Rng) -> Option<Timestamp> {
        let pause = *self.pauses.get(usize::try_from(failed).ok()?.checked_sub(1)?)?;
        let mut chance = [0_u8; 2];
        rng.fill(&mut chance);
        let share = f64::from(u16::from_be_bytes(chance)) / f64::from(u16::MAX);
        Some(now.plus(pause.mul_f64(0.9 + 0.2 * share)))
    }
}

/// Until when a receiver asks to be left alone: a number of seconds or a date, at most a day.
pub(super) fn asked_for(retry_after: &str, now: Timestamp) -> Option<Timestamp> {
    let text = retry_after.trim();
    let pause = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Timestamp::parse_http(text)?.since(now),
    };
    Some(now.plus(pause.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed(u8);

    impl Rng for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn pause(failed: u32, chance: u8) -> Option<u64> {
        let next = Retries::default().next(failed, NOW, &Fixed(chance))?;
        Some(next.since(NOW).as_secs())
    }

    #[test]
    fn pauses_grow_end_and_differ() {
        assert_eq!((pause(1, 0), pause(1, 255)), (Some(4), Some(5)));
        assert_eq!((pause(4, 0), pause(4, 255)), (Some(1_620), Some(1_980)));
        assert_eq!(pause(8, 0), Some(32_400));
        assert_eq!(pause(9, 0), None);
        assert_eq!(pause(u32::MAX, 0), None);
        let whole: Duration = Retries::default().pauses.iter().sum();
        assert_eq!(whole.as_secs(), 99_335);
    }

    #[test]
    fn a_receiver_may_ask_for_time_but_not_for_ever() {
        let asked = |text: &str| asked_for(text, NOW).map(|at| at.since(NOW).as_secs());
        assert_eq!(asked("120"), Some(120));
        assert_eq!(asked("99999999999"), Some(24 * HOUR));
        assert_eq!(asked("Mon, 21 Sep 2026 14:14:20 GMT"), Some(60));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("-5"), None);
    }
}
