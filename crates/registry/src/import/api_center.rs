//! An export of Azure API Center: its own form of an API of the kind `mcp`, or the entries of its registry endpoint.

use portreeve_core::import::ImportKind;
use portreeve_core::limits::Limits;
use portreeve_mcp::server_json::PUBLISHER_META;
use serde_json::{Map, Value, json};

use super::official_registry::OfficialRegistry;
use super::server_json::{Beside, built};
use super::{Candidate, Importer, Record, SourceStatus};

/// Where the entry is kept as it came.
const CENTER_META: &str = "com.azure.api-center/api";
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
/// API Center's names are short words.
const NAMESPACE: &str = "com.azure.api-center";

/// The importer.
pub(super) struct ApiCenter;

impl Importer for ApiCenter {
    fn kind(&self) -> ImportKind {
        ImportKind::ApiCenter
    }

    fn read(&self, record: &Record, limits: &Limits) -> Vec<Candidate> {
        let text = record.text.trim_start_matches('\u{feff}');
        if text.len() > limits.document_bytes {
            let size = format!(
                "it has {} bytes, and {} are allowed",
                text.len(),
                limits.document_bytes
            );
            return vec![Candidate::refused(record, "$", size)];
        }
        match serde_json::from_str::<Value>(text) {
            // What its registry endpoint answers is what every registry answers.
            Ok(Value::Object(api)) if api.contains_key("server") || api.contains_key("servers") => {
                OfficialRegistry(ImportKind::ApiCenter).read(record, limits)
            }
            Ok(Value::Object(api)) => vec![entry(record, api)],
            Ok(_) => vec![Candidate::refused(record, "$", "it must be a JSON object")],
            Err(error) => vec![Candidate::refused(
                record,
                "$",
                format!("it is not valid JSON: {error}"),
            )],
        }
    }
}

fn entry(record: &Record, api: Map<String, Value>) -> Candidate {
    // The management plane wraps what the data plane shows in `properties`.
    let properties = match api.get("properties") {
        Some(Value::Object(properties)) => properties.clone(),
        _ => api.clone(),
    };
    let text = |key: &str| properties.get(key).and_then(Value::as_str).unwrap_or_default();
    let kind = text("kind");
    if !kind.is_empty() && !kind.eq_ignore_ascii_case("mcp") {
        return Candidate::refused(
            record,
            "kind",
            format!("`{}` is not an MCP server", cut(kind, 40)),
        );
    }
    let name = api.get("name").and_then(Value::as_str).unwrap_or_default();
    let short: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
                c
            } else {
                '-'
            }
        })
        .take(100)
        .collect();
    if short.is_empty() {
        return Candidate::refused(record, "name", "it is required");
    }
    let title = Some(text("title"))
        .filter(|title| !title.trim().is_empty())
        .unwrap_or(name);
    let description = [text("summary"), text("description"), title]
        .into_iter()
        .find(|text| !text.trim().is_empty())
        .unwrap_or(name);
    let mut document = json!({
        "$schema": SCHEMA,
        "name": format!("{NAMESPACE}/{short}"),
        "title": cut(title, 100),
        "description": cut(description.trim(), 100),
        "version": version(&api, &properties),
    });
    let remotes = remotes(&api, &properties);
    if !remotes.is_empty() {
        document["remotes"] = Value::Array(remotes);
    }
    let mut shown = Map::new();
    for key in ["customProperties", "useCases", "tags", "license", "contacts"] {
        if let Some(value) = properties.get(key) {
            shown.insert(key.to_owned(), value.clone());
        }
    }
    document["_meta"] = json!({ PUBLISHER_META: shown, CENTER_META: api });
    let beside = Beside {
        status: Some(match text("lifecycleStage") {
            "deprecated" => SourceStatus::Deprecated,
            "retired" => SourceStatus::Deleted,
            _ => SourceStatus::Active,
        }),
        ..Beside::default()
    };
    built(record, &document, beside)
}

/// The newest version is the last one of the export.
fn version(api: &Map<String, Value>, properties: &Map<String, Value>) -> String {
    let named = |versions: &Value| {
        let last = versions.as_array()?.last()?;
        let title = last.pointer("/properties/title").or_else(|| last.get("title"));
        title
            .or_else(|| last.get("name"))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let found = [api.get("versions"), properties.get("versions")]
        .into_iter()
        .flatten()
        .find_map(named);
    found
        .filter(|version| !version.is_empty() && !version.eq_ignore_ascii_case("original"))
        .unwrap_or_else(|| "1.0.0".to_owned())
}

/// An address is a deployment's `runtimeUri`, or one of the remotes.
fn remotes(api: &Map<String, Value>, properties: &Map<String, Value>) -> Vec<Value> {
    let mut urls: Vec<(String, String)> = Vec::new();
    for deployments in [api.get("deployments"), properties.get("deployments")]
        .into_iter()
        .flatten()
    {
        for deployment in deployments.as_array().into_iter().flatten() {
            let inner = deployment.get("properties").unwrap_or(deployment);
            let server = inner.get("server").unwrap_or(inner);
            let uris = server.get("runtimeUri").or_else(|| server.get("runtimeUris"));
            let uris = match uris {
                Some(Value::String(uri)) => vec![uri.clone()],
                Some(Value::Array(uris)) => {
                    uris.iter().filter_map(Value::as_str).map(str::to_owned).collect()
                }
                _ => Vec::new(),
            };
            urls.extend(uris.into_iter().map(|uri| ("streamable-http".to_owned(), uri)));
        }
    }
    for remote in properties
        .get("remotes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let text = |keys: [&str; 2]| {
            keys.iter()
                .find_map(|key| remote.get(*key).and_then(Value::as_str))
                .map(str::to_owned)
        };
        let kind = text(["type", "transport_type"]).unwrap_or_else(|| "streamable-http".to_owned());
        urls.extend(text(["url", "runtimeUrl"]).map(|url| (kind, url)));
    }
    urls.dedup();
    urls.into_iter()
        .map(|(kind, url)| json!({ "type": kind, "url": url }))
        .collect()
}

fn cut(text: &str, characters: usize) -> String {
    text.chars()
        .take(characters)
        .collect::<String>()
        .trim_end()
        .to_owned()
}
