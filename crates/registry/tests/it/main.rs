//! The registry through its door, over a small store in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test may fail as the test itself may"
)]

mod world;

mod approve;
mod assess;
mod corpus;
mod entries;
mod install;
mod pins;
mod publish;
mod routes;
mod serve;
mod tools;
mod versions;
