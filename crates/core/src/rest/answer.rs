//! What comes back, and what is kept of it.

use serde::{Deserialize, Serialize};

/// What an API answers to an operation that succeeds. An answer of another type is passed on as what it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answers {
    /// Media types of success, preferred first: the `Accept` header. Empty when nothing is said, or nothing comes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// What `structuredContent` is. Anything but `none` goes with an `outputSchema` in the tool's definition.
    #[serde(default)]
    pub structured: Structured,
    /// The answer is one of GraphQL: what counts is the member of its `data` of this name, and whether it has `errors`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graphql: Option<String>,
}

/// What `structuredContent` is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Structured {
    /// There is none; the answer is content alone.
    #[default]
    None,
    /// The answer, which is a JSON object.
    Object,
    /// An object with the answer in its member of this name: an answer that is an array or a plain value, or that is
    /// none of the time.
    Wrapped(String),
}

/// What is kept of an answer before anybody sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Shape {
    /// What is kept of a JSON answer: JSON pointers (RFC 6901) in which `*` stands for every element or member. Empty:
    /// all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pick: Vec<String>,
    /// Elements that are kept of the list that `items` names; how many there were is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_items: Option<u32>,
    /// Where that list is, as a JSON pointer; the answer itself unless it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// Bytes of the result. What is longer is cut at a whole element or character, and how to get the rest is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_bytes: Option<u64>,
}

impl Shape {
    /// Whether everything is kept.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
