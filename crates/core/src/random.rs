//! Randomness comes in as a parameter, so that tests can decide what it is.

use std::fmt;

/// A source of unpredictable bytes.
pub trait Rng: Send + Sync + fmt::Debug {
    /// Fills `bytes` with random data.
    fn fill(&self, bytes: &mut [u8]);
}
