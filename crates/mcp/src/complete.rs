//! What a result of 2026-07-28 must say of itself, added where a server leaves it out: its type, and for lists and resources
//! how long and for whom it may be kept. Without a word of the server that is: not at all.

use serde_json::value::RawValue;

use crate::members::Members;
use crate::method::Method;
use crate::params::text;

/// The members that a result lacks, as they are put at its beginning; nothing when it has them all, or is no object.
pub fn lacking(method: Method, result: &RawValue) -> Option<String> {
    if !result.get().starts_with('{') {
        return None;
    }
    let (mut kind, mut ttl, mut scope, mut is_empty) = (None, false, false, true);
    for (key, value) in Members::of(result.get()) {
        is_empty = false;
        match key {
            "\"resultType\"" => kind = Some(value),
            "\"ttlMs\"" => ttl = true,
            "\"cacheScope\"" => scope = true,
            _ => {}
        }
    }
    let is_complete = kind.is_none_or(|kind| text(kind).as_deref() == Some("complete"));
    let says_how_long = is_complete && is_kept(method);
    let members = [
        (kind.is_none(), "\"resultType\":\"complete\""),
        (says_how_long && !ttl, "\"ttlMs\":0"),
        (says_how_long && !scope, "\"cacheScope\":\"private\""),
    ];
    let mut added: Vec<&str> = members
        .into_iter()
        .filter_map(|(lacks, member)| lacks.then_some(member))
        .collect();
    if added.is_empty() {
        return None;
    }
    if !is_empty {
        // What follows is a member.
        added.push("");
    }
    Some(added.join(","))
}

/// Whether the revision wants to know of its results how long they may be kept (server, utilities, caching).
pub const fn is_kept(method: Method) -> bool {
    matches!(
        method,
        Method::Discover
            | Method::ListTools
            | Method::ListPrompts
            | Method::ListResources
            | Method::ListTemplates
            | Method::ReadResource
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lacks_is_added() {
        for (method, result, expected) in [
            (Method::CallTool, "{}", Some("\"resultType\":\"complete\"")),
            (
                Method::CallTool,
                r#"{"content":[]}"#,
                Some("\"resultType\":\"complete\","),
            ),
            (
                Method::CallTool,
                r#"{"content":[{"resultType":1}],"resultType":"complete"}"#,
                None,
            ),
            (Method::CallTool, r#"{"resultType":"task"}"#, None),
            (
                Method::ListTools,
                r#"{"tools":[],"ttlMs":5,"cacheScope":"public","resultType":"complete"}"#,
                None,
            ),
            (
                Method::ListTools,
                r#"{"tools":[],"ttlMs":5}"#,
                Some("\"resultType\":\"complete\",\"cacheScope\":\"private\","),
            ),
            (
                Method::ReadResource,
                r#"{"contents":[],"resultType":"complete"}"#,
                Some("\"ttlMs\":0,\"cacheScope\":\"private\","),
            ),
            (Method::ReadResource, r#"{"resultType":"input_required"}"#, None),
            (Method::CallTool, "[]", None),
            (Method::CallTool, "7", None),
        ] {
            let raw = RawValue::from_string(result.to_owned()).unwrap();
            assert_eq!(lacking(method, &raw).as_deref(), expected, "{result}");
        }
    }
}
