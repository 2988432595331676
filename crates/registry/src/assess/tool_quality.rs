//! Whether a model can use the tools: descriptions, parameters, and schemas that hosts understand.

use serde_json::Value;

use super::{Assessor, Notes, Severity, Subject, look};

pub(super) struct ToolQuality;

/// Several hosts show a model no more tools than this.
const MOST_TOOLS: usize = 100;
/// A description below this says little more than the name.
const SHORTEST: usize = 20;
/// Longest name that every host takes.
const LONGEST_NAME: usize = 64;

impl Assessor for ToolQuality {
    fn id(&self) -> &'static str {
        "tool-quality"
    }

    fn assess(&self, subject: &Subject, notes: &mut Notes) {
        let count = subject
            .tools()
            .map(|tool| tool.name)
            .collect::<std::collections::BTreeSet<_>>()
            .len();
        if count > MOST_TOOLS {
            let message = format!("has {count} tools; several hosts show a model at most {MOST_TOOLS}");
            notes.note(Severity::Low, "tools", message);
        }
        for look::Tool {
            path,
            name,
            definition,
        } in subject.tools()
        {
            described(&path, definition, notes);
            named(&path, name, notes);
            schema(&path, definition, notes);
        }
    }
}

fn described(path: &str, tool: &Value, notes: &mut Notes) {
    let description = tool["description"].as_str().unwrap_or_default().trim();
    if description.is_empty() {
        notes.note(
            Severity::Medium,
            path,
            "has no description: a model must guess what it does",
        );
    } else if description.chars().count() < SHORTEST {
        notes.show(Severity::Low, path, "has a very short description", description);
    }
}

fn named(path: &str, name: &str, notes: &mut Notes) {
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if !plain || name.len() > LONGEST_NAME {
        let message = format!(
            "has a name that some hosts refuse: letters, digits, `_` and `-`, at most {LONGEST_NAME}"
        );
        notes.note(Severity::Low, path, message);
    }
}

fn schema(path: &str, tool: &Value, notes: &mut Notes) {
    let schema = &tool["inputSchema"];
    if schema["type"] != "object" {
        notes.note(
            Severity::Medium,
            format!("{path}.inputSchema"),
            "is not a schema of an object",
        );
    }
    let properties = schema["properties"].as_object();
    let silent: Vec<&str> = properties
        .into_iter()
        .flatten()
        .filter(|(_, property)| property["description"].as_str().is_none_or(str::is_empty))
        .map(|(name, _)| name.as_str())
        .take(5)
        .collect();
    if !silent.is_empty() {
        let message = "has parameters without a description";
        notes.show(
            Severity::Low,
            format!("{path}.inputSchema"),
            message,
            silent.join(", "),
        );
    }
    for part in ["inputSchema", "outputSchema"] {
        let mut dropped = Vec::new();
        keywords(&tool[part], &mut dropped, notes, &format!("{path}.{part}"));
        dropped.sort_unstable();
        dropped.dedup();
        if !dropped.is_empty() {
            let message = "uses what some hosts drop or misread";
            notes.show(
                Severity::Low,
                format!("{path}.{part}"),
                message,
                dropped.join(", "),
            );
        }
    }
}

/// The keywords of a schema, however deep, that not every host understands.
fn keywords(schema: &Value, dropped: &mut Vec<&'static str>, notes: &mut Notes, path: &str) {
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => {
                for keyword in [
                    "$ref",
                    "anyOf",
                    "oneOf",
                    "allOf",
                    "not",
                    "if",
                    "patternProperties",
                ] {
                    if fields.contains_key(keyword) {
                        dropped.push(keyword);
                    }
                }
                if fields.get("type").is_some_and(Value::is_array) {
                    dropped.push("type as a list");
                }
                let elsewhere = fields
                    .get("$ref")
                    .and_then(Value::as_str)
                    .filter(|place| !place.starts_with('#'));
                if let Some(place) = elsewhere {
                    let message = "refers to a schema elsewhere, which a host would have to fetch";
                    notes.show(
                        Severity::High,
                        path,
                        message,
                        place.chars().take(80).collect::<String>(),
                    );
                }
                open.extend(fields.values());
            }
            _ => {}
        }
    }
}
