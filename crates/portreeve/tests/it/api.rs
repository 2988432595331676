//! Tests of both JSON faces through their router, on the real rooms over SQLite.
//!
//! They stand here and not in `api`, which may not know the store that they need.

mod answer;
mod ground;
pub(crate) mod house;

mod agreement;
mod endpoints;
mod management;
mod mirrors;
mod publishing;
mod registry_api;
mod schema_corpus;
mod sign_in;
