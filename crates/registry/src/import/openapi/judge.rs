//! Whether the gateway can judge arguments by the schema of a tool. It would refuse every call of one that it cannot, so
//! none is made. Before: `curate.rs` finished the tool.

use portreeve_core::rest::Binding;
use portreeve_core::tool::ToolDefinition;
use portreeve_inspect::ToolSchema;
use serde::Deserialize;
use serde_json::Value;

use super::operations::note;
use super::report::Note;

#[derive(Deserialize)]
struct Shown {
    #[serde(rename = "inputSchema")]
    input_schema: Value,
}

/// Arguments are hardly ever nested deeper; where fewer levels can be judged, people are told.
const USUAL_LEVELS: usize = 10;

/// Compiles the schema as the gateway will: that of the binding, or else the one that hosts see. Says what to note.
pub(super) fn judgeable(definition: &ToolDefinition, binding: &Binding) -> Result<Option<Note>, String> {
    let schema = match &binding.arguments {
        Some(schema) => Value::Object(schema.clone()),
        None => serde_json::from_str::<Shown>(&definition.definition)
            .map(|shown| shown.input_schema)
            .map_err(|error| error.to_string())?,
    };
    let judge = ToolSchema::compile(&schema)
        .map_err(|error| format!("arguments cannot be judged by its schema: {error}"))?;
    match judge.levels() {
        0 => Err("arguments cannot be judged by its schema: a value would be judged too often".to_owned()),
        levels if levels < USUAL_LEVELS => Ok(Some(note(
            "",
            &format!("arguments that are nested deeper than {levels} levels are refused"),
        ))),
        _ => Ok(None),
    }
}
