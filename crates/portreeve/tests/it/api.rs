//! Tests of both JSON faces through their router, on the real rooms over SQLite.
//!
//! They stand here and not in `api`, which may not know the store that they need.

pub(crate) mod house;

mod endpoints;
mod management;
mod mirror;
mod registry_api;
