//! Tests of both faces through their router, on the real rooms over SQLite.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod house;

mod endpoints;
mod management;
mod openapi;
mod registry_api;
