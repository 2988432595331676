//! Narrow views of `params`: only what the gateway must know, duplicates of it refused.

use std::borrow::Cow;

use serde::de::Error as _;
use serde_json::value::RawValue;

use crate::members::Members;
use crate::object;

/// The fields of `params` that some decision needs.
#[derive(Debug, Default)]
pub struct Params<'a> {
    /// Tool or prompt.
    pub name: Option<Cow<'a, str>>,
    /// Resource.
    pub uri: Option<Cow<'a, str>>,
    /// Task.
    pub task_id: Option<Cow<'a, str>>,
    /// Arguments of a tool or a prompt.
    pub arguments: Option<&'a str>,
    /// The request's `_meta`; `None` when it is absent or `null`.
    pub meta: Option<Meta<'a>>,
    /// `initialize`: the version that the client proposes.
    pub protocol_version: Option<&'a str>,
    /// `notifications/cancelled`: the request that is meant.
    pub request_id: Option<&'a str>,
    /// The state of a call in several rounds (2026-07-28).
    pub request_state: Option<&'a str>,
    /// The answers of such a round.
    pub input_responses: Option<&'a str>,
}

/// The reserved keys of a request's `_meta`.
#[derive(Debug, Default)]
pub struct Meta<'a> {
    /// The version of this request (2026-07-28).
    pub protocol_version: Option<&'a str>,
    /// What the client can do (2026-07-28).
    pub client_capabilities: Option<&'a str>,
}

/// Parameters that do not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`params` do not fit: {0}")]
pub struct InvalidParams(pub String);

// === impl Params ===

impl<'a> Params<'a> {
    /// Reads the view. Absent `params` are empty ones. What lies inside the values is not read again: a message that was
    /// parsed is JSON throughout.
    pub fn parse(raw: Option<&'a RawValue>) -> Result<Self, InvalidParams> {
        let Some(raw) = raw else {
            return Ok(Self::default());
        };
        Self::read(raw.get()).map_err(|error| InvalidParams(error.to_string()))
    }

    fn read(object: &'a str) -> Result<Self, serde_json::Error> {
        let names = [
            "name",
            "uri",
            "taskId",
            "arguments",
            "_meta",
            "protocolVersion",
            "requestId",
            "requestState",
            "inputResponses",
        ];
        let [
            name,
            uri,
            task_id,
            arguments,
            meta,
            protocol_version,
            request_id,
            request_state,
            input_responses,
        ] = object::fields_read(object, names)?;
        Ok(Self {
            name: object::text("name", name)?,
            uri: object::text("uri", uri)?,
            task_id: object::text("taskId", task_id)?,
            arguments,
            meta: meta
                .filter(|meta| *meta != "null")
                .map(Meta::read)
                .transpose()
                .map_err(|error| serde_json::Error::custom(format_args!("`_meta`: {error}")))?,
            protocol_version,
            request_id,
            request_state,
            input_responses,
        })
    }
}

// === impl Meta ===

impl<'a> Meta<'a> {
    fn read(object: &'a str) -> Result<Self, serde_json::Error> {
        if !object.starts_with('{') {
            return Err(serde_json::Error::custom("it must be an object"));
        }
        let names = [
            "io.modelcontextprotocol/protocolVersion",
            "io.modelcontextprotocol/clientCapabilities",
        ];
        let [protocol_version, client_capabilities] = object::fields_read(object, names)?;
        Ok(Self {
            protocol_version,
            client_capabilities,
        })
    }
}

/// The text of a JSON string as it was written; `None` when it is something else.
pub fn text(raw: &str) -> Option<Cow<'_, str>> {
    object::text("", Some(raw)).ok().flatten()
}

/// The value of a key in `_meta`, as it was written.
pub fn in_meta<'a>(params: &'a RawValue, key: &str) -> Option<&'a str> {
    let member = |object: &'a str, wanted: &str| {
        Members::of(object).find_map(|(key, value)| (text(key)? == wanted).then_some(value))
    };
    member(member(params.get(), "_meta")?, key)
}

/// The top-level keys of a JSON object that was read before, in their order, at most `limit`; none for anything else.
/// A key is cut to 128 characters.
pub fn keys(json: &[u8], limit: usize) -> Vec<String> {
    let object = std::str::from_utf8(json).unwrap_or_default();
    Members::of(object)
        .take(limit)
        .filter_map(|(key, _)| text(key))
        .map(|key| key.chars().take(128).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_of_what_decides_are_refused() {
        for text in [
            r#"{"name":"a","name":"b"}"#,
            r#"{"name":"a","n\u0061me":"b"}"#,
            r#"{"_meta":{},"_meta":{}}"#,
            r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"a","io.modelcontextprotocol/protocolVersion":"b"}}"#,
            r#"{"_meta":{"io.modelcontextprotocol/protocolversion":"a"}}"#,
            r#"{"_meta":[]}"#,
            r#"{"uri":"a","uri":"b"}"#,
            r#"{"name":7}"#,
            r#"{"requestState":"a","requestState":"b"}"#,
            r#"{"requestState":"a","requestStat\u0065":"b"}"#,
            r#"{"RequestState":"a"}"#,
            r#"{"inputresponses":{}}"#,
            r#"{"name":"a","Name":"b"}"#,
            r#"{"NAME":"b","name":"a"}"#,
            r#"{"name":"a","argumentſ":{}}"#,
        ] {
            let raw: &RawValue = serde_json::from_str(text).unwrap();
            assert!(Params::parse(Some(raw)).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_come_in_order_and_are_bounded() {
        assert_eq!(keys(br#"{"b":{"x":1},"a":[1],"c":0}"#, 2), ["b", "a"]);
        assert!(keys(b"[1]", 2).is_empty());
    }
}
