//! Tests of the API's description. Those of its behaviour are in the roof, which knows every room.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod openapi;
