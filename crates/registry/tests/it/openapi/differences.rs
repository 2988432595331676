//! What is different between two documents, and whom it concerns.

use portreeve_registry::import::openapi::{ChangeKind, compare};
use serde_json::{Value, json};

use super::{imported, with_paths};

fn with(schema: Value, more: Value) -> Value {
    let mut paths = json!({"/pets": {"post": {"operationId": "add", "description": "Adds.", "requestBody": {"required": true,
        "content": {"application/json": {"schema": schema}}}}}});
    paths
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    with_paths(&paths)
}

fn base() -> Value {
    json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "kind": {"enum": ["cat", "dog"]}, "age": {"type": "integer", "minimum": 0}}})
}

/// The kind of the one change and what is told of it.
fn change(to: Value) -> (ChangeKind, Vec<String>) {
    let (before, after) = (imported(&with(base(), json!({}))), imported(&with(to, json!({}))));
    let mut changes = compare(&before.tools, &after.tools);
    assert_eq!(changes.len(), 1, "{changes:?}");
    let change = changes.remove(0);
    (change.kind, change.details)
}

fn changed(edit: impl FnOnce(&mut Value)) -> (ChangeKind, Vec<String>) {
    let mut schema = base();
    edit(&mut schema);
    change(schema)
}

#[test]
fn the_same_document_is_no_change() {
    let once = imported(&with(base(), json!({})));
    assert_eq!(compare(&once.tools, &once.tools), []);
}

#[test]
fn what_breaks_calls_is_breaking() {
    let breaking = [
        changed(|schema| schema["required"] = json!(["name", "age"])),
        changed(|schema| schema["properties"]["owner"] = json!({"type": "string"})).clone(),
        changed(|schema| drop(schema["properties"].as_object_mut().unwrap().remove("age"))),
        changed(|schema| schema["properties"]["age"]["type"] = json!("string")),
        changed(|schema| schema["properties"]["kind"] = json!({"enum": ["cat"]})),
        changed(|schema| schema["properties"]["age"]["minimum"] = json!(3)),
        changed(|schema| schema["properties"]["name"]["pattern"] = json!("^[a-z]+$")),
    ];
    let kinds: Vec<_> = breaking.iter().map(|(kind, _)| *kind).collect();
    let mut expected = [ChangeKind::Breaking; 7];
    expected[1] = ChangeKind::Harmless;
    assert_eq!(kinds, expected, "{breaking:?}");
    assert!(
        breaking[0].1.contains(&"`age` is required now".to_owned()),
        "{breaking:?}"
    );
    assert!(
        breaking[4].1[0].contains("\"dog\" is not allowed any more"),
        "{breaking:?}"
    );
}

#[test]
fn what_allows_more_is_harmless() {
    let harmless = [
        changed(|schema| drop(schema.as_object_mut().unwrap().remove("required"))),
        changed(|schema| schema["properties"]["kind"] = json!({"enum": ["cat", "dog", "fish"]})),
        changed(|schema| schema["properties"]["age"]["type"] = json!("number")),
        changed(|schema| schema["properties"]["name"]["description"] = json!("Other words.")),
    ];
    for (kind, details) in harmless {
        assert_eq!(kind, ChangeKind::Harmless, "{details:?}");
    }
}

#[test]
fn tools_come_and_go_and_what_matters_stands_first() {
    let before = imported(&with(
        base(),
        json!({"/old": {"get": {"operationId": "old"}}, "/x": {"get": {"operationId": "x"}}}),
    ));
    let after = imported(&with(
        base(),
        json!({"/new": {"get": {"operationId": "new"}}, "/x": {"get": {"operationId": "y"}}}),
    ));
    let told: Vec<_> = compare(&before.tools, &after.tools)
        .into_iter()
        .map(|change| (change.kind, change.tool, change.details))
        .collect();
    let words = |text: &str| vec![text.to_owned()];
    assert_eq!(
        told,
        [
            (
                ChangeKind::Removed,
                "old".to_owned(),
                words("its operation is gone")
            ),
            (
                ChangeKind::Removed,
                "x".to_owned(),
                words("its operation is the tool `y` now")
            ),
            (ChangeKind::Added, "new".to_owned(), vec![]),
            (ChangeKind::Added, "y".to_owned(), vec![]),
        ]
    );
}
