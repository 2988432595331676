//! The landing: Portreeve as an MCP client of a server, over Streamable HTTP, in both eras.
//!
//! `exchange` is one HTTP exchange with the headers of its era; the gateway's upstream side uses it directly.
//! `connection` speaks for Portreeve itself: handshake, requests, streams. `probe` learns eras and tools.

pub mod error;
pub mod exchange;

pub mod connection;
pub mod probe;

pub use connection::Connection;
pub use error::ClientError;
pub use exchange::{Exchange, Reply, ReplyBody, Upstream};
pub use probe::{Probe, ProbeError, probe};
