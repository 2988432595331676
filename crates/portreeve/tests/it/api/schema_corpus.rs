//! Real documents, as they are and spoilt: what the official schema refuses, validate refuses.

use http::Method;
use serde_json::{Value, json};

use super::house::House;
use crate::official::{Official, corpus};

const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

/// A number that follows from the number before.
fn next(state: &mut u64, most: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % u64::try_from(most.max(1)).unwrap()).unwrap()
}

/// The document with something else, or nothing, at one place.
fn spoilt(document: &Value, state: &mut u64) -> Value {
    let others = [
        json!(null),
        json!(7),
        json!(""),
        json!("x".repeat(300)),
        json!([]),
        json!({}),
        json!(true),
        json!("latest"),
    ];
    let mut document = document.clone();
    let mut place = &mut document;
    loop {
        match place {
            Value::Object(members) if !members.is_empty() => {
                let chosen = next(state, members.len());
                if next(state, 4) == 0 {
                    let name = members.keys().nth(chosen).unwrap().clone();
                    if name != "$schema" {
                        if next(state, 2) == 0 {
                            members.remove(&name);
                        } else {
                            members[&name] = others[next(state, others.len())].clone();
                        }
                    }
                    return document;
                }
                place = members.values_mut().nth(chosen).unwrap();
            }
            Value::Array(items) if !items.is_empty() => {
                let chosen = next(state, items.len());
                place = &mut items[chosen];
            }
            _ => return document,
        }
    }
}

#[tokio::test]
async fn a1_what_the_official_schema_refuses_is_not_valid() {
    let (Some(official), Some(folder)) = (Official::shared(), corpus()) else {
        return;
    };
    let text = std::fs::read(folder.join("registry/official-registry-dump-2026-01-11.json")).unwrap();
    let dump: Value = serde_json::from_slice(&text).unwrap();
    let house = House::new().await;
    let (mut state, mut refused, mut valid) = (88_172_645_463_325_252_u64, 0, 0);
    for record in dump["servers"].as_array().unwrap() {
        let mut document = record["server"].clone();
        document["$schema"] = json!(SCHEMA);
        let others = [spoilt(&document, &mut state), spoilt(&document, &mut state)];
        for document in std::iter::once(document).chain(others) {
            let verdict = house
                .call("", Method::POST, "/v0.1/validate", document.clone())
                .await
                .json();
            let keeps_the_schema = official.is_document(&document) == Some(true);
            if keeps_the_schema {
                valid += usize::from(verdict["valid"] == json!(true));
                continue;
            }
            refused += 1;
            assert_eq!(verdict["valid"], false, "{document}");
            let issues = verdict["issues"].as_array().unwrap();
            assert!(
                issues.iter().any(|issue| issue["severity"] == "error"),
                "{verdict}"
            );
        }
    }
    assert!(
        refused > 1_000 && valid > 2_000,
        "{refused} refused by the schema, {valid} valid"
    );
}
