//! The landing: Portreeve as an MCP client of a server, over Streamable HTTP in both eras, and over HTTP+SSE.
//!
//! `exchange` is one HTTP exchange with the headers of its era; the gateway's upstream side uses it directly. `http_sse` is
//! behind it where a server speaks the transport of 2024-11-05.
//! `connection` speaks for Portreeve itself: handshake, requests, streams. `probe` learns eras and tools.

pub mod error;
pub mod exchange;
pub mod http_sse;

pub mod connection;
pub mod probe;

pub use connection::Connection;
pub use error::ClientError;
pub use exchange::{Exchange, Reply, ReplyBody, Upstream, retry_after};
pub use http_sse::{Lines, some_line};
pub use probe::{Probe, ProbeError, probe};
