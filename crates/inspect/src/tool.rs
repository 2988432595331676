//! Reads a tool definition: its name, its annotations, and one hash over all of it.
//!
//! Before: `client` probed an upstream, or the gateway saw a `tools/list`. After: `registry` pins it.

use portreeve_core::tool::{ToolAnnotations, ToolDefinition};
use serde_json::{Map, Value};

use crate::error::InspectError;
use crate::hash::{canonical_value, sha256_hex};
use crate::json;

/// The longest tool name, in characters.
pub const MAX_TOOL_NAME: usize = 256;

/// Reads one element of the `tools` of a `tools/list` result. The hash covers everything in it, fields unknown to this
/// program too: what a model may read is what was approved.
pub fn tool_definition(json: &str) -> Result<ToolDefinition, InspectError> {
    let value = json::read(json)?;
    let Value::Object(object) = &value else {
        return Err(InspectError::NotAnObject { found: kind(&value) });
    };
    Ok(ToolDefinition {
        name: name(object)?.to_owned(),
        hash: sha256_hex(&canonical_value(&value)?),
        definition: json.trim().to_owned(),
        annotations: annotations(object),
    })
}

fn name(object: &Map<String, Value>) -> Result<&str, InspectError> {
    let problem = match object.get("name") {
        None => "is missing",
        Some(Value::String(name)) if name.is_empty() => "is empty",
        Some(Value::String(name)) if name.chars().count() > MAX_TOOL_NAME => "is longer than 256 characters",
        Some(Value::String(name)) => return Ok(name),
        Some(_) => "is not a string",
    };
    Err(InspectError::ToolName { problem })
}

/// The annotations, with the specification's default for each that is missing or not a boolean. The defaults are the
/// cautious answers, so an upstream gains nothing by writing nonsense.
fn annotations(object: &Map<String, Value>) -> ToolAnnotations {
    let default = ToolAnnotations::default();
    let given = object.get("annotations");
    let hint = |field: &str, otherwise: bool| {
        given
            .and_then(|annotations| annotations.get(field))
            .and_then(Value::as_bool)
            .unwrap_or(otherwise)
    };
    ToolAnnotations {
        read_only_hint: hint("readOnlyHint", default.read_only_hint),
        destructive_hint: hint("destructiveHint", default.destructive_hint),
        idempotent_hint: hint("idempotentHint", default.idempotent_hint),
        open_world_hint: hint("openWorldHint", default.open_world_hint),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
