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
    let mut changes = compare(&before, &after);
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
    assert_eq!(compare(&once, &once), []);
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
fn null_and_other_members_that_are_taken_away_break_calls() {
    let of = |from: Value, to: Value| {
        let (before, after) = (imported(&with(from, json!({}))), imported(&with(to, json!({}))));
        let mut changes = compare(&before, &after);
        assert_eq!(changes.len(), 1, "{changes:?}");
        let change = changes.remove(0);
        (change.kind, change.details.join("; "))
    };
    let nullable = json!({"type": "object", "properties": {"name": {"type": ["string", "null"]}}});
    let plain = json!({"type": "object", "properties": {"name": {"type": "string"}}});
    let (kind, told) = of(nullable.clone(), plain.clone());
    assert_eq!(kind, ChangeKind::Breaking, "{told}");
    assert!(told.contains("`name`: null is not allowed any more"), "{told}");
    assert_eq!(of(plain, nullable).0, ChangeKind::Harmless);

    let nested = |others: Value| {
        let more = json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": others});
        json!({"type": "object", "properties": {"more": more}})
    };
    for (from, to, kind) in [
        (json!(true), json!(false), ChangeKind::Breaking),
        (json!(false), json!(true), ChangeKind::Harmless),
        (json!({"type": "string"}), json!(true), ChangeKind::Harmless),
        (
            json!({"type": "string"}),
            json!({"type": "integer"}),
            ChangeKind::Breaking,
        ),
        (json!(true), json!({"type": "integer"}), ChangeKind::Breaking),
    ] {
        let (found, told) = of(nested(from), nested(to));
        assert_eq!(found, kind, "{told}");
        assert!(told.contains("more.*"), "{told}");
    }
}

/// The one change of a document after an edit, its kind and its details in a line.
fn edited(edit: impl FnOnce(&mut Value)) -> (String, ChangeKind, String) {
    let parameters =
        json!([{"name": "limit", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}]);
    let body = json!({"required": true, "content": {"application/json": {"schema": base()}}});
    let mut document = with_paths(
        &json!({"/pets": {"post": {"operationId": "add", "parameters": parameters, "requestBody": body}}}),
    );
    let before = imported(&document);
    edit(&mut document);
    let mut changes = compare(&before, &imported(&document));
    assert_eq!(changes.len(), 1, "{changes:?}");
    let change = changes.remove(0);
    (change.tool, change.kind, change.details.join("; "))
}

#[test]
fn what_is_called_otherwise_is_told_though_hosts_see_no_difference() {
    let operation = "/paths/~1pets/post";
    let (tool, kind, told) = edited(|document| {
        let servers = json!([{"url": "https://elsewhere.example/v1"}]);
        document.pointer_mut(operation).unwrap()["servers"] = servers;
    });
    assert_eq!((tool.as_str(), kind), ("add", ChangeKind::Breaking), "{told}");
    assert!(told.contains("https://elsewhere.example/v1"), "{told}");

    for (url, kind) in [
        ("https://elsewhere.example/v1", ChangeKind::Breaking),
        ("https://api.example.com/v2", ChangeKind::Harmless),
    ] {
        let (tool, found, told) = edited(|document| document["servers"] = json!([{"url": url}]));
        assert_eq!((tool.as_str(), found), ("all tools", kind), "{told}");
        assert!(
            told.contains(url) && told.contains("https://api.example.com/v1"),
            "{told}"
        );
    }

    let (_, kind, told) = edited(|document| {
        document
            .pointer_mut(&format!("{operation}/parameters/0"))
            .unwrap()["style"] = json!("pipeDelimited");
    });
    assert_eq!(kind, ChangeKind::Harmless);
    assert!(
        told.contains("query parameter `limit` is written in another way"),
        "{told}"
    );

    let (_, kind, told) = edited(|document| {
        let parameter = document
            .pointer_mut(&format!("{operation}/parameters/0"))
            .unwrap();
        *parameter = json!({"name": "limit", "in": "header", "schema": parameter["schema"]});
    });
    assert_eq!(kind, ChangeKind::Harmless);
    assert!(told.contains("header parameter `limit`"), "{told}");

    let (_, kind, told) = edited(|document| {
        let content = document
            .pointer_mut(&format!("{operation}/requestBody/content"))
            .unwrap();
        *content = json!({"application/x-www-form-urlencoded": content["application/json"]});
    });
    assert_eq!(kind, ChangeKind::Harmless);
    assert!(told.contains("x-www-form-urlencoded"), "{told}");
}

#[test]
fn under_the_flat_profile_the_whole_schema_is_compared() {
    let curation = serde_json::from_value(json!({"profile": "flat"})).unwrap();
    let of = |values: Value| {
        let schema = json!({"type": "object", "properties": {"x": {"anyOf": [{"type": "string", "enum": values}, {"type": "integer"}]}}});
        super::curated(&with(schema, json!({})), &curation)
    };
    let (before, after) = (of(json!(["a", "b"])), of(json!(["a"])));
    let changes = compare(&before, &after);
    assert_eq!(changes.len(), 1, "{changes:?}");
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
    let told: Vec<_> = compare(&before, &after)
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
