//! Narrow views of `params`: only what the gateway must know, duplicates of it refused.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::object;

/// The fields of `params` that some decision needs.
#[derive(Debug, Default)]
pub struct Params<'a> {
    /// Tool or prompt.
    pub name: Option<Cow<'a, str>>,
    /// Resource.
    pub uri: Option<Cow<'a, str>>,
    /// Arguments of a tool or a prompt.
    pub arguments: Option<&'a RawValue>,
    /// The request's `_meta`; `None` when it is absent or `null`.
    pub meta: Option<Meta<'a>>,
    /// `initialize`: the version that the client proposes.
    pub protocol_version: Option<&'a RawValue>,
    /// `notifications/cancelled`: the request that is meant.
    pub request_id: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Params<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = [
            "name",
            "uri",
            "arguments",
            "_meta",
            "protocolVersion",
            "requestId",
        ];
        let [name, uri, arguments, meta, protocol_version, request_id] = object::fields(deserializer, names)?;
        Ok(Self {
            name: object::text("name", name).map_err(D::Error::custom)?,
            uri: object::text("uri", uri).map_err(D::Error::custom)?,
            arguments,
            meta: meta
                .filter(|meta| meta.get() != "null")
                .map(|meta| serde_json::from_str(meta.get()))
                .transpose()
                .map_err(|error| D::Error::custom(format_args!("`_meta`: {error}")))?,
            protocol_version,
            request_id,
        })
    }
}

/// The reserved keys of a request's `_meta`.
#[derive(Debug, Default)]
pub struct Meta<'a> {
    /// The version of this request (2026-07-28).
    pub protocol_version: Option<&'a RawValue>,
    /// What the client can do (2026-07-28).
    pub client_capabilities: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Meta<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = [
            "io.modelcontextprotocol/protocolVersion",
            "io.modelcontextprotocol/clientCapabilities",
        ];
        let [protocol_version, client_capabilities] = object::fields(deserializer, names)?;
        Ok(Self {
            protocol_version,
            client_capabilities,
        })
    }
}

/// Parameters that do not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`params` do not fit: {0}")]
pub struct InvalidParams(pub String);

impl<'a> Params<'a> {
    /// Reads the view. Absent `params` are empty ones.
    pub fn parse(raw: Option<&'a RawValue>) -> Result<Self, InvalidParams> {
        let Some(raw) = raw else {
            return Ok(Self::default());
        };
        serde_json::from_str(raw.get()).map_err(|error| InvalidParams(error.to_string()))
    }
}

/// The text of a raw JSON string; `None` when it is something else.
pub fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(raw.get())
        .ok()
        .map(|text| text.0)
}

/// The top-level keys of a JSON object in their order, at most `limit`; empty for anything else.
pub fn keys(json: &[u8], limit: usize) -> Vec<String> {
    struct Keys(usize);
    impl<'de> serde::de::Visitor<'de> for Keys {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
            let mut keys = Vec::new();
            while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                map.next_value::<serde::de::IgnoredAny>()?;
                if keys.len() < self.0 {
                    keys.push(key.chars().take(128).collect());
                }
            }
            Ok(keys)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    serde::Deserializer::deserialize_map(&mut deserializer, Keys(limit)).unwrap_or_default()
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
