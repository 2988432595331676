//! Resources and prompts by curation: what can stand in a URI, what cannot, and what changes.

use portreeve_core::rest::{Resource, Variable};
use portreeve_registry::import::openapi::{
    ChangeKind, Curation, Imported, OpenApiError, OperationOutcome, compare_offers,
};
use serde_json::{Value, json};

use super::{assert_sound, curated, text, with_paths};

fn choices(value: Value) -> Curation {
    serde_json::from_value(value).unwrap()
}

fn document() -> Value {
    let path =
        |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
    let query = |name: &str, schema: Value| json!({"name": name, "in": "query", "schema": schema});
    let ok = json!({"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "object"}}}}});
    with_paths(&json!({
        "/ships": {
            "get": {"operationId": "listShips", "summary": "Lists ships", "responses": ok, "parameters": [
                query("page", json!({"type": ["integer", "null"]})),
                query("filter[flag]", json!({"enum": ["nl", "de"]})),
                query("tags", json!({"type": "array", "items": {"$ref": "#/components/schemas/Tag"}})),
                query("where", json!({"type": "object"})),
                {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
            ]},
            "post": {"operationId": "addShip"},
        },
        "/ships/{id}/crew.{form}": {"get": {"operationId": "crew", "parameters": [path("id"), path("form")]}},
        "/ships/{id}.{form}": {"get": {"operationId": "ship", "parameters": [path("id"), path("form")]}},
        "/ports/{port}": {"get": {"operationId": "port", "parameters": [path("port")]}},
        "/ports/rotterdam": {"get": {"operationId": "rotterdam"}},
        "/private": {"get": {"operationId": "private", "parameters": [
            {"name": "X-Key-Of", "in": "header", "required": true, "schema": {"type": "string"}}]}},
    }))
}

fn imported(curation: Value) -> Imported {
    let mut document = document();
    document["components"] = json!({"schemas": {"Tag": {"type": "string"}}});
    curated(&document, &choices(curation))
}

fn resource<'a>(imported: &'a Imported, name: &str) -> &'a Resource {
    &imported.bindings.resources[name]
}

#[test]
fn what_an_operation_takes_stands_in_the_uri_of_its_resource() {
    let imported = imported(json!({
        "exclude": [{"name": "crew"}],
        "resources": {
            "listShips": {"title": "All ships"},
            "crew": {"name": "crew_of", "description": "Who sails.", "mimeType": "text/csv", "timeoutMs": 500},
            "rotterdam": {},
        },
    }));
    assert_sound(&imported);
    let ships = resource(&imported, "listShips");
    assert_eq!(ships.uri, "api:///ships{?page,filter_flag,tags*}");
    let kinds: Vec<Variable> = ships.variables.values().copied().collect();
    assert_eq!(kinds, [Variable::Text, Variable::Plain, Variable::Texts]);
    assert_eq!(ships.mime_type.as_deref(), Some("application/json"));
    assert_eq!(ships.title, "All ships");
    // What cannot stand there is neither asked for nor sent.
    let sent: Vec<&str> = ships
        .binding
        .parameters
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(sent, ["page", "filter[flag]", "tags"]);
    let crew = resource(&imported, "crew");
    assert_eq!(crew.uri, "api:///ships/{id}/crew.{form}");
    assert_eq!(
        (crew.name.as_str(), crew.binding.timeout_ms),
        ("crew_of", Some(500))
    );
    assert_eq!(crew.mime_type.as_deref(), Some("text/csv"));
    assert!(!resource(&imported, "rotterdam").is_template());
    // It is no tool, and a resource all the same.
    let told = imported
        .report
        .operations
        .iter()
        .find(|one| one.operation_id.as_deref() == Some("crew"));
    let told = told.unwrap();
    assert!(matches!(told.outcome, OperationOutcome::NotChosen { .. }));
    assert_eq!(told.resource.as_ref(), Some(&crew.uri));
}

#[test]
fn what_cannot_be_a_resource_is_none_with_the_reason() {
    let imported = imported(json!({"resources": {
        "addShip": {}, "ship": {}, "private": {}, "rotterdam": {}, "none": {},
        "port": {"arguments": {"port": {"fixed": "rotterdam"}}},
    }}));
    let uris: Vec<&str> = imported
        .bindings
        .resources
        .values()
        .map(|one| one.uri.as_str())
        .collect();
    assert_eq!(uris, ["api:///ports/rotterdam"]);
    let reason = |id: &str| {
        let found = imported
            .report
            .operations
            .iter()
            .find(|one| one.operation_id.as_deref() == Some(id));
        found
            .unwrap()
            .notes
            .last()
            .map(|note| note.message.clone())
            .unwrap_or_default()
    };
    for (id, words) in [
        ("addShip", "GET"),
        ("ship", "two parameters"),
        ("private", "X-Key-Of"),
        ("rotterdam", "already"),
    ] {
        assert!(reason(id).contains(words), "{id}: {}", reason(id));
    }
    assert!(
        imported
            .report
            .notes
            .iter()
            .any(|note| note.message.contains("`none`"))
    );
}

#[test]
fn prompts_are_kept_as_they_are_and_refused_as_a_whole() {
    let good = json!({"arguments": [{"name": "ship", "required": true}], "messages": [{"role": "user", "text": "{{ship}}"}]});
    let imported = imported(json!({"prompts": {"brief": good}}));
    assert_eq!(imported.bindings.prompts["brief"].arguments[0].name, "ship");
    let bad = json!({"prompts": {"brief": {"messages": [{"role": "user", "text": "{{ship}}"}]}}});
    let refused = text(&document().to_string(), &choices(bad));
    let Err(OpenApiError::Prompts { reason }) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        reason.contains("`brief`") && reason.contains("{{ship}}"),
        "{reason}"
    );
}

#[test]
fn what_is_different_is_told() {
    let before = imported(json!({
        "resources": {"port": {}, "rotterdam": {}, "crew": {}},
        "prompts": {"brief": {"messages": [{"role": "user", "text": "a"}]}},
    }));
    let after = imported(json!({
        "resources": {"port": {"arguments": {"port": {"rename": "harbour"}}}, "rotterdam": {"title": "R"}, "listShips": {}},
        "prompts": {"brief": {"messages": [{"role": "user", "text": "b"}]}},
    }));
    let told: Vec<_> = compare_offers(&before.bindings, &after.bindings)
        .into_iter()
        .map(|change| (change.kind, change.tool, change.operation))
        .collect();
    let entry = |kind, tool: &str, what: &str| (kind, tool.to_owned(), what.to_owned());
    assert_eq!(
        told,
        [
            entry(ChangeKind::Removed, "crew", "resource"),
            entry(ChangeKind::Breaking, "port", "resource"),
            entry(ChangeKind::Added, "listShips", "resource"),
            entry(ChangeKind::Harmless, "brief", "prompt"),
            entry(ChangeKind::Harmless, "rotterdam", "resource"),
        ]
    );
    assert_ne!(before.digest().unwrap(), after.digest().unwrap());
}
