//! One `server.json` of any of its six dates, as a candidate. The oldest wrote its members with underscores; those are
//! written anew, and the record is kept as it came.
//!
//! Before: an importer found a document in a record. After: `apply` compares it with what is there.

use portreeve_core::limits::Limits;
use portreeve_inspect::{content_hash, sha256_hex};
use portreeve_mcp::server_json::{Problem, form_problems, parse};
use serde_json::{Map, Value, json};

use super::{Candidate, Record, SourceStatus, finding};

/// The schema that a document follows once it was written anew.
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

/// Members as the oldest schema wrote them, and as all later ones do.
const RENAMED: [(&str, &str); 14] = [
    ("environment_variables", "environmentVariables"),
    ("file_sha256", "fileSha256"),
    ("is_repeated", "isRepeated"),
    ("is_required", "isRequired"),
    ("is_secret", "isSecret"),
    ("package_arguments", "packageArguments"),
    ("registry_base_url", "registryBaseUrl"),
    ("registry_name", "registryType"),
    ("registry_type", "registryType"),
    ("runtime_arguments", "runtimeArguments"),
    ("runtime_hint", "runtimeHint"),
    ("transport_type", "type"),
    ("value_hint", "valueHint"),
    ("website_url", "websiteUrl"),
];

/// What a source says beside the document.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Beside {
    pub(super) status: Option<SourceStatus>,
    pub(super) published_at: Option<portreeve_core::time::Timestamp>,
}

/// Reads a document. A byte order mark before it is nothing that anybody wrote.
pub(super) fn candidate(record: &Record, text: &str, beside: Beside, limits: &Limits) -> Candidate {
    let text = text.trim_start_matches('\u{feff}').trim();
    let reading = match parse(text, limits.document_bytes) {
        Ok(reading) => reading,
        Err(error) => return Candidate::refused(record, "$", error.to_string()),
    };
    let said = reading
        .raw
        .get("status")
        .and_then(Value::as_str)
        .map(SourceStatus::from_word);
    if is_old(&reading.raw) {
        let document = Value::Object(modern(reading.raw)).to_string();
        let Ok(anew) = parse(&document, usize::MAX) else {
            return Candidate::refused(record, "$", "it cannot be written in today's form");
        };
        let raw = Some(text.to_owned());
        return judged(record, anew, (document, raw), beside.or(said));
    }
    judged(record, reading, (text.to_owned(), None), beside.or(said))
}

/// A document that an importer put together.
pub(super) fn built(record: &Record, document: &Value, beside: Beside) -> Candidate {
    let text = document.to_string();
    match parse(&text, usize::MAX) {
        Ok(reading) => judged(record, reading, (text, Some(record.text.clone())), beside),
        Err(error) => Candidate::refused(record, "$", error.to_string()),
    }
}

fn judged(
    record: &Record,
    reading: portreeve_mcp::server_json::Reading,
    (document, raw): (String, Option<String>),
    beside: Beside,
) -> Candidate {
    let Ok(content_hash) = content_hash(&document) else {
        return Candidate::refused(record, "$", "it holds a number that JSON readers do not agree on");
    };
    let mut problems = form_problems(&reading.raw);
    for problem in &reading.problems {
        if !problems.iter().any(|known| known.path == problem.path) {
            problems.push(problem.clone());
        }
    }
    let source_hash = sha256_hex(raw.as_deref().unwrap_or(&document).as_bytes());
    Candidate {
        place: record.place.clone(),
        name: reading.view.name,
        version: reading.view.version,
        content_hash,
        source_hash,
        document,
        raw,
        status: beside.status.unwrap_or_default(),
        published_at: beside.published_at,
        needs_eyes: reading.problems.iter().any(is_grave),
        findings: problems
            .into_iter()
            .map(|problem| finding(&problem.path, problem.message))
            .collect(),
    }
}

/// A link or an address that is not one may be there to harm whoever follows it.
fn is_grave(problem: &Problem) -> bool {
    let path = problem.path.as_str();
    matches!(path, "name" | "version" | "websiteUrl" | "repository.url")
        || (path.starts_with("remotes[") && path.ends_with(".url"))
        || (path.starts_with("icons[") && path.ends_with(".src"))
}

// === the oldest form ===

/// Whether members are written with underscores.
fn is_old(raw: &Map<String, Value>) -> bool {
    let inside = ["packages", "remotes"]
        .iter()
        .filter_map(|key| raw.get(*key).and_then(Value::as_array))
        .flatten()
        .filter_map(Value::as_object);
    raw.contains_key("website_url") || inside.into_iter().any(has_old_member)
}

fn has_old_member(object: &Map<String, Value>) -> bool {
    object.iter().any(|(key, value)| {
        RENAMED.iter().any(|(old, _)| old == key)
            || match value {
                Value::Object(inner) => has_old_member(inner),
                Value::Array(items) => items.iter().filter_map(Value::as_object).any(has_old_member),
                _ => false,
            }
    })
}

/// The same in today's form.
pub(super) fn modern(raw: Map<String, Value>) -> Map<String, Value> {
    let mut anew = Map::new();
    anew.insert("$schema".to_owned(), json!(SCHEMA));
    for (key, value) in raw {
        match key.as_str() {
            "$schema" | "status" | "id" => {}
            "packages" => {
                anew.insert(key, each(value, package));
            }
            "remotes" => {
                anew.insert(key, each(value, renamed));
            }
            "website_url" => {
                anew.insert("websiteUrl".to_owned(), value);
            }
            _ => {
                anew.insert(key, value);
            }
        }
    }
    anew
}

fn each(value: Value, with: fn(Map<String, Value>) -> Map<String, Value>) -> Value {
    match value {
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|item| match item {
                    Value::Object(object) => Value::Object(with(object)),
                    other => other,
                })
                .collect(),
        ),
        other => other,
    }
}

/// Before there were transports, a package spoke on its standard streams, and `name` was what is `identifier` now.
fn package(raw: Map<String, Value>) -> Map<String, Value> {
    let mut package = renamed(raw);
    if !package.contains_key("identifier")
        && let Some(name) = package.remove("name")
    {
        package.insert("identifier".to_owned(), name);
    }
    if !package.contains_key("transport") {
        package.insert("transport".to_owned(), json!({"type": "stdio"}));
    }
    package
}

fn renamed(raw: Map<String, Value>) -> Map<String, Value> {
    let deeper = |value: Value| match value {
        Value::Object(inner) => Value::Object(renamed(inner)),
        Value::Array(_) => each(value, renamed),
        other => other,
    };
    raw.into_iter()
        .map(|(key, value)| {
            let new = RENAMED.iter().find(|(old, _)| *old == key);
            (new.map_or(key, |(_, new)| (*new).to_owned()), deeper(value))
        })
        .collect()
}

// === impl Beside ===

impl Beside {
    fn or(self, said: Option<SourceStatus>) -> Self {
        Self {
            status: self.status.or(said),
            ..self
        }
    }
}
