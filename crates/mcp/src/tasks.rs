//! Where the identities of tasks stand in messages (extension `io.modelcontextprotocol/tasks` of 2026-07-28).

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::object;
use crate::params::text;

/// The name of the extension.
pub const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// An identity, as it was written in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The value, quotes included: a part of the message.
    pub raw: &'a str,
    /// Whether the message says that the task was just made.
    pub is_new: bool,
}

/// The identity in a result.
pub fn in_result(result: &RawValue) -> Option<Identity<'_>> {
    let [raw, kind] = object::fields_read(result.get(), ["taskId", "resultType"]).ok()?;
    Some(Identity {
        raw: raw.filter(|raw| raw.starts_with('"'))?,
        is_new: kind.and_then(text).as_deref() == Some("task"),
    })
}

/// The identity in the parameters of a request about a task, or of a notification.
pub fn in_params(params: &RawValue) -> Option<&str> {
    let [raw] = object::fields_read(params.get(), ["taskId"]).ok()?;
    raw.filter(|raw| raw.starts_with('"'))
}

/// The identities that a subscription names, or its acknowledgement.
pub fn in_filter(params: &RawValue) -> Vec<&str> {
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow)]
        notifications: Filter<'a>,
    }
    #[derive(Deserialize)]
    struct Filter<'a> {
        #[serde(borrow, default, rename = "taskIds")]
        ids: Vec<&'a RawValue>,
    }
    let filter = serde_json::from_str::<Params<'_>>(params.get());
    filter.map_or_else(
        |_| Vec::new(),
        |params| params.notifications.ids.into_iter().map(RawValue::get).collect(),
    )
}

/// Whether a client declares the extension in its capabilities, which are JSON.
pub fn are_declared(capabilities: &str) -> bool {
    #[derive(Deserialize)]
    struct Capabilities {
        #[serde(default)]
        extensions: std::collections::HashMap<String, IgnoredAny>,
    }
    serde_json::from_str::<Capabilities>(capabilities)
        .is_ok_and(|capabilities| capabilities.extensions.contains_key(EXTENSION))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn identities_are_found_where_they_stand() {
        let made = raw(r#"{"resultType":"task", "taskId" : "a\"b","status":"working"}"#);
        let found = in_result(&made).unwrap();
        assert_eq!((found.raw, found.is_new), (r#""a\"b""#, true));
        let asked = raw(r#"{"resultType":"complete","taskId":"a"}"#);
        assert!(!in_result(&asked).unwrap().is_new);
        for none in [
            r#"{"content":[{"taskId":"a"}]}"#,
            r#"{"taskId":7}"#,
            "[]",
            r#"{"taskId":"a","taskId":"b"}"#,
        ] {
            assert_eq!(in_result(&raw(none)), None, "{none}");
        }
        assert_eq!(
            in_params(&raw(r#"{"_meta":{"taskId":"x"},"taskId":"y"}"#)),
            Some("\"y\"")
        );
        let filter = raw(r#"{"notifications":{"toolsListChanged":true,"taskIds":["a", "b"]}}"#);
        assert_eq!(in_filter(&filter), ["\"a\"", "\"b\""]);
        assert!(in_filter(&raw(r#"{"notifications":{}}"#)).is_empty());
        assert!(in_filter(&raw("{}")).is_empty());
    }

    #[test]
    fn the_extension_is_declared_by_its_name() {
        assert!(are_declared(
            r#"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#
        ));
        for not in ["{}", r#"{"extensions":{}}"#, r#"{"tasks":{}}"#, "7"] {
            assert!(!are_declared(not), "{not}");
        }
    }
}
