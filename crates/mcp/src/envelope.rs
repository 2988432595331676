//! The envelope of one JSON-RPC message: parsed strictly in one pass, everything inside it left raw.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{depth, object};

/// A message, borrowed from the bytes it came in.
#[derive(Debug)]
pub enum Message<'a> {
    /// Wants an answer.
    Request {
        /// The id as it was written.
        id: &'a RawValue,
        /// The method.
        method: Cow<'a, str>,
        /// The parameters as they were written.
        params: Option<&'a RawValue>,
    },
    /// Wants none.
    Notification {
        /// The method.
        method: Cow<'a, str>,
        /// The parameters as they were written.
        params: Option<&'a RawValue>,
    },
    /// Is one.
    Response {
        /// The id as it was written; `None` when it is absent or null.
        id: Option<&'a RawValue>,
        /// The outcome as it was written.
        outcome: Outcome<'a>,
    },
}

/// The two ways in which a request ends.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// `result`
    Result(&'a RawValue),
    /// `error`
    Error(&'a RawValue),
}

/// Why bytes are not one message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMessage {
    /// Not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// JSON beyond the bounds.
    #[error(transparent)]
    TooComplex(#[from] depth::TooComplex),
    /// An array of messages.
    #[error("the body is an array: batches are not served, send one message per request")]
    Batch,
    /// JSON, but not a JSON-RPC 2.0 message.
    #[error("the body is not a JSON-RPC 2.0 message: {0}")]
    NotAMessage(String),
}

struct Wire<'a> {
    jsonrpc: Option<Cow<'a, str>>,
    id: Option<&'a RawValue>,
    method: Option<Cow<'a, str>>,
    params: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Wire<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = ["jsonrpc", "id", "method", "params", "result", "error"];
        let [jsonrpc, id, method, params, result, error] = object::fields(deserializer, names)?;
        Ok(Self {
            jsonrpc: object::text("jsonrpc", jsonrpc.map(RawValue::get)).map_err(D::Error::custom)?,
            method: object::text("method", method.map(RawValue::get)).map_err(D::Error::custom)?,
            id,
            params,
            result,
            error,
        })
    }
}

/// Keeps `null` apart from absence.
pub(crate) fn present<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&'de RawValue>::deserialize(deserializer).map(Some)
}

fn is_id(raw: &RawValue) -> bool {
    let text = raw.get();
    if text.starts_with('"') {
        return text.len() <= 1024;
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'a> Message<'a> {
    /// Parses one message. Refuses duplicate envelope keys, batches, `null` and fractional ids, messages that are
    /// both an answer and a request, and JSON beyond the bounds of [`depth`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, InvalidMessage> {
        depth::check(bytes)?;
        // What is passed over is not looked at again, and must be text all the same.
        let text = std::str::from_utf8(bytes).map_err(|error| InvalidMessage::NotJson(error.to_string()))?;
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'[') {
            let whole: Result<&RawValue, _> = serde_json::from_str(text);
            return Err(whole.map_or_else(
                |error| InvalidMessage::NotJson(error.to_string()),
                |_| InvalidMessage::Batch,
            ));
        }
        let wire: Wire<'a> = serde_json::from_str(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => InvalidMessage::NotAMessage(error.to_string()),
            _ => InvalidMessage::NotJson(error.to_string()),
        })?;
        wire.into_message()
    }

    /// The method, for requests and notifications.
    pub fn method(&self) -> Option<&str> {
        match self {
            Self::Request { method, .. } | Self::Notification { method, .. } => Some(method),
            Self::Response { .. } => None,
        }
    }

    /// The id, where there is one.
    pub fn id(&self) -> Option<&'a RawValue> {
        match self {
            Self::Request { id, .. } => Some(id),
            Self::Notification { .. } => None,
            Self::Response { id, .. } => *id,
        }
    }
}

impl<'a> Wire<'a> {
    fn into_message(self) -> Result<Message<'a>, InvalidMessage> {
        let fail = |reason: &str| Err(InvalidMessage::NotAMessage(reason.to_owned()));
        if self.jsonrpc.as_deref() != Some("2.0") {
            return fail("`jsonrpc` must be \"2.0\"");
        }
        if let Some(params) = self.params
            && !params.get().starts_with('{')
        {
            return fail("`params` must be an object");
        }
        match (self.method, self.id, self.result, self.error) {
            (Some(method), Some(id), None, None) if is_id(id) => Ok(Message::Request {
                id,
                method,
                params: self.params,
            }),
            (Some(_), Some(_), None, None) => fail("`id` must be a string or an integer"),
            (Some(method), None, None, None) => Ok(Message::Notification {
                method,
                params: self.params,
            }),
            (None, id, Some(result), None) => response(id, Outcome::Result(result)),
            (None, id, None, Some(error)) => response(id, Outcome::Error(error)),
            (None, _, None, None) => fail("`method` is missing"),
            (None, _, Some(_), Some(_)) => fail("it has both `result` and `error`"),
            (Some(_), ..) => fail("it is both a request and a response"),
        }
    }
}

fn response<'a>(id: Option<&'a RawValue>, outcome: Outcome<'a>) -> Result<Message<'a>, InvalidMessage> {
    match id.filter(|id| id.get() != "null") {
        Some(id) if !is_id(id) => Err(InvalidMessage::NotAMessage(
            "`id` must be a string or an integer".to_owned(),
        )),
        id => Ok(Message::Response { id, outcome }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> InvalidMessage {
        Message::parse(text.as_bytes()).expect_err(text)
    }

    #[test]
    fn what_is_not_one_message_is_refused() {
        assert!(matches!(refusal("nonsense"), InvalidMessage::NotJson(_)));
        assert!(matches!(refusal(""), InvalidMessage::NotJson(_)));
        assert!(matches!(
            refusal(r#"{"jsonrpc":"2.0","#),
            InvalidMessage::NotJson(_)
        ));
        assert!(matches!(
            refusal(r#" [{"jsonrpc":"2.0","id":1,"method":"ping"}]"#),
            InvalidMessage::Batch
        ));
        assert!(matches!(refusal(r#"[{"jsonrpc""#), InvalidMessage::NotJson(_)));
        let unreadable = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"x\":\"\xff\"}";
        assert!(matches!(
            Message::parse(unreadable),
            Err(InvalidMessage::NotJson(_))
        ));
        for text in [
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1e3,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
            r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            r#"{"id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","\u006dethod":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"PARAMS":{},"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[1]}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            "7",
        ] {
            assert!(matches!(refusal(text), InvalidMessage::NotAMessage(_)), "{text}");
        }
    }

    #[test]
    fn ids_keep_their_type_and_spelling() {
        for id in ["1", "\"1\"", "-7", "18446744073709551615", "\"a\\u0041\""] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping","extra":[1]}}"#);
            match Message::parse(text.as_bytes()) {
                Ok(Message::Request { id: read, .. }) => assert_eq!(read.get(), id),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_the_parser(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = Message::parse(&bytes);
        }
    }
}
