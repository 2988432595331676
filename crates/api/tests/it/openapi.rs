//! The OpenAPI document: as committed, and complete.

use std::collections::BTreeSet;
use std::path::Path;

use portreeve_api::{endpoints, openapi_document};
use serde_json::Value;

#[test]
fn the_committed_document_is_the_one_that_the_code_gives() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/management-v1.json");
    let actual = openapi_document().unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, actual).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == actual,
        "{} differs: UPDATE_GOLDEN=1 writes it anew",
        path.display()
    );
}

#[test]
fn every_endpoint_is_described_and_every_described_one_is_served() {
    let document: Value = serde_json::from_str(&openapi_document().unwrap()).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let served: BTreeSet<_> = endpoints()
        .into_iter()
        .filter(|endpoint| endpoint.path.starts_with("/api/v1/") && endpoint.path != "/api/v1/openapi.json")
        .map(|endpoint| format!("{} {}", endpoint.method, endpoint.path))
        .collect();
    assert_eq!(described, served);
}

#[test]
fn every_operation_has_an_identifier_of_its_own_and_says_how_it_fails() {
    let document: Value = serde_json::from_str(&openapi_document().unwrap()).unwrap();
    let mut seen = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(seen.insert(id.to_owned()), "`{id}` stands there twice");
            assert!(operation["summary"].is_string(), "{path} has no summary");
            assert!(
                operation["responses"]["default"].is_object(),
                "{path} does not say how it fails"
            );
        }
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in references(&document) {
        let name = reference.rsplit('/').next().unwrap();
        assert!(schemas.contains_key(name), "`{reference}` leads nowhere");
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(object) => {
            let own = object.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter()
                .chain(object.values().flat_map(references))
                .collect()
        }
        Value::Array(array) => array.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
