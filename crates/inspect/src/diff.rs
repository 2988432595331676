//! What changed between an approved tool definition and the live one, field by field.
//!
//! Before: `registry` found two hashes that differ. After: a reviewer reads the changes and approves or does not.

use portreeve_core::tool::ToolDefinition;
use serde::Serialize;
use serde_json::Value;

use crate::{excerpt, json};

/// The most changes that are told one by one.
const MAX_CHANGES: usize = 100;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Where: a JSON pointer (RFC 6901), cut to a readable length. Empty: the whole definition.
    pub path: String,
    /// The approved value as compact JSON, cut to a readable length; `None` when the field is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The live value, the same way; `None` when the field is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Every field that differs, named at the deepest place; key order and the way a number is written do not count.
/// At most 100 changes; if there are more, one more element says so.
pub fn tool_diff(approved: &ToolDefinition, live: &ToolDefinition) -> Vec<FieldChange> {
    document_diff(&approved.definition, &live.definition)
}

/// The same of any two JSON texts.
pub fn document_diff(before: &str, after: &str) -> Vec<FieldChange> {
    let mut changes = Changes::default();
    match (json::read(before), json::read(after)) {
        (Ok(before), Ok(after)) => changes.compare("", &before, &after),
        // Neither text comes here unread, but a reviewer must never see "no change" instead.
        _ => changes.push("", Some(&before.into()), Some(&after.into())),
    }
    changes.finish()
}

#[derive(Default)]
struct Changes {
    told: Vec<FieldChange>,
    more: usize,
}

impl Changes {
    fn compare(&mut self, path: &str, before: &Value, after: &Value) {
        match (before, after) {
            (Value::Object(before), Value::Object(after)) => {
                for (key, old) in before {
                    self.member(path, key, Some(old), after.get(key));
                }
                for (key, new) in after {
                    if !before.contains_key(key) {
                        self.member(path, key, None, Some(new));
                    }
                }
            }
            (Value::Array(before), Value::Array(after)) => {
                for index in 0..before.len().max(after.len()) {
                    self.member(path, &index.to_string(), before.get(index), after.get(index));
                }
            }
            (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => {}
            (one, other) if one == other => {}
            _ => self.push(path, Some(before), Some(after)),
        }
    }

    fn member(&mut self, path: &str, key: &str, before: Option<&Value>, after: Option<&Value>) {
        if before == after {
            return;
        }
        let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        match (before, after) {
            (Some(before), Some(after)) => self.compare(&path, before, after),
            _ => self.push(&path, before, after),
        }
    }

    fn push(&mut self, path: &str, before: Option<&Value>, after: Option<&Value>) {
        if self.told.len() == MAX_CHANGES {
            self.more += 1;
            return;
        }
        let before = before.map(excerpt::visible_json);
        let after = after.map(excerpt::visible_json);
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) => {
                let (before, after) = excerpt::of_both(&before, &after);
                (Some(before), Some(after))
            }
            (before, after) => (
                before.as_deref().map(excerpt::of_one),
                after.as_deref().map(excerpt::of_one),
            ),
        };
        self.told.push(FieldChange {
            path: excerpt::of_one(path),
            before,
            after,
        });
    }

    fn finish(mut self) -> Vec<FieldChange> {
        if self.more > 0 {
            self.told.push(FieldChange {
                path: format!("… ({} more changes)", self.more),
                before: None,
                after: None,
            });
        }
        self.told
    }
}
