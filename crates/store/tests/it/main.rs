//! The store through its ports, on both engines; the journal through its files.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is test code, also what is not marked as a test"
)]

mod support;

mod contract;
mod engine;
mod schema;
mod served;

mod audit;
