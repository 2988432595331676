//! Fixtures and contract suites for the tests of the other rooms.

pub mod state_contract;
