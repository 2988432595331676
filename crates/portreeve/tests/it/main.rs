//! The house seen from outside: its borders, its tidiness, its faces, and (in `e2e`) the binary as a person runs
//! it.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first surprise, and its helpers do too"
)]

mod architecture;
mod tidy;

mod api;
mod portal;

mod e2e;

mod node;
mod repository;
mod upstream;
mod web;
