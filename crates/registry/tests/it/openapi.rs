//! Descriptions of REST APIs as tools: the documents of the world, the mistakes of others by name, people's choices,
//! and documents that nobody would write.

mod alternatives;
mod answers;
mod corpus;
mod curated;
mod differences;
mod graphql;
mod hostile;
mod mapping;
mod offers;
mod random;
mod servers;
mod three_two;

use portreeve_core::limits::Limits;
use portreeve_inspect::ValueSchema;
use portreeve_registry::import::openapi::{
    Curation, Imported, OpenApiError, OperationOutcome, Options, import, read,
};
use serde_json::{Value, json};

/// Imports a text.
fn text(text: &str, curation: &Curation) -> Result<Imported, OpenApiError> {
    let limits = Limits::default();
    let document = read(text, &limits)?;
    let source = "https://api.example.com/openapi.json".parse().unwrap();
    let options = Options {
        source: Some(&source),
        base_url: None,
        curation,
        limits: &limits,
    };
    import(&document, &options)
}

/// Imports a document.
fn imported(document: &Value) -> Imported {
    curated(document, &Curation::default())
}

fn curated(document: &Value, curation: &Curation) -> Imported {
    text(&document.to_string(), curation).unwrap()
}

/// A document of 3.1 with these paths.
fn with_paths(paths: &Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1.0.0"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": paths,
    })
}

/// The definition of a tool.
fn tool(imported: &Imported, name: &str) -> Value {
    let made = imported
        .tools
        .iter()
        .find(|tool| tool.definition.name == name)
        .unwrap_or_else(|| panic!("no tool `{name}`: {:?}", imported.report.operations));
    serde_json::from_str(&made.definition.definition).unwrap()
}

/// How a tool is called, as JSON.
fn binding(imported: &Imported, name: &str) -> Value {
    serde_json::to_value(&imported.bindings.tools[name]).unwrap()
}

/// Asserts what holds for every import: each operation is accounted for, each schema is one, each tool has a binding
/// whose arguments are those of its schema.
fn assert_sound(imported: &Imported) {
    let tools = imported
        .report
        .operations
        .iter()
        .filter_map(|operation| match &operation.outcome {
            OperationOutcome::Tool { name, .. } => Some(name),
            OperationOutcome::NotChosen { .. } => None,
            OperationOutcome::Skipped { reason } => {
                assert!(!reason.is_empty() && !operation.pointer.is_empty());
                None
            }
        });
    let mut told: Vec<&String> = tools.collect();
    told.sort();
    let made: Vec<&String> = imported.tools.iter().map(|tool| &tool.definition.name).collect();
    assert_eq!(told, made);
    assert_eq!(made, imported.bindings.tools.keys().collect::<Vec<_>>());
    for made in &imported.tools {
        let name = &made.definition.name;
        let definition: Value = serde_json::from_str(&made.definition.definition).unwrap();
        let plain = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        assert!(plain && !name.is_empty() && name.len() <= 64, "{name}");
        assert!(!definition["description"].as_str().unwrap().is_empty(), "{name}");
        for member in ["inputSchema", "outputSchema"] {
            let Some(schema) = definition.get(member) else {
                continue;
            };
            assert_eq!(schema["type"], "object", "{name}");
            if let Err(error) = ValueSchema::compile(schema) {
                panic!("{name} {member}: {error}\n{schema:#}");
            }
        }
        let binding = serde_json::to_value(&imported.bindings.tools[name]).unwrap();
        let mut filled = Vec::new();
        arguments(&binding, &mut filled);
        filled.sort();
        let properties = definition["inputSchema"]["properties"].as_object().unwrap();
        let mut shown: Vec<String> = properties.keys().cloned().collect();
        shown.sort();
        assert_eq!(filled, shown, "{name}: {binding:#}");
        for required in definition["inputSchema"]["required"]
            .as_array()
            .into_iter()
            .flatten()
        {
            assert!(shown.iter().any(|name| name == required), "{name} {required}");
        }
    }
    // What is stored is read again.
    let text = imported.bindings.text().unwrap();
    let bindings = portreeve_core::rest::Bindings::read(&text).unwrap();
    assert_eq!(bindings, imported.bindings);
}

/// The arguments that fill places of a request.
fn arguments(binding: &Value, found: &mut Vec<String>) {
    match binding {
        Value::Object(object) => {
            if let (1, Some(Value::String(name))) = (object.len(), object.get("argument")) {
                found.push(name.clone());
            }
            for (_, value) in object.iter().filter(|(name, _)| *name != "arguments") {
                arguments(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| arguments(item, found)),
        _ => {}
    }
}
