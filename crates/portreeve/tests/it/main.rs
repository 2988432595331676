//! The house seen from outside: its borders, its tidiness, its faces, and (in `e2e`) the binary as a person runs
//! it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, its helpers do too, and it says what it did not run"
)]

mod architecture;
mod pitfalls;
mod tidy;

mod api;
mod portal;

mod e2e;

mod any_host;
mod any_login;
mod carried;
mod doubles;
mod fixture;
mod held_calls;
mod http2;
mod idp;
mod kept_sessions;
mod minted;
mod no_resources;
mod node;
mod official;
mod pets;
mod receiver;
mod repository;
mod rogue;
mod served;
mod sse_host;
mod sse_server;
mod upstream;
mod web;
mod wire;
