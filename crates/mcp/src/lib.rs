//! MCP on the wire, without input or output: envelopes and narrow views of messages, byte splices, SSE framing.
//!
//! Bodies stay raw. What Portreeve must know is read through borrowed views; what it does not understand passes
//! untouched. The rooms above never see a typed model of a whole message.

pub mod code;
pub mod header;
pub mod method;

pub mod depth;
pub mod envelope;
mod members;
pub mod mirror;
mod object;
pub mod params;
pub mod result;
pub mod tasks;

pub mod complete;
pub mod keeping;
pub mod passing;

pub mod answer;
mod edit;
pub mod rename;
pub mod splice;
pub mod sse;

pub mod bridge;
pub mod level;

pub mod server_json;

#[cfg(any(test, fuzzing))]
pub mod laws;
