//! Tests of the inspection room through its public functions.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod definitions;
mod diffs;
mod hashes;
mod keys;
mod pictures;
mod scans;
mod seals;
