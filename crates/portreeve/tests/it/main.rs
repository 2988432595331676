//! The house seen from outside: its borders, its tidiness, its JSON faces, and (in `e2e`) the binary as a person runs
//! it.

mod architecture;
mod tidy;

mod api;

mod e2e;

mod node;
mod repository;
mod upstream;
mod web;
