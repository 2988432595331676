//! What a call comes to: the result of a tool, and how it is written.

use std::borrow::Cow;

use http::StatusCode;
use portreeve_core::protocol::Era;
use portreeve_mcp::answer;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::credential::Presented;

/// What a call comes to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) blocks: Vec<Block>,
    pub(super) structured: Option<Box<RawValue>>,
    pub(super) is_error: bool,
    /// How the API refused, if it did.
    pub(super) status: Option<StatusCode>,
}

/// A piece of content.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Block {
    Text {
        text: String,
    },
    Image {
        data: String,
        #[serde(rename = "mimeType")]
        kind: String,
    },
    Audio {
        data: String,
        #[serde(rename = "mimeType")]
        kind: String,
    },
    Resource {
        resource: Blob,
    },
}

/// Bytes that no block of their own is for.
#[derive(Debug, Serialize)]
pub(super) struct Blob {
    pub(super) uri: String,
    #[serde(rename = "mimeType")]
    pub(super) kind: String,
    pub(super) blob: String,
}

#[derive(Serialize)]
struct Written<'a> {
    content: &'a [Block],
    #[serde(rename = "structuredContent", skip_serializing_if = "Option::is_none")]
    structured: Option<&'a RawValue>,
    #[serde(rename = "isError", skip_serializing_if = "std::ops::Not::not")]
    is_error: bool,
    #[serde(rename = "resultType", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<Value>,
}

impl Outcome {
    /// A text, and nothing else.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self {
            blocks: vec![Block::text(text)],
            ..Self::default()
        }
    }

    /// Something that did not work, in words that a model can act on.
    pub(super) fn failure(text: impl Into<String>) -> Self {
        Self {
            is_error: true,
            ..Self::text(text)
        }
    }

    /// The same without the credentials of the route, which some APIs repeat in what they refuse.
    pub(super) fn without(mut self, shown: &Presented) -> Self {
        for block in &mut self.blocks {
            if let Block::Text { text } = block {
                *text = shown.redact(std::mem::take(text));
            }
        }
        self
    }

    /// The answer to the call.
    pub(super) fn write(&self, era: Era, id: &RawValue, server: &Value) -> Vec<u8> {
        let is_modern = era == Era::Modern;
        let written = Written {
            content: &self.blocks,
            structured: self.structured.as_deref(),
            is_error: self.is_error,
            kind: is_modern.then_some("complete"),
            meta: is_modern.then(|| json!({"io.modelcontextprotocol/serverInfo": server})),
        };
        answer::result(id, written)
    }
}

impl Block {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }
}

/// The beginning of a text, cut at a character.
pub(super) fn beginning(text: &str, bytes: usize) -> Cow<'_, str> {
    if text.len() <= bytes {
        return Cow::Borrowed(text);
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default()))
}
