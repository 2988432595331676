//! The binary as hosts, admins and attackers meet it. Names of requirements (A-RS-1, A-GW-1, ...) stand in the tests'
//! names.

mod asking;
mod audit;
mod bad_input;
mod drift;
mod framing;
mod gateway;
mod ladder;
mod lifecycle;
mod limits;
mod operate;
mod order;
mod passing;
mod registry;
mod resource_server;
mod sessions;
mod smuggling;
mod statuses;
mod tls;
mod transport;
mod upstreams;
