//! Header names of the transport, and the encoding of values that are not plain ASCII.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;

/// The protocol version of the hop.
pub const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// The JSON-RPC method, mirrored (2026-07-28).
pub const METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// The tool, prompt or resource, mirrored (2026-07-28).
pub const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// The session (up to 2025-11-25).
pub const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// Mirrored arguments carry this prefix (2026-07-28).
pub const PARAM_PREFIX: &str = "mcp-param-";
/// The caller's trace context (W3C Trace Context).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Where an SSE stream broke off.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A value between the marks `=?base64?` and `?=` that is not base64 of UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the header value is marked as base64, but is not base64 of UTF-8 text")]
pub struct InvalidEncoding;

/// Reads a mirrored value: plain, or `=?base64?...?=`. Surrounding blanks do not count.
pub fn decode(value: &str) -> Result<Cow<'_, str>, InvalidEncoding> {
    let value = value.trim_matches([' ', '\t']);
    let Some(encoded) = value
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="))
    else {
        return Ok(Cow::Borrowed(value));
    };
    let bytes = STANDARD.decode(encoded).map_err(|_| InvalidEncoding)?;
    String::from_utf8(bytes)
        .map(Cow::Owned)
        .map_err(|_| InvalidEncoding)
}

/// Writes a value so that [`decode`] reads it back: plain where that is safe, else `=?base64?...?=`.
pub fn encode(value: &str) -> Cow<'_, str> {
    let plain = value.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
        && !value.starts_with(' ')
        && !value.ends_with(' ')
        && !value.starts_with("=?base64?");
    if plain {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(format!("=?base64?{}?=", STANDARD.encode(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_encoded_reads_back(value in ".*") {
            let encoded = encode(&value).into_owned();
            proptest::prop_assert!(encoded.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
            proptest::prop_assert_eq!(decode(&encoded).unwrap(), value);
        }
    }

    #[test]
    fn marks_around_something_else_are_refused() {
        assert_eq!(decode("=?base64?%%?="), Err(InvalidEncoding));
        assert_eq!(decode("=?base64?YWRk?=").as_deref(), Ok("add"));
        assert_eq!(decode(" add\t").as_deref(), Ok("add"));
    }
}
