//! Tests of the access room through its public functions, on a store in memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod house;
mod memory;

mod access_policies;
mod agreement;
mod credentials;
mod decisions;
mod ended_grants;
mod environments;
mod explanations;
mod first_start;
mod grants;
mod hidden;
mod kept_policies;
mod kept_rules;
mod keys;
mod owner_groups;
mod roles;
mod sign_in;
mod tokens;
mod users;
mod vault;
