//! The contract of shared state on both engines, and what each engine promises beside it.
//!
//! Redis or Valkey is used when `PORTREEVE_TEST_REDIS` holds its URL.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop the test")]

mod in_process;
mod valkey;
mod wire;
