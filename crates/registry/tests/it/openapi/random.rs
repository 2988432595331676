//! Documents that nobody would write: whatever comes in, what comes out is sound.

use portreeve_registry::import::openapi::{Curation, OpenApiError};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{assert_sound, text, with_paths};

/// Texts that mean something in a description.
const WORDS: &[&str] = &[
    "string",
    "integer",
    "object",
    "array",
    "null",
    "file",
    "path",
    "query",
    "header",
    "cookie",
    "formData",
    "body",
    "form",
    "deepObject",
    "a",
    "id",
    "#/components/schemas/A",
    "#/components/schemas/B",
    "#/nowhere",
    "binary",
    "application/json",
    "multipart/form-data",
    "^a",
    "(",
    "",
];
/// Members that mean something there.
const MEMBERS: &[&str] = &[
    "$ref",
    "type",
    "properties",
    "required",
    "items",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "enum",
    "const",
    "additionalProperties",
    "patternProperties",
    "nullable",
    "format",
    "pattern",
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "maxItems",
    "name",
    "in",
    "schema",
    "content",
    "application/json",
    "multipart/form-data",
    "parameters",
    "requestBody",
    "responses",
    "200",
    "default",
    "description",
    "style",
    "explode",
    "get",
    "post",
    "encoding",
    "readOnly",
    "prefixItems",
    "if",
    "then",
    "dependentRequired",
    "id",
    "operationId",
    "a",
];

/// Anything, made of the words that mean something here.
fn value() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(WORDS);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..300).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let name = prop::sample::select(MEMBERS);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(|members| Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<Map<_, _>>()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_random_schema_gives_a_sound_tool(schema in value(), other in value(), flat in any::<bool>(), two in any::<bool>()) {
        let profile = if flat { "flat" } else { "full" };
        let curation: Curation = serde_json::from_value(json!({"profile": profile})).unwrap();
        let mut document = with_paths(&json!({"/a/{id}": {"post": {
            "parameters": [{"name": "q", "in": "query", "schema": schema}, other],
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
            "responses": {"200": {"content": {"application/json": {"schema": other}}}, "default": other},
        }}}));
        document["components"] = json!({"schemas": {"A": schema, "B": other}});
        if two {
            document["openapi"] = Value::Null;
            document["swagger"] = json!("2.0");
            document["host"] = json!("a.example");
        }
        let imported = text(&document.to_string(), &curation).unwrap();
        prop_assert_eq!(imported.report.operations.len(), 1);
        assert_sound(&imported);
    }

    #[test]
    fn a_random_document_is_read_or_refused(mut document in value(), paths in value()) {
        if let Value::Object(object) = &mut document {
            object.insert("openapi".to_owned(), json!("3.1.0"));
            object.insert("paths".to_owned(), json!({"/a": paths, "/b": {"get": paths}}));
        }
        match text(&document.to_string(), &Curation::default()) {
            Ok(imported) => assert_sound(&imported),
            Err(OpenApiError::NotOpenApi | OpenApiError::NoServer { .. } | OpenApiError::Unreadable { .. }) => {}
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(any in "(?s).{0,200}") {
        let _either = text(&any, &Curation::default());
        let _yaml = text(&format!("openapi: 3.1.0\n{any}"), &Curation::default());
    }
}
