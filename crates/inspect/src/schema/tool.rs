//! Schemas of the arguments of tools: what a caller sends is judged by them with every call, so they must not cost more
//! than a call may.

use serde_json::Value;

use super::cost::{Cost, cost};
use super::{ValueProblem, ValueSchema};
use crate::error::InspectError;

/// Bytes of a schema.
const BYTES: usize = 512 * 1024;
/// Times that one value may be judged, all branches together.
const VISITS: u64 = 1_000;
/// What compiling takes of a stack, where each schema leads into the next.
const STACK: usize = 64 * 1024 * 1024;

/// A schema of arguments, ready to judge them.
#[derive(Debug)]
pub struct ToolSchema {
    schema: ValueSchema,
    /// Deepest nesting of arguments for which the cost stays within its bound.
    depth: usize,
}

impl ToolSchema {
    /// Reads a schema (draft 2020-12, unless it names another).
    ///
    /// # Errors
    ///
    /// When it is none, refers to another document, or would cost too much to judge by.
    pub fn compile(schema: &Value) -> Result<Self, InspectError> {
        let refuse = |reason: &str| InspectError::Schema {
            reason: reason.to_owned(),
        };
        let mut counted = Count(0);
        if serde_json::to_writer(&mut counted, schema).is_err() || counted.0 > BYTES {
            return Err(refuse("it is too large"));
        }
        let depth = match cost(schema, VISITS) {
            Cost::Depth(depth) => depth,
            Cost::TooMuch => return Err(refuse("one value would be judged too often")),
            Cost::Elsewhere => return Err(refuse("it refers to another document")),
        };
        let schema = std::thread::scope(|scope| {
            // The usual stack would not do for a long chain of references, and running out of it ends the process.
            let compiling = std::thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, || ValueSchema::compile(schema));
            match compiling.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(compiled)) => compiled,
                _ => Err(refuse("it cannot be compiled just now")),
            }
        })?;
        Ok(Self { schema, depth })
    }

    /// Levels of nesting up to which arguments are judged. With none of them there are no arguments that could be.
    pub fn levels(&self) -> usize {
        self.depth
    }

    /// Everything that is wrong with arguments, at most `most` things.
    pub fn problems(&self, arguments: &Value, most: usize) -> Vec<ValueProblem> {
        if is_deeper(arguments, self.depth) {
            return vec![ValueProblem {
                pointer: String::new(),
                message: format!(
                    "they are nested deeper than the {} levels that can be judged",
                    self.depth
                ),
            }];
        }
        if self.schema.0.is_valid(arguments) {
            return Vec::new();
        }
        self.schema.problems(arguments, most)
    }
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    let mut inner: Box<dyn Iterator<Item = &Value> + '_> = match value {
        Value::Array(elements) => Box::new(elements.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => return false,
    };
    levels == 0 || inner.any(|one| is_deeper(one, levels - 1))
}

/// Counts what is written, up to the bound.
struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        if self.0 > BYTES {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::*;

    fn refused(schema: &Value) -> String {
        match ToolSchema::compile(schema) {
            Err(InspectError::Schema { reason }) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_gw_4_a_schema_that_refers_elsewhere_is_refused() {
        for place in [
            "http://127.0.0.1:1/schema.json",
            "https://example.org/x#/a",
            "file:///etc/passwd",
            "other.json",
            "other.json#/a",
        ] {
            let schema = json!({"type": "object", "properties": {"a": {"$ref": place}}});
            assert!(!refused(&schema).is_empty(), "{place}");
        }
    }

    #[test]
    fn a_gw_5_a_fan_out_of_2_to_the_30_is_refused_without_walking_it() {
        let began = Instant::now();
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let mut definitions = serde_json::Map::new();
            for at in 0..30 {
                let next = json!({"$ref": format!("#/$defs/d{}", at + 1)});
                definitions.insert(format!("d{at}"), json!({keyword: [next, next]}));
            }
            definitions.insert("d30".to_owned(), json!({"type": "string"}));
            let schema = json!({"$ref": "#/$defs/d0", "$defs": definitions});
            assert!(refused(&schema).contains("too often"), "{keyword}");
        }
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_gw_5_a_schema_that_doubles_with_depth_judges_shallow_arguments_alone() {
        let both = json!({"anyOf": [{"$ref": "#/$defs/one"}, {"$ref": "#/$defs/two"}]});
        let schema = json!({
            "type": "object",
            "properties": {"next": both},
            "$defs": {
                "one": {"type": "object", "properties": {"next": both}, "required": ["x"]},
                "two": {"type": "object", "properties": {"next": both}},
            },
        });
        let schema = ToolSchema::compile(&schema).unwrap();
        let nested = |depth: usize| (0..depth).fold(json!({}), |inner, _| json!({"next": inner}));
        assert_eq!(schema.problems(&nested(4), 9), []);
        let problems = schema.problems(&nested(60), 9);
        assert!(problems[0].message.contains("nested deeper"), "{problems:?}");
    }

    #[test]
    fn a_gw_5_large_schemas_and_endless_ones_are_refused() {
        let large = json!({"type": "object", "description": "x".repeat(5 * 1024 * 1024)});
        assert!(refused(&large).contains("too large"));
        let circle =
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}});
        assert!(refused(&circle).contains("too often"));
    }

    #[test]
    fn a_long_chain_of_schemas_neither_ends_the_process_nor_its_judgement() {
        for (keyword, length, allowed) in [
            ("properties", 400, true),
            ("properties", 4_000, false),
            ("$ref", 400, true),
            ("$ref", 4_000, false),
        ] {
            let mut definitions = serde_json::Map::new();
            for at in 0..length {
                let next = json!({"$ref": format!("#/$defs/d{}", at + 1)});
                let definition = if keyword == "$ref" {
                    next
                } else {
                    json!({"properties": {"n": next}})
                };
                definitions.insert(format!("d{at}"), definition);
            }
            definitions.insert(format!("d{length}"), json!({}));
            let schema = json!({"$ref": "#/$defs/d0", "$defs": definitions});
            let compiled = ToolSchema::compile(&schema);
            assert_eq!(compiled.is_ok(), allowed, "{keyword} {length}");
            if let Ok(schema) = compiled {
                let deep = (0..60).fold(json!({}), |inner, _| json!({"n": inner}));
                assert_eq!(schema.problems(&deep, 3), []);
            }
        }
    }

    #[test]
    fn schemas_as_apis_have_them_judge_as_deep_as_arguments_go() {
        let tree = json!({
            "type": "object",
            "properties": {"tree": {"$ref": "#/$defs/node"}, "limit": {"type": "integer", "maximum": 100}},
            "required": ["tree"],
            "additionalProperties": false,
            "$defs": {"node": {
                "type": "object",
                "properties": {
                    "name": {"type": ["string", "null"]},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
            }},
        });
        let schema = ToolSchema::compile(&tree).unwrap();
        let deep = (0..30).fold(json!({}), |inner, _| json!({"children": [inner]}));
        assert_eq!(schema.problems(&json!({"tree": deep}), 9), []);
        let wrong = json!({"limit": 200, "more": 1});
        let mut places: Vec<_> = schema
            .problems(&wrong, 9)
            .into_iter()
            .map(|problem| problem.pointer)
            .collect();
        places.sort();
        assert_eq!(places, ["", "", "/limit"]);
    }
}
