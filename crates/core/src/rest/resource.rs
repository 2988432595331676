//! Operations that hosts read as resources: by a URI of the gateway's own, which says nothing of where the API is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Binding;

/// What the URIs of all resources begin with; the path of the API's description follows.
pub const RESOURCE_ROOT: &str = "api://";

/// A resource, or a template of resources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resource {
    /// Its URI, `api:///ships`; with variables, a template (RFC 6570) of these forms alone: `{name}` for all of a path's
    /// segment or a part of it, `{?one,many*}` at the end for the query. Names are percent-encoded.
    pub uri: String,
    /// Its name.
    pub name: String,
    /// What people read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What it holds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The media type, where it is known before it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// What the variables are, by their names, which are those of the binding's arguments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Variable>,
    /// How it is read. Values of variables are judged by its [`Binding::arguments`].
    pub binding: Binding,
}

/// What the text of a variable stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Variable {
    /// A text.
    Text,
    /// A number, `true`, `false` or `null`, if it reads as one; a text otherwise.
    Plain,
    /// A list of texts: the variable is given once for each.
    Texts,
    /// A list of plain values.
    Plains,
}

// === impl Resource ===

impl Resource {
    /// Whether it is a template.
    pub fn is_template(&self) -> bool {
        !self.variables.is_empty()
    }

    /// It as an element of the list that it stands in: `resources/list`, or `resources/templates/list`.
    pub fn listed(&self) -> Value {
        let place = if self.is_template() { "uriTemplate" } else { "uri" };
        let mut listed = Map::from_iter([
            (place.to_owned(), json!(self.uri)),
            ("name".to_owned(), json!(self.name)),
        ]);
        for (member, text) in [("title", &self.title), ("description", &self.description)] {
            if !text.is_empty() {
                listed.insert(member.to_owned(), json!(text));
            }
        }
        if let Some(kind) = &self.mime_type {
            listed.insert("mimeType".to_owned(), json!(kind));
        }
        Value::Object(listed)
    }
}
