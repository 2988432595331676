//! How long and for whom the answer to a request may be kept (2026-07-28, server, utilities, caching): what of a request
//! decides its answer, what a result says of itself, and the same said of a copy that has grown older.

use serde_json::value::RawValue;

use crate::bridge::key;
use crate::envelope::{Message, Outcome};
use crate::members::Members;
use crate::method::Method;
use crate::params::text;
use crate::splice::Splice;

pub use crate::complete::is_kept;

/// Who may be served a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everybody.
    Public,
    /// Whom it was given to. What says nothing is private.
    Private,
}

/// What a result says of copies of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// How long they are good, in milliseconds; 0: there may be none.
    pub ttl_ms: u64,
    /// For whom.
    pub scope: Scope,
}

// === impl Keeping ===

impl Keeping {
    /// What a result says. `None`: it is not complete, so nothing of it may be kept.
    pub fn of(result: &RawValue) -> Option<Self> {
        if !result.get().starts_with('{') {
            return None;
        }
        let mut keeping = Self {
            ttl_ms: 0,
            scope: Scope::Private,
        };
        for (key, value) in Members::of(result.get()) {
            match text(key).as_deref() {
                Some("resultType") if text(value).as_deref() != Some("complete") => return None,
                // What is no whole number says nothing.
                Some("ttlMs") => keeping.ttl_ms = value.parse().unwrap_or(0),
                Some("cacheScope") if text(value).as_deref() == Some("public") => {
                    keeping.scope = Scope::Public;
                }
                Some("requestState" | "inputRequests") => return None,
                _ => {}
            }
        }
        Some(keeping)
    }
}

/// What of a request's parameters decides its answer, as it was written: everything but who asks, and how the exchange is
/// followed. `None`: it goes on with a call in several rounds, whose answers are never kept.
pub fn asked(body: &[u8]) -> Option<String> {
    let Ok(Message::Request { params, .. }) = Message::parse(body) else {
        return None;
    };
    let mut asked = String::new();
    for (name, value) in params.map(RawValue::get).into_iter().flat_map(Members::of) {
        match text(name).as_deref() {
            Some("inputResponses" | "requestState") => return None,
            Some("_meta") => {
                for (name, value) in Members::of(value).filter(|(name, _)| decides(name)) {
                    put(&mut asked, ["_", name, value]);
                }
            }
            _ => put(&mut asked, ["", name, value]),
        }
    }
    Some(asked)
}

/// Each part with its length, so that no two requests read alike.
fn put(asked: &mut String, parts: [&str; 3]) {
    for part in parts {
        asked.push_str(&part.len().to_string());
        asked.push(':');
        asked.push_str(part);
    }
}

/// Whether a member of `_meta` may decide an answer. What a host can do does: some servers list only what it can use.
fn decides(name: &str) -> bool {
    let name = text(name);
    !matches!(
        name.as_deref(),
        Some(
            "progressToken"
                | "traceparent"
                | "tracestate"
                | "baggage"
                | key::VERSION
                | key::CLIENT
                | key::LEVEL
        )
    )
}

/// An answer whose result says that it is good for so long. `None`: it does not say how long.
pub fn with_ttl(body: &[u8], ttl_ms: u64) -> Option<Vec<u8>> {
    let Ok(Message::Response {
        outcome: Outcome::Result(result),
        ..
    }) = Message::parse(body)
    else {
        return None;
    };
    let mut members = Members::of(result.get());
    let (_, said) = members.find(|(key, _)| text(key).as_deref() == Some("ttlMs"))?;
    let mut splice = Splice::new(body);
    splice.replace(said, ttl_ms.to_string()).ok()?;
    Some(splice.finish())
}

/// Whether it is a list: what is late in a list does less harm than no list.
pub const fn is_list(method: Method) -> bool {
    matches!(
        method,
        Method::ListTools | Method::ListPrompts | Method::ListResources | Method::ListTemplates
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn a_result_says_how_long_and_for_whom() {
        let keeping = |ttl_ms, scope| Some(Keeping { ttl_ms, scope });
        for (result, expected) in [
            ("{}", keeping(0, Scope::Private)),
            (r#"{"ttlMs":5}"#, keeping(5, Scope::Private)),
            (
                r#"{"ttlMs":5,"cacheScope":"p\u0075blic","resultType":"complete"}"#,
                keeping(5, Scope::Public),
            ),
            (r#"{"ttlMs":-5,"cacheScope":"public"}"#, keeping(0, Scope::Public)),
            (r#"{"ttlMs":5.5,"cacheScope":"else"}"#, keeping(0, Scope::Private)),
            (r#"{"ttlMs":"5"}"#, keeping(0, Scope::Private)),
            (r#"{"tools":[{"ttlMs":9}]}"#, keeping(0, Scope::Private)),
            (r#"{"ttlMs":5,"resultType":"input_required"}"#, None),
            (r#"{"ttlMs":5,"requestState":"x"}"#, None),
            ("[]", None),
        ] {
            assert_eq!(Keeping::of(&raw(result)), expected, "{result}");
        }
    }

    #[test]
    fn what_is_asked_is_neither_who_asks_nor_how() {
        let request = |params: &str| {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{params}}}"#);
            asked(body.as_bytes())
        };
        let able = r#""io.modelcontextprotocol/clientCapabilities":{}"#;
        let one = request(&format!(
            r#"{{"cursor":"","_meta":{{"progressToken":1,"traceparent":"a",{able},"io.modelcontextprotocol/clientInfo":{{"name":"a"}}}}}}"#
        ));
        assert!(one.is_some());
        assert_eq!(one, request(&format!(r#"{{"cursor":"","_meta":{{{able}}}}}"#)));
        for other in [
            format!(r#"{{"cursor":"2","_meta":{{{able}}}}}"#),
            format!(r#"{{"_meta":{{{able}}}}}"#),
            r#"{"cursor":"","_meta":{}}"#.to_owned(),
            format!(r#"{{"cursor":"","_meta":{{{able},"com.acme/tenant":"a"}}}}"#),
        ] {
            assert_ne!(one, request(&other), "{other}");
        }
        assert_eq!(request(r#"{"uri":"a","request\u0053tate":"x"}"#), None);
        assert_eq!(request(r#"{"uri":"a","inputResponses":{}}"#), None);
        assert_eq!(
            asked(br#"{"jsonrpc":"2.0","id":1,"method":"m"}"#).as_deref(),
            Some("")
        );
        assert_eq!(asked(br#"{"jsonrpc":"2.0","method":"m"}"#), None);
    }

    #[test]
    fn a_copy_says_what_is_left() {
        let body = br#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"ttlMs":1}],"ttlMs" : 60000,"x":1.0}}"#;
        assert_eq!(
            with_ttl(body, 7).unwrap(),
            br#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"ttlMs":1}],"ttlMs" : 7,"x":1.0}}"#
        );
        assert_eq!(with_ttl(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#, 7), None);
    }
}
