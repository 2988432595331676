//! What a message of a server becomes for the host.

use bytes::Bytes;
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::bridge::{Question, Round};
use serde_json::value::RawValue;

/// A message for the host.
#[derive(Debug)]
pub struct Turned {
    /// Its bytes.
    pub bytes: Bytes,
    /// How the request ended, if the message ends it.
    pub outcome: Option<UsageOutcome>,
    /// The code of an error that came from the other era.
    pub code: Option<i64>,
    /// What the host must be asked before the request can be answered.
    pub asks: Option<Box<Round>>,
    /// What a legacy server asks of a modern host in the middle of its call, under this id, so that the call must wait.
    pub waits: Option<Box<(Box<RawValue>, Question)>>,
}

// === impl Turned ===

impl Turned {
    /// An answer of our own.
    pub fn ending(bytes: Vec<u8>) -> Self {
        Self {
            bytes: bytes.into(),
            outcome: Some(UsageOutcome::Ok),
            code: None,
            asks: None,
            waits: None,
        }
    }

    /// A message that ends nothing.
    pub(super) fn by_the_way(bytes: Bytes) -> Self {
        Self {
            bytes,
            outcome: None,
            code: None,
            asks: None,
            waits: None,
        }
    }
}
