//! Hashes: of bytes, and of JSON in its canonical form (RFC 8785), so that key order and white space do not count.
//!
//! Numbers are doubles there, as in JavaScript: `1.0` and `1` are the same number, and so are two integers beyond
//! 2^53 that round to the same double. A number that no double can hold is refused.

use aws_lc_rs::digest;
use serde_json::Value;

use crate::error::InspectError;
use crate::{hex, json};

/// The canonical form (RFC 8785) of a JSON text.
pub fn canonical(json: &str) -> Result<Vec<u8>, InspectError> {
    canonical_value(&json::read(json)?)
}

/// SHA-256 over the canonical form, hex.
pub fn content_hash(json: &str) -> Result<String, InspectError> {
    canonical(json).map(|bytes| sha256_hex(&bytes))
}

/// SHA-256 of bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// SHA-256 of bytes, hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(&sha256(bytes))
}

/// The canonical form of a tree that [`json::read`] made. It holds only finite numbers and texts as keys, so writing
/// it cannot fail; should it ever, the refusal says what the writer said.
pub(crate) fn canonical_value(value: &Value) -> Result<Vec<u8>, InspectError> {
    serde_json_canonicalizer::to_vec(value).map_err(|error| InspectError::NotJson {
        reason: error.to_string(),
        line: error.line(),
        column: error.column(),
    })
}
