//! The index through its door: entries in, ranked results out.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test may fail as the test itself may"
)]

mod anew;
mod memory;
mod overlay;
mod world;
