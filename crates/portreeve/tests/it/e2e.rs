//! The binary as hosts, admins and attackers meet it. Names of requirements (A-RS-1, A-GW-1, ...) stand in the tests'
//! names.

mod asking;
mod audit;
mod drift;
mod gateway;
mod limits;
mod operate;
mod registry;
mod sessions;
mod smuggling;
mod tls;
mod upstreams;
