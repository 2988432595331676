//! From one era to the other: pure conversions of single messages, where host and server do not speak the same one.
//!
//! Each is a short table of members that are added, cut or reworded by splicing; what no table names stays byte for byte.
//! Before: `envelope`, which has judged every byte. After: the gateway, which sends the bytes on. The tables follow
//! the specification of 2026-07-28 (base protocol: `_meta`, results, errors) and that of 2025-11-25.

mod capability;
mod failure;
mod handshake;
mod notice;
mod park;
mod request;
mod result;
mod round;
mod state;
mod subscription;

pub use self::capability::{declared_to_legacy, declared_to_modern, declared_url_elicitation};
pub use self::failure::{failure_code, failure_to_legacy, failure_to_modern};
pub use self::handshake::{Introduction, discovery, initialization, introduction};
pub use self::notice::{Notice, log_level, progress};
pub use self::park::answered;
pub use self::request::{Client, Told, discover, to_legacy, to_modern, told, wanted_level};
pub use self::result::{to_legacy_result, to_modern_result};
pub use self::round::{
    Question, Round, Taken, declines, is_back, next_round, pages, round, taken, without_answer,
};
pub use self::state::{about, brought, given, with_state};
pub use self::subscription::{Wanted, promising_tools, subscription_end, tagged, untagged};

use crate::envelope::{Message, Outcome};
use crate::splice::Misplaced;

/// Reserved keys of `_meta`, which belong to the hop.
pub(crate) mod key {
    pub(crate) const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    pub(crate) const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    pub(crate) const CLIENT: &str = "io.modelcontextprotocol/clientInfo";
    pub(crate) const LEVEL: &str = "io.modelcontextprotocol/logLevel";
    pub(crate) const SERVER: &str = "io.modelcontextprotocol/serverInfo";
    pub(crate) const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
}

/// A message that cannot be brought to the other era.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message does not fit the other era")]
pub struct Unbridgeable;

impl From<Misplaced> for Unbridgeable {
    fn from(_: Misplaced) -> Self {
        Self
    }
}

/// The result in a response.
fn result_of(body: &[u8]) -> Result<&str, Unbridgeable> {
    match Message::parse(body) {
        Ok(Message::Response {
            outcome: Outcome::Result(result),
            ..
        }) if result.get().starts_with('{') => Ok(result.get()),
        _ => Err(Unbridgeable),
    }
}

#[cfg(test)]
mod tests;
