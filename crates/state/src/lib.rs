//! What the nodes of an installation share: counters, a cache, locks, signals. In one process, or on Valkey or Redis.
//!
//! The roof picks the engine by the configuration file; the rooms see the ports of `core` alone. Both engines answer
//! the same contract suite, `portreeve_testkit::state_contract`.

mod gcra;

mod in_process;
mod valkey;

pub use in_process::{Bounds, InProcess, Start};
pub use valkey::{Valkey, ValkeyOptions};
