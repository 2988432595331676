//! Requests that nobody would write, thousands of them: generated from the served OpenAPI document and from the registry
//! API. None is a failure of the server, and every answer is one that the document gives.
//!
//! `PORTREEVE_TEST_RANDOM_REQUESTS` says how many (400 unless told), `PORTREEVE_TEST_SEED` which. A failure names both.

mod generate;

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::node::Node;
use crate::official::{Heard, Official};
use crate::web::Answer;
use generate::{Dice, Generator, Request};

/// What the document says about one operation.
struct Operation {
    method: String,
    path: String,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: BTreeMap<u16, Option<Validator>>,
    default: Option<Validator>,
}

/// What the registry API has beyond its document.
const BEYOND: [(&str, &str); 5] = [
    ("POST", "/v0.1/validate"),
    ("POST", "/v0.1/auth/{method}"),
    ("GET", "/v0.1/health"),
    ("GET", "/v0.1/version"),
    ("POST", "/v0.1/publish"),
];

#[expect(
    clippy::disallowed_methods,
    reason = "only these variables say how long the test goes on"
)]
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let mut answers = BTreeMap::new();
            let mut default = None;
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let schema = answer["content"]
                    .as_object()
                    .and_then(|content| content.values().next());
                let compiled = schema.map(|content| {
                    let mut schema = content["schema"].clone();
                    schema["components"] = document["components"].clone();
                    jsonschema::validator_for(&schema).unwrap()
                });
                match status.parse() {
                    Ok(status) => drop(answers.insert(status, compiled)),
                    Err(_) => default = compiled,
                }
            }
            let body = operation.pointer("/requestBody/content/application~1json/schema");
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                parameters: operation["parameters"].as_array().cloned().unwrap_or_default(),
                body: body.cloned(),
                answers,
                default,
            });
        }
    }
    operations
}

/// The registry API as operations; their answers are compared with its own document.
fn registry_operations() -> Vec<Operation> {
    let version = "/v0.1/servers/{name}/versions/{version}";
    let places = [
        ("GET", "/v0.1/servers"),
        ("GET", "/v0.1/servers/{name}/versions"),
        ("GET", version),
        ("PUT", version),
        ("DELETE", version),
        ("PATCH", "/v0.1/servers/{name}/versions/{version}/status"),
        ("PATCH", "/v0.1/servers/{name}/status"),
    ];
    let query = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
    let list = [
        "cursor",
        "limit",
        "search",
        "updated_since",
        "version",
        "include_deleted",
    ];
    let of = |(method, path): (&str, &str)| Operation {
        method: method.to_owned(),
        path: path.to_owned(),
        parameters: list.into_iter().map(query).collect(),
        body: match path {
            "/v0.1/auth/{method}" => Some(json!({"x-claim": true})),
            path if path.ends_with("/status") => Some(json!({"x-status": true})),
            _ => (method == "POST" || method == "PUT").then(|| json!({"x-document": true})),
        },
        answers: BTreeMap::new(),
        default: None,
    };
    places.into_iter().chain(BEYOND).map(of).collect()
}

fn check_management(
    operations: &[Operation],
    asked: &Operation,
    request: &Request,
    answer: &Answer,
) -> Result<(), String> {
    if request.method == "HEAD" || matches!(answer.status, 204 | 304 | 308) {
        return if answer.body.is_empty() {
            Ok(())
        } else {
            Err("content where there is none".to_owned())
        };
    }
    // Some requests have another method than the operation that they were made for.
    let described = operations
        .iter()
        .find(|operation| operation.method == request.method && operation.path == asked.path);
    let schema = match described.and_then(|operation| operation.answers.get(&answer.status)) {
        Some(schema) => schema.as_ref(),
        None if answer.status >= 400 => asked.default.as_ref(),
        None => return Err("a status that the document does not give".to_owned()),
    };
    let body: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
    let Some(schema) = schema else { return Ok(()) };
    let errors: Vec<String> = schema.iter_errors(&body).map(|error| error.to_string()).collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors.join("; "))
    }
}

fn check(
    operations: &[Operation],
    asked: &Operation,
    request: &Request,
    answer: &Answer,
) -> Result<(), String> {
    let is_absent = answer.status == 501 && request.method == "DELETE" && request.path.starts_with("/v0");
    if answer.status >= 500 && !is_absent {
        return Err("a failure of the server".to_owned());
    }
    if !request.path.starts_with("/v0") {
        return check_management(operations, asked, request, answer);
    }
    if let Some(official) = Official::shared() {
        official.check(&Heard {
            method: &request.method,
            path: &request.path,
            status: answer.status,
            content_type: answer.header("content-type"),
            body: &answer.body,
        });
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_a_failure_and_every_answer_is_in_the_document() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("portreeve.toml");
    let config = "[registry]\nauto_approve = [\"com.trusted/*\"]\n[registry.auth]\nnone = true\n";
    std::fs::write(&file, config).unwrap();
    let node = Node::start_with(&["--config", file.to_str().unwrap()]).await;
    let document = node
        .web
        .get(&format!("{}/api/v1/openapi.json", node.url))
        .await
        .unwrap()
        .json();
    let mut all = operations(&document);
    all.extend(registry_operations());
    let credentials = [
        node.key.clone(),
        node.key.clone(),
        node.new_key("stranger"),
        "prv_nonsense".to_owned(),
        String::new(),
    ];
    let (count, seed) = (
        number("PORTREEVE_TEST_RANDOM_REQUESTS", 400),
        number("PORTREEVE_TEST_SEED", 1),
    );
    let mut generator = Generator {
        dice: Dice::new(seed),
        schemas: document["components"]["schemas"].clone(),
    };
    let mut statuses: BTreeMap<u16, u64> = BTreeMap::new();
    for round in 0..count {
        let operation = &all[generator.dice.below(all.len())];
        let credential = &credentials[generator.dice.below(credentials.len())];
        let request = generator.request(
            &operation.method,
            &operation.path,
            &operation.parameters,
            operation.body.as_ref(),
        );
        let mut headers = request.headers.clone();
        if !credential.is_empty() {
            headers.push(("authorization", format!("Bearer {credential}")));
        }
        let url = format!("{}{}", node.url, request.path);
        let place = format!("seed {seed}, request {round}: {request:?}");
        let answer = node
            .web
            .ask(&request.method, &url, &headers, request.body.clone())
            .await;
        let answer = answer.unwrap_or_else(|error| panic!("{place}: {error}"));
        if let Err(problem) = check(&all, operation, &request, &answer) {
            panic!("{place}: {} {problem}: {}", answer.status, answer.text());
        }
        *statuses.entry(answer.status).or_default() += 1;
    }
    println!("{count} requests: {statuses:?}");
    let ready = node.web.get(&format!("{}/readyz", node.url)).await.unwrap();
    assert_eq!(ready.status, 200);
    assert!(
        statuses.contains_key(&200) && statuses.contains_key(&422),
        "{statuses:?}"
    );
    let verified = node.api("GET", "/audit/verify", None).await.json();
    assert_eq!(verified["findings"], json!([]), "{verified}");
}
