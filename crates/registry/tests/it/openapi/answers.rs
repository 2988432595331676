//! What a tool promises of its result: structure where nothing but JSON can come, and nothing elsewhere.

use serde_json::{Value, json};

use super::{assert_sound, binding, imported, tool, with_paths};

/// The answers of the binding, and whether there is an output schema, of a tool with these answers.
fn promised(content: &Value) -> (Value, bool) {
    let responses = json!({"200": {"description": "ok", "content": content}});
    let imported = imported(&with_paths(
        &json!({"/a": {"get": {"operationId": "a", "responses": responses}}}),
    ));
    assert_sound(&imported);
    let has_schema = tool(&imported, "a").get("outputSchema").is_some();
    (binding(&imported, "a")["answers"].clone(), has_schema)
}

#[test]
fn where_events_may_come_no_structure_is_promised() {
    let object = json!({"schema": {"type": "object", "properties": {"a": {}}}});
    let (answers, has_schema) = promised(&json!({"application/json": object, "text/event-stream": {}}));
    assert_eq!(answers["structured"], "none");
    assert_eq!(
        answers["accept"],
        json!(["application/json", "text/event-stream"])
    );
    assert!(!has_schema);
    let (answers, has_schema) = promised(&json!({"application/json": object, "text/csv": {}}));
    assert_eq!(
        (answers["structured"].clone(), has_schema),
        (json!("object"), true)
    );
}

#[test]
fn a_file_is_no_json_whatever_type_stands_beside_it() {
    let binary = json!({"schema": {"type": "string", "format": "binary"}});
    for media in ["*/*", "application/json"] {
        let (answers, has_schema) = promised(&json!({media: binary}));
        assert_eq!(
            (answers["structured"].clone(), has_schema),
            (json!("none"), false),
            "{media}"
        );
        assert_eq!(answers["accept"].as_array().unwrap().last().unwrap(), "*/*");
    }
    let two = json!({"swagger": "2.0", "host": "a.example", "produces": ["application/json"], "paths": {"/file": {"get": {
        "operationId": "file", "responses": {"200": {"description": "ok", "schema": {"type": "file"}}},
    }}}});
    let imported = imported(&two);
    assert_sound(&imported);
    assert_eq!(tool(&imported, "file").get("outputSchema"), None);
    assert_eq!(
        binding(&imported, "file")["answers"],
        json!({"accept": ["application/json", "*/*"], "structured": "none"})
    );
}

#[test]
fn an_object_is_one_through_all_its_parts() {
    let object = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    for (schema, structured) in [
        (json!({"allOf": [{"description": "x"}, object]}), json!("object")),
        (json!({"oneOf": [object, {"allOf": [object]}]}), json!("object")),
        (
            json!({"oneOf": [object, {"type": "string"}]}),
            json!({"wrapped": "result"}),
        ),
        (json!({"anyOf": []}), json!({"wrapped": "result"})),
    ] {
        let (answers, has_schema) = promised(&json!({"application/json": {"schema": schema}}));
        assert_eq!(
            (answers["structured"].clone(), has_schema),
            (structured, true),
            "{schema}"
        );
    }
}
