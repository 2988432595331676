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

/// One text for all spellings of a JSON text, to tell one request from another. A text with a number that the canonical form
/// could take for another one (more than 15 digits, or an exponent) stays as it is written, and so does what has no such form.
pub fn one_spelling(json: &str) -> Vec<u8> {
    let own = || json.as_bytes().to_vec();
    if has_wide_number(json) {
        return own();
    }
    canonical(json).unwrap_or_else(|_| own())
}

/// Whether a number outside of strings may not be exact as a double.
fn has_wide_number(json: &str) -> bool {
    let (mut in_string, mut escaped, mut digits) = (false, false, 0_u8);
    for byte in json.bytes() {
        if in_string {
            (in_string, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        match byte {
            b'"' => (in_string, digits) = (true, 0),
            b'0'..=b'9' => digits = digits.saturating_add(1),
            b'.' | b'-' | b'+' => {}
            // `true` and `false` have no digits before.
            b'e' | b'E' if digits > 0 => return true,
            _ => digits = 0,
        }
        if digits > 15 {
            return true;
        }
    }
    false
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

#[cfg(test)]
mod tests {
    use super::one_spelling;

    #[test]
    fn spellings_are_one_text_and_numbers_are_never_mixed_up() {
        let same = |one: &str, other: &str| one_spelling(one) == one_spelling(other);
        assert!(same(r#"{"b":1,"a":"x"}"#, r#"{ "a": "\u0078", "b": 1.0 }"#));
        assert!(same(
            r#"{"a":"12345678901234567890","b":[true,false,null]}"#,
            r#"{"b":[true,false,null],"a":"12345678901234567890"}"#
        ));
        assert!(!same(
            r#"{"a":1234567890123456789}"#,
            r#"{"a":1234567890123456790}"#
        ));
        assert!(!same(
            r#"{"a":"\"","b":9007199254740993}"#,
            r#"{"a":"\"","b":9007199254740992}"#
        ));
        assert!(!same(r#"{"a":1e400}"#, r#"{"a":2e400}"#));
        assert!(!same("{", "["));
    }
}
