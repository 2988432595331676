//! The arguments of a tool: one list, whatever place of the request each of them fills, and no two of one name.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Longest name of an argument that every model takes.
const LONGEST: usize = 64;

/// An argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) schema: Value,
    pub(super) required: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) list: Vec<Argument>,
    /// What other arguments must be, where there may be others.
    pub(super) others: Option<Value>,
    taken: BTreeSet<String>,
}

impl Arguments {
    /// A free name for what is called so on the wire: the name itself, or with its place in front.
    pub(super) fn claim(&mut self, wire: &str, place: &str) -> String {
        let plain = word(wire);
        let placed = word(&format!("{place}_{wire}"));
        let numbered = (2..1_000).map(|number| format!("{placed}_{number}"));
        let name = [plain, placed.clone()]
            .into_iter()
            .chain(numbered)
            .find(|name| !self.taken.contains(name))
            .unwrap_or(placed);
        self.taken.insert(name.clone());
        name
    }

    pub(super) fn add(&mut self, argument: Argument) {
        self.list.push(argument);
    }

    /// The schema of all of them.
    pub(super) fn schema(&self) -> Map<String, Value> {
        let properties: Map<String, Value> = self
            .list
            .iter()
            .map(|argument| (argument.name.clone(), argument.schema.clone()))
            .collect();
        let required: Vec<&str> = self
            .list
            .iter()
            .filter(|argument| argument.required)
            .map(|argument| argument.name.as_str())
            .collect();
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), Value::Object(properties));
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        let others = self.others.clone().unwrap_or(json!(false));
        schema.insert("additionalProperties".to_owned(), others);
        schema
    }
}

/// Letters, digits, `_`, `-` and `.`.
fn word(text: &str) -> String {
    let mut word = String::new();
    for character in text.chars() {
        if word.len() >= LONGEST {
            break;
        }
        if character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_') {
            word.push(character);
        } else if !word.ends_with('_') {
            word.push('_');
        }
    }
    let trimmed = word.trim_end_matches('_');
    let trimmed = if text.starts_with('_') {
        trimmed
    } else {
        trimmed.trim_start_matches('_')
    };
    if trimmed.is_empty() {
        "argument".to_owned()
    } else {
        trimmed.to_owned()
    }
}
