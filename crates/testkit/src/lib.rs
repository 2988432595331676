//! Fixtures and contract suites for the tests of the other rooms. Never in the product itself.

pub mod state_contract;

pub mod store_contract;
pub mod store_engines;
pub mod store_fixtures;
