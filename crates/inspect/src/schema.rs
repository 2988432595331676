//! JSON Schemas that somebody else wrote, and values that should meet them. Nothing is fetched: a schema that refers to
//! another document does not compile. Patterns run in time linear in the text, and a compiled one is bounded in size.

mod cost;
mod tool;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::error::InspectError;

/// Bytes that one compiled pattern may take.
const PATTERN_BYTES: usize = 1024 * 1024;
/// Characters of a message; a message quotes the value.
const LONGEST_MESSAGE: usize = 300;

/// A schema, ready to judge values.
#[derive(Debug)]
pub struct ValueSchema(Validator);

/// One thing that is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueProblem {
    /// Where, as a JSON pointer; empty for the value as a whole.
    pub pointer: String,
    /// What.
    pub message: String,
}

impl ValueSchema {
    /// Reads a schema (draft 2020-12, unless it names another).
    pub fn compile(schema: &Value) -> Result<Self, InspectError> {
        let patterns = PatternOptions::regex()
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES);
        jsonschema::options()
            .with_pattern_options(patterns)
            .offline()
            .build(schema)
            .map(Self)
            .map_err(|error| InspectError::Schema {
                reason: cut(&error.to_string()),
            })
    }

    /// Everything that is wrong with a value, at most `most` things.
    pub fn problems(&self, value: &Value, most: usize) -> Vec<ValueProblem> {
        let problem = |error: jsonschema::ValidationError<'_>| ValueProblem {
            pointer: error.instance_path().to_string(),
            message: cut(&error.to_string()),
        };
        self.0.iter_errors(value).take(most).map(problem).collect()
    }
}

pub use self::tool::ToolSchema;

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_judged_and_problems_have_a_place() {
        let schema = ValueSchema::compile(&json!({
            "type": "object",
            "properties": {"class": {"enum": ["public", "internal"]}, "size": {"type": "number", "minimum": 1}},
        }))
        .unwrap();
        assert_eq!(schema.problems(&json!({"class": "public", "size": 3}), 9), []);
        let mut places: Vec<_> = schema
            .problems(&json!({"class": "secret", "size": 0}), 9)
            .into_iter()
            .map(|problem| problem.pointer)
            .collect();
        places.sort();
        assert_eq!(places, ["/class", "/size"]);
        assert_eq!(
            schema.problems(&json!({"class": "secret", "size": 0}), 1).len(),
            1
        );
    }

    #[test]
    fn what_reaches_outside_or_costs_too_much_does_not_compile() {
        for schema in [
            json!({"$ref": "https://example.org/other.json"}),
            json!({"$ref": "file:///etc/passwd"}),
            json!({"type": "nothing"}),
            json!({"pattern": "("}),
            json!({"pattern": "(?:(?:(?:a{100}){100}){100})"}),
        ] {
            let refused = ValueSchema::compile(&schema);
            assert!(matches!(refused, Err(InspectError::Schema { .. })), "{schema}");
        }
    }

    #[test]
    fn a_hostile_text_is_judged_in_linear_time() {
        let schema = ValueSchema::compile(&json!({"type": "string", "pattern": "^(a+)+$"})).unwrap();
        let text = format!("{}!", "a".repeat(50_000));
        assert_eq!(schema.problems(&json!(text), 9).len(), 1);
    }
}
