//! What people choose of an API and how they want its tools: data that stands beside the document, versioned with the
//! entry. The same struct is the file, the API's form and what is stored.

use std::collections::BTreeMap;

use portreeve_core::rest::{Paging, Prompt, Shape};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::operations::Operation;

/// Which operations become tools, and what is different about them from what the document says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Curation {
    /// Only operations that one of these describes become tools. Empty: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Selector>,
    /// Operations that one of these describes become none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Selector>,
    /// How the schemas are written.
    #[serde(default)]
    pub profile: Profile,
    /// How much of the document's descriptions a model reads.
    #[serde(default)]
    pub descriptions: Descriptions,
    /// By the tool's name as it is made from the document: what is different about it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, ToolCuration>,
    /// By the tool's name as it is made from the document: operations that hosts may read as resources. Whether they are
    /// tools as well is what `include` and `exclude` say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, ResourceCuration>,
    /// By name: texts that people choose in their hosts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prompts: BTreeMap<String, Prompt>,
}

/// Describes operations. What is given must all be so; texts may have `*` for any characters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    /// One of its tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Its path, as the document has it: `/repos/{owner}/*`. Of GraphQL, the name of the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its method. Of GraphQL, `query` or `mutation`; mutations are only chosen with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The name of its tool as it is made from the document, or its `operationId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// How schemas are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// All of JSON Schema 2020-12.
    #[default]
    Full,
    /// Without `$ref`, lists of types and compositions: some hosts, Copilot Studio among them, drop tools that have
    /// them. Arguments are judged by the full schema all the same.
    Flat,
}

/// How much of the document's descriptions a model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Descriptions {
    /// The summary and the first sentences.
    #[default]
    Short,
    /// All of them, up to 4,000 characters.
    Long,
}

/// What is different about one tool.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToolCuration {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rename: Option<String>,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it changes nothing, where the method says otherwise: a search by POST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// Whether it may destroy something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
    /// Whether twice does what once does; then a call without an answer is sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// By the argument's name as it is made from the document.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, ArgumentCuration>,
    /// GraphQL: what is asked of its answer, as in `id name owner { login }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
    /// What is kept of its answers.
    #[serde(default, skip_serializing_if = "Shape::is_empty")]
    pub answer: Shape,
    /// How further pages are followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
    /// Longest wait for its answer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// How an operation is read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceCuration {
    /// Its name; that of the operation's tool unless it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its media type, where the document does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// By the argument's name as it is made from the document: arguments are the variables of its URI.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, ArgumentCuration>,
    /// Longest wait for its answer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// What is different about one argument.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArgumentCuration {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rename: Option<String>,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Always this value; the argument is not shown and cannot be given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub fixed: Option<Value>,
    /// This value when it is not given; the argument is not required then.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub default: Option<Value>,
    /// It is not shown, cannot be given, and is never sent. Only for what is not required.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hide: bool,
}

/// A null that is written is a value.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

// === impl Curation ===

impl Curation {
    /// Whether an operation becomes a tool.
    pub(super) fn chooses(&self, operation: &Operation<'_>, name: &str) -> bool {
        let describes = |selector: &Selector| selector.describes(operation, name);
        (self.include.is_empty() || self.include.iter().any(describes)) && !self.exclude.iter().any(describes)
    }

    /// Whether something in [`Curation::include`] chooses the operation and says its method.
    pub(super) fn names_method_of(&self, operation: &Operation<'_>, name: &str) -> bool {
        let names = |selector: &Selector| selector.method.is_some() && selector.describes(operation, name);
        self.include.iter().any(names)
    }
}

// === impl Selector ===

impl Selector {
    fn describes(&self, operation: &Operation<'_>, name: &str) -> bool {
        let is = |pattern: &Option<String>, text: &str| {
            pattern.as_ref().is_none_or(|pattern| matches(pattern, text))
        };
        let tagged = self
            .tag
            .as_ref()
            .is_none_or(|pattern| operation.tags().iter().any(|tag| matches(pattern, tag)));
        let named = is(&self.name, name) || operation.id().is_some_and(|id| is(&self.name, id));
        let method = self
            .method
            .as_ref()
            .is_none_or(|method| method.eq_ignore_ascii_case(&operation.method));
        tagged && is(&self.path, operation.path) && method && named
    }
}

/// Whether a text is what a pattern describes. Linear in the text for each star.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text) in [
            ("a", "a"),
            ("*", ""),
            ("/r/*/x", "/r/{o}/x"),
            ("*s*", "pets"),
            ("a*a", "aa"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*a", "a"), ("/r/*/x", "/r/x"), ("", "a")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
