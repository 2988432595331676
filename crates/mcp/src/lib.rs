//! Placeholder until the room is furnished.

pub mod server_json;
