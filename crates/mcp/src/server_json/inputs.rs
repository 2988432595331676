//! Inputs: values that a document fixes, proposes, or asks the person who installs for.
//!
//! Before: a header, argument or environment variable of a document. After: `registry::install` makes prompts of them.

use serde_json::{Map, Value};

use super::{Notes, flag, list, text};

/// An input.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Input {
    /// What it is for.
    pub description: Option<String>,
    /// It must have a value.
    pub is_required: bool,
    /// Its value must not be shown, stored in clear, or put into a link.
    pub is_secret: bool,
    /// The fixed value, possibly with `{variables}`.
    pub value: Option<String>,
    /// The proposed value.
    pub default: Option<String>,
    /// What the values of the variables in `value` are.
    pub variables: Vec<(String, Input)>,
}

/// An input with a name: a header or an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValue {
    /// The name.
    pub name: String,
    /// The value.
    pub input: Input,
}

impl Input {
    /// Reads an input; what is of the wrong type is taken as absent.
    pub(crate) fn read(raw: &Map<String, Value>) -> Self {
        Self {
            description: text(raw, "description").map(str::to_owned),
            is_required: either(raw, "isRequired", "is_required"),
            is_secret: either(raw, "isSecret", "is_secret"),
            value: text(raw, "value").map(str::to_owned),
            default: scalar(raw.get("default")),
            variables: variables(raw),
        }
    }
}

fn either(raw: &Map<String, Value>, camel: &str, snake: &str) -> bool {
    flag(raw, camel) || flag(raw, snake)
}

/// Defaults are texts by the schema, but numbers and booleans in the wild.
fn scalar(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The `variables` of a remote or of an input.
pub(crate) fn variables(raw: &Map<String, Value>) -> Vec<(String, Input)> {
    let Some(Value::Object(map)) = raw.get("variables") else {
        return Vec::new();
    };
    map.iter()
        .filter_map(|(name, value)| Some((name.clone(), Input::read(value.as_object()?))))
        .collect()
}

/// A list of named inputs.
pub(crate) fn key_values(
    raw: &Map<String, Value>,
    key: &str,
    parent: &str,
    notes: &mut Notes,
) -> Vec<KeyValue> {
    let mut inner = Notes::default();
    let mut found = Vec::new();
    for (path, item) in list(raw, key, &mut inner) {
        match text(item, "name") {
            // Seen in the wild; it names nothing, so nothing is lost with it.
            Some("") => inner.warning(format!("{path}.name"), "it is empty; the item means nothing"),
            Some(name) => found.push(KeyValue {
                name: name.to_owned(),
                input: Input::read(item),
            }),
            None => inner.problem(format!("{path}.name"), "it is required"),
        }
    }
    notes.adopt(parent, inner);
    found
}

/// The names in `{curly}` braces of a text.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}
