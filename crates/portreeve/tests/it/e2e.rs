//! The binary as hosts, admins and attackers meet it. Names of requirements (A-RS-1, A-GW-1, ...) stand in the tests'
//! names.

mod asking;
mod audit;
mod bad_upstreams;
mod bad_upstreams_house;
mod bombs;
mod crossing;
mod drift;
mod egress;
mod gateway;
mod limits;
mod operate;
mod patience;
mod registry;
mod reuse;
mod sessions;
mod smuggling;
mod soak;
mod tls;
mod upstreams;
