//! Answers of the registry API against the specification: its OpenAPI document, and the schemas of `server.json`. Both
//! belong to the corpus; without it nothing is compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value, json};

/// What the specification says.
pub(crate) struct Official {
    /// By method and path, the answers by status; `None` where an answer has no content.
    operations: BTreeMap<(String, Vec<String>), BTreeMap<u16, Option<Validator>>>,
    /// The schemas of documents, by date.
    schemas: BTreeMap<String, Validator>,
}

/// An answer, as far as the specification speaks of it.
pub(crate) struct Heard<'a> {
    pub(crate) method: &'a str,
    /// With its query.
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) content_type: &'a str,
    pub(crate) body: &'a [u8],
}

/// The corpus.
pub(crate) fn corpus() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "only this variable says where the corpus is"
    )]
    let folder = std::env::var("PORTREEVE_TEST_DATA").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    if folder.join("registry").is_dir() {
        return Some(folder);
    }
    println!("not run: no corpus");
    None
}

impl Official {
    /// The specification; `None` where there is no corpus.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Official>> = OnceLock::new();
        SHARED
            .get_or_init(|| corpus().map(|folder| Self::read(&folder.join("registry"))))
            .as_ref()
    }

    fn read(folder: &Path) -> Self {
        let file = folder.join("openapi/mcp-registry-generic-2025-12-01.openapi.yaml");
        let text = std::fs::read_to_string(file).unwrap();
        let document: Value = serde_saphyr::from_str(&text).unwrap();
        let mut operations = BTreeMap::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let place = (method.to_uppercase(), segments(path));
                operations.insert(place, answers(operation, &document["components"]));
            }
        }
        let mut schemas = BTreeMap::new();
        for file in std::fs::read_dir(folder.join("schemas")).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if let Some(date) = name
                .strip_suffix(".server.schema.json")
                .filter(|date| date.starts_with("20"))
            {
                let schema: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                schemas.insert(date.to_owned(), compiled(&schema));
            }
        }
        Self { operations, schemas }
    }

    /// Whether a document keeps the schema that it names. `None` when it names none that is known.
    pub(crate) fn is_document(&self, document: &Value) -> Option<bool> {
        let named = document["$schema"].as_str()?;
        let (_, schema) = self
            .schemas
            .iter()
            .find(|(date, _)| named.contains(date.as_str()))?;
        Some(schema.is_valid(document))
    }

    /// Fails when an answer is not one that the specification gives.
    pub(crate) fn check(&self, heard: &Heard<'_>) {
        let place = format!("{} {}: {}", heard.method, heard.path, heard.status);
        if heard.method == "HEAD" || matches!(heard.status, 204 | 304 | 308) {
            assert!(heard.body.is_empty(), "{place}");
            return;
        }
        let body: Value =
            serde_json::from_slice(heard.body).unwrap_or_else(|error| panic!("{place}: {error}"));
        if heard.status >= 400 {
            check_error(&place, heard, &body);
        }
        let Some(answers) = self.operation(heard) else {
            return;
        };
        match answers.get(&heard.status) {
            Some(Some(schema)) => assert_valid(&place, schema, &body),
            Some(None) => {}
            // Errors of HTTP itself are not listed there.
            None => assert!(heard.status >= 400, "{place} is not in the document"),
        }
        self.check_documents(&place, &body);
    }

    /// Every document that is emitted keeps its own schema.
    fn check_documents(&self, place: &str, body: &Value) {
        let one = body.get("server").into_iter();
        let many = body["servers"].as_array().into_iter().flatten();
        for document in one.chain(many.map(|item| &item["server"])) {
            assert_ne!(self.is_document(document), Some(false), "{place}: {document}");
        }
    }

    fn operation(&self, heard: &Heard<'_>) -> Option<&BTreeMap<u16, Option<Validator>>> {
        let asked = normal(heard.path);
        let found = self.operations.iter().find(|((method, template), _)| {
            method == heard.method && template.len() == asked.len() && {
                let mut pairs = template.iter().zip(&asked);
                pairs.all(|(expected, given)| expected.starts_with('{') || expected == given)
            }
        });
        found.map(|(_, answers)| answers)
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').skip(2).map(str::to_owned).collect()
}

/// The segments of a path behind its version, with a name as one of them.
fn normal(path: &str) -> Vec<String> {
    let path = path.split('?').next().unwrap_or_default();
    let mut segments = segments(path);
    let is_split = segments.first().is_some_and(|first| first == "servers")
        && segments.len() > 2
        && !segments[1].to_lowercase().contains("%2f");
    if is_split {
        let short = segments.remove(2);
        segments[1] = format!("{}%2F{short}", segments[1]);
    }
    segments
}

fn answers(operation: &Value, components: &Value) -> BTreeMap<u16, Option<Validator>> {
    let answers = operation["responses"].as_object().unwrap();
    answers
        .iter()
        .map(|(status, answer)| {
            let schema = answer.pointer("/content/application~1json/schema");
            let compiled = schema.map(|schema| {
                let mut schema = schema.clone();
                schema["components"] = components.clone();
                compiled(&schema)
            });
            (status.parse().unwrap(), compiled)
        })
        .collect()
}

fn compiled(schema: &Value) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(schema)
        .unwrap()
}

fn assert_valid(place: &str, schema: &Validator, body: &Value) {
    let errors: Vec<String> = schema
        .iter_errors(body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{place}: {errors:#?}\n{body}");
}

/// Errors have the form that both kinds of readers expect.
fn check_error(place: &str, heard: &Heard<'_>, body: &Value) {
    assert_eq!(heard.content_type, "application/problem+json", "{place}");
    assert_eq!(body["status"], json!(heard.status), "{place}");
    for member in ["error", "title", "detail"] {
        assert!(
            body[member].as_str().is_some_and(|text| !text.is_empty()),
            "{place}: {body}"
        );
    }
    let errors = body["errors"]
        .as_array()
        .unwrap_or_else(|| panic!("{place}: {body}"));
    assert!(
        errors.iter().all(|error| error["message"].is_string()),
        "{place}: {body}"
    );
}
