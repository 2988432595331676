//! Schemas that say which of several things a value is: they refuse no value that the document allows, and forget none.

use portreeve_inspect::ToolSchema;
use portreeve_registry::import::openapi::Imported;
use serde_json::{Value, json};

use super::{assert_sound, imported, tool, with_paths};

/// The document whose one tool takes a body of this schema.
fn document(schema: &Value, schemas: &Value) -> Value {
    let body = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    let mut document = with_paths(&json!({"/a": {"post": {"operationId": "a", "requestBody": body}}}));
    document["components"] = json!({"schemas": schemas});
    document
}

fn made(schema: &Value, schemas: &Value) -> Imported {
    let imported = imported(&document(schema, schemas));
    assert_sound(&imported);
    imported
}

/// Whether the tool takes these arguments.
fn takes(imported: &Imported, arguments: &Value) -> bool {
    let schema = tool(imported, "a")["inputSchema"].clone();
    ToolSchema::compile(&schema)
        .unwrap()
        .problems(arguments, 5)
        .is_empty()
}

#[test]
fn of_alternatives_that_cannot_be_checked_whole_any_may_match() {
    let strict = json!({"oneOf": [{"type": "string"}, {"type": "integer"}]});
    let loosened = [
        (
            json!({"oneOf": [{"type": "string", "pattern": "^(?!a)"}, {"type": "string", "pattern": "^(?=a)"}]}),
            json!("abc"),
        ),
        (
            json!({"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/None"}]}),
            json!("abc"),
        ),
        (
            json!({"oneOf": [{"$ref": "#/components/schemas/Long"}, {"type": "integer"}]}),
            json!(7),
        ),
        (
            json!({"oneOf": [
                {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "readOnly": true}}},
                {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            ]}),
            json!({"name": "b"}),
        ),
        (
            json!({"discriminator": {"propertyName": "k"}, "oneOf": [
                {"type": "object", "properties": {"k": {}}}, {"type": "object", "properties": {"k": {}, "more": {}}},
            ]}),
            json!({"k": "a"}),
        ),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "object"}], "oneOf": [
                {"type": "string", "pattern": "^(?!a)"}, {"type": ["string", "object"]},
            ]}),
            json!("abc"),
        ),
    ];
    let long: Vec<String> = (0..600).map(|number| format!("v{number}")).collect();
    let schemas = json!({"Long": {"enum": long}});
    let of = |schema: &Value| made(&json!({"type": "object", "properties": {"x": schema}}), &schemas);
    let text = |imported: &Imported| tool(imported, "a")["inputSchema"].to_string();
    assert!(text(&of(&strict)).contains("oneOf"));
    for (schema, value) in &loosened {
        let imported = of(schema);
        assert!(!text(&imported).contains("oneOf"), "{schema}");
        assert!(takes(&imported, &json!({"x": value})), "{schema} {value}");
    }
    // Both lists of alternatives count.
    assert!(!takes(&of(&loosened[5].0), &json!({"x": 7})));
}

#[test]
fn what_cannot_be_checked_whole_forbids_nothing() {
    let unsure = json!({"type": "string", "pattern": "^(?!a)"});
    for schema in [
        json!({"not": unsure}),
        json!({"not": {"$ref": "#/components/schemas/None"}}),
        json!({"if": unsure, "then": {"maxLength": 1}, "else": {"maxLength": 2}}),
    ] {
        let imported = made(
            &json!({"type": "object", "properties": {"x": schema}}),
            &json!({}),
        );
        assert!(takes(&imported, &json!({"x": "abc"})), "{schema}");
        assert!(!imported.report.operations[0].notes.is_empty());
    }
    let sure = json!({"type": "object", "properties": {"x": {"not": {"type": "string"}}}});
    assert!(!takes(&made(&sure, &json!({})), &json!({"x": "abc"})));
}

fn pets(mapping: bool) -> Value {
    let mut discriminator = json!({"propertyName": "kind"});
    if mapping {
        discriminator["mapping"] = json!({"feline": "#/components/schemas/Cat", "dog": "Dog"});
    }
    json!({
        "Pet": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}, "discriminator": discriminator},
        "Cat": {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"type": "object", "properties": {"lives": {"type": "integer"}}}]},
        "Dog": {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"type": "object", "properties": {"friend": {"$ref": "#/components/schemas/Pet"}}}]},
        "Puppy": {"allOf": [{"$ref": "#/components/schemas/Dog"}, {"type": "object", "properties": {"weeks": {"type": "integer"}}}]},
    })
}

#[test]
fn a_body_of_a_base_is_one_of_any_kind() {
    let pet = json!({"$ref": "#/components/schemas/Pet"});
    for mapping in [false, true] {
        let imported = made(&pet, &pets(mapping));
        let schema = tool(&imported, "a")["inputSchema"].to_string();
        for member in ["lives", "friend", "weeks"] {
            assert!(schema.contains(member), "{schema}");
        }
        assert_eq!(schema.contains("feline"), mapping, "{schema}");
        for value in [
            json!({"kind": "cat", "lives": 7}),
            json!({"kind": "dog", "friend": {"kind": "puppy", "weeks": 3}}),
            json!({"kind": "unheard of"}),
        ] {
            assert!(takes(&imported, &json!({"body": value})), "{value}");
        }
        assert!(!takes(&imported, &json!({"body": {"lives": 7}})));
    }
    // A kind that is asked for itself is that kind.
    let imported = made(&json!({"$ref": "#/components/schemas/Cat"}), &pets(false));
    let schema = tool(&imported, "a")["inputSchema"].clone();
    assert_eq!(schema["required"], json!(["kind"]));
    assert!(
        schema["properties"].get("lives").is_some() && !schema.to_string().contains("weeks"),
        "{schema}"
    );
}

#[test]
fn what_stands_beside_a_reference_counts_from_3_1_on() {
    let schemas = json!({"Pet": {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}},
        "Name": {"type": "string"}});
    let beside = json!({"$ref": "#/components/schemas/Pet", "required": ["name"]});
    let within = json!({"type": "object", "properties": {
        "pet": beside, "name": {"$ref": "#/components/schemas/Name", "minLength": 3, "default": "Ada"},
        "other": {"$ref": "#/components/schemas/Name"},
    }});
    let imported = made(&within, &schemas);
    assert!(!takes(&imported, &json!({"pet": {"age": 3}})));
    assert!(takes(&imported, &json!({"pet": {"name": "Ada"}, "name": "Ada"})));
    assert!(!takes(&imported, &json!({"name": "A"})));
    assert_eq!(
        tool(&imported, "a")["inputSchema"]["properties"]["name"]["default"],
        "Ada"
    );
    let merged = made(&beside, &schemas);
    assert_eq!(tool(&merged, "a")["inputSchema"]["required"], json!(["name"]));
    // Before 3.1 nobody reads it.
    let mut older = document(&within, &schemas);
    older["openapi"] = json!("3.0.3");
    let older = super::imported(&older);
    assert!(takes(&older, &json!({"pet": {"age": 3}, "name": "A"})));
}
