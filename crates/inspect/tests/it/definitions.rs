//! Tool definitions: names, annotations, and what the hash covers.

use portreeve_core::tool::ToolAnnotations;
use portreeve_inspect::{InspectError, tool_definition, tool_diff};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::hashes::any_json;

fn full() -> Value {
    json!({
        "name": "invoice.create",
        "title": "Create an invoice",
        "description": "Creates an invoice.",
        "inputSchema": { "type": "object", "properties": { "amount": { "type": "number", "minimum": 0 } } },
        "outputSchema": { "type": "object" },
        "annotations": { "readOnlyHint": false, "destructiveHint": false, "title": "Create" },
        "icons": [{ "src": "https://acme.example/i.png", "mimeType": "image/png" }],
        "execution": { "taskSupport": "optional" },
        "_meta": { "com.acme/owner": "billing" },
        "x-unknown": [1, 2, 3]
    })
}

#[test]
fn name_annotations_and_text_are_read() {
    let text = full().to_string();
    let tool = tool_definition(&format!("  {text}\n")).unwrap();
    assert_eq!(tool.name, "invoice.create");
    assert_eq!(tool.definition, text);
    assert_eq!(tool.hash.len(), 64);
    assert_eq!(
        tool.annotations,
        ToolAnnotations {
            destructive_hint: false,
            ..ToolAnnotations::default()
        }
    );
}

#[test]
fn missing_and_nonsensical_annotations_mean_the_cautious_default() {
    for annotations in [
        json!(null),
        json!({}),
        json!([true]),
        json!({ "readOnlyHint": "true", "destructiveHint": 0, "idempotentHint": null, "openWorldHint": [] }),
        json!({ "read_only_hint": true, "readonlyhint": true }),
    ] {
        let text = json!({ "name": "t", "annotations": annotations }).to_string();
        assert_eq!(
            tool_definition(&text).unwrap().annotations,
            ToolAnnotations::default()
        );
    }
    let text = r#"{"name":"t","annotations":{"readOnlyHint":true,"destructiveHint":false,"idempotentHint":true,"openWorldHint":false}}"#;
    assert_eq!(
        tool_definition(text).unwrap().annotations,
        ToolAnnotations {
            read_only_hint: true,
            destructive_hint: false,
            idempotent_hint: true,
            open_world_hint: false
        }
    );
}

#[test]
fn a_tool_needs_a_usable_name() {
    let cases = [
        (json!({}), "is missing"),
        (json!({ "name": "" }), "is empty"),
        (json!({ "name": 7 }), "is not a string"),
        (
            json!({ "name": "ü".repeat(257) }),
            "is longer than 256 characters",
        ),
    ];
    for (definition, problem) in cases {
        let error = tool_definition(&definition.to_string()).unwrap_err();
        assert_eq!(error, InspectError::ToolName { problem });
    }
    assert!(tool_definition(&json!({ "name": "ü".repeat(256) }).to_string()).is_ok());
    let error = tool_definition("[]").unwrap_err();
    assert_eq!(
        error.to_string(),
        "a tool definition must be a JSON object, and this is an array"
    );
}

#[test]
fn a_name_given_twice_is_refused() {
    let error = tool_definition(r#"{"name":"harmless","name":"other"}"#).unwrap_err();
    assert_eq!(error, InspectError::DuplicateKey { key: "name".into() });
}

/// Every place in the value, as JSON pointers.
fn places(value: &Value, path: &str, into: &mut Vec<String>) {
    into.push(path.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{path}/{index}"), into);
            }
        }
        Value::Object(object) => {
            for (key, item) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(item, &format!("{path}/{key}"), into);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn any_changed_field_changes_the_hash_and_shows_in_the_diff(
        place in any::<prop::sample::Index>(),
        replacement in any_json(),
    ) {
        let mut changed = full();
        let mut all = Vec::new();
        places(&changed, "", &mut all);
        all.retain(|path| !path.is_empty() && path != "/name");
        let path = place.get(&all);
        *changed.pointer_mut(path).unwrap() = replacement;
        let approved = tool_definition(&full().to_string()).unwrap();
        let live = tool_definition(&changed.to_string()).unwrap();
        let differs = full() != changed;
        prop_assert_eq!(approved.hash != live.hash, differs);
        let changes = tool_diff(&approved, &live);
        prop_assert_eq!(changes.is_empty(), !differs);
        prop_assert!(changes.iter().all(|change| change.path.starts_with(path.as_str())));
    }

    #[test]
    fn an_added_field_changes_the_hash(key in any::<String>(), value in any_json()) {
        let mut changed = full();
        let object = changed.as_object_mut().unwrap();
        prop_assume!(!object.contains_key(&key));
        object.insert(key, value);
        let approved = tool_definition(&full().to_string()).unwrap();
        let live = tool_definition(&changed.to_string()).unwrap();
        prop_assert_ne!(&approved.hash, &live.hash);
        let changes = tool_diff(&approved, &live);
        prop_assert_eq!(changes.len(), 1);
        prop_assert_eq!(&changes[0].before, &None);
    }
}
