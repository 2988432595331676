//! `server.yaml` files of the Docker catalogue: an image that people run, or an address that everybody calls.

use portreeve_core::import::ImportKind;
use portreeve_core::limits::Limits;
use portreeve_mcp::server_json::PUBLISHER_META;
use serde_json::{Map, Value, json};

use super::server_json::{Beside, built};
use super::{Candidate, Importer, Record};

/// Where the file is kept as it came.
const DOCKER_META: &str = "com.docker.mcp/catalog";
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
/// The catalogue does not say who made a server: all of them are Docker's entries.
const NAMESPACE: &str = "com.docker.mcp";

/// The importer.
pub(super) struct Docker;

impl Importer for Docker {
    fn kind(&self) -> ImportKind {
        ImportKind::Docker
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
        match serde_saphyr::from_str::<Value>(text) {
            Ok(Value::Object(file)) => vec![entry(record, file)],
            Ok(_) => vec![Candidate::refused(record, "$", "it must be a mapping")],
            Err(error) => {
                let reason: String = error.to_string().lines().next().unwrap_or_default().into();
                vec![Candidate::refused(
                    record,
                    "$",
                    format!("it is not valid YAML: {reason}"),
                )]
            }
        }
    }
}

fn at<'a>(file: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let mut value = file.get(*first)?;
    for key in rest {
        value = value.get(*key)?;
    }
    Some(value)
}

fn text<'a>(file: &'a Map<String, Value>, path: &[&str]) -> &'a str {
    at(file, path).and_then(Value::as_str).unwrap_or_default()
}

fn entry(record: &Record, file: Map<String, Value>) -> Candidate {
    let name = text(&file, &["name"]);
    if name.is_empty() {
        return Candidate::refused(record, "name", "it is required");
    }
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
    let title = Some(text(&file, &["about", "title"])).filter(|title| !title.trim().is_empty());
    let title: String = title.unwrap_or(name).chars().take(100).collect();
    let description = Some(text(&file, &["about", "description"])).filter(|text| !text.trim().is_empty());
    let description: String = description.unwrap_or(name).trim().chars().take(100).collect();
    let mut document = Map::new();
    document.insert("$schema".to_owned(), json!(SCHEMA));
    document.insert("name".to_owned(), json!(format!("{NAMESPACE}/{short}")));
    document.insert("title".to_owned(), json!(title));
    document.insert("description".to_owned(), json!(description.trim_end()));
    document.insert("version".to_owned(), json!(version(&file)));
    let project = text(&file, &["source", "project"]);
    if project.starts_with("https://") {
        let source = if project.contains("gitlab.") {
            "gitlab"
        } else {
            "github"
        };
        document.insert(
            "repository".to_owned(),
            json!({ "url": project, "source": source }),
        );
    }
    let icon = text(&file, &["about", "icon"]);
    if icon.starts_with("https://") && icon.chars().count() <= 255 {
        document.insert("icons".to_owned(), json!([{ "src": icon }]));
    }
    let url = text(&file, &["remote", "url"]);
    if !url.is_empty() {
        document.insert("remotes".to_owned(), json!([remote(&file, url)]));
    }
    let image = text(&file, &["image"]);
    if !image.is_empty() {
        document.insert("packages".to_owned(), json!([package(&file, image)]));
    }
    let tags = at(&file, &["meta", "tags"]).cloned().unwrap_or_else(|| json!([]));
    let category = at(&file, &["meta", "category"]).cloned().unwrap_or(Value::Null);
    document.insert(
        "_meta".to_owned(),
        json!({ PUBLISHER_META: { "tags": tags, "category": category }, DOCKER_META: file }),
    );
    built(record, &Value::Object(document), Beside::default())
}

/// The catalogue pins a commit and no version.
fn version(file: &Map<String, Value>) -> String {
    let commit: String = text(file, &["source", "commit"]).chars().take(40).collect();
    if commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let short = commit.get(..7).unwrap_or(&commit);
        return format!("0.0.0+{short}");
    }
    "0.0.0".to_owned()
}

fn remote(file: &Map<String, Value>, url: &str) -> Value {
    let kind = match text(file, &["remote", "transport_type"]) {
        "" => "streamable-http",
        kind => kind,
    };
    let mut remote = json!({ "type": kind, "url": url });
    if let Some(Value::Object(headers)) = at(file, &["remote", "headers"]) {
        let headers: Vec<Value> = headers
            .iter()
            .map(|(name, value)| {
                // `${NAME}` stands for a secret of the catalogue's own.
                let text = value.as_str().unwrap_or_default();
                let asks = text.contains("${");
                json!({
                    "name": name,
                    "value": text.replace("${", "{"),
                    "isSecret": asks,
                    "isRequired": asks,
                })
            })
            .collect();
        remote["headers"] = Value::Array(headers);
    }
    remote
}

fn package(file: &Map<String, Value>, image: &str) -> Value {
    let mut package = json!({
        "registryType": "oci",
        "identifier": if image.contains('.') { image.to_owned() } else { format!("docker.io/{image}") },
        "transport": { "type": "stdio" },
    });
    let list = |path: &[&str]| {
        at(file, path)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let mut variables = Vec::new();
    for (path, is_secret) in [(["config", "secrets"], true), (["config", "env"], false)] {
        for item in list(&path) {
            let key = if is_secret { "env" } else { "name" };
            let Some(name) = item.get(key).and_then(Value::as_str) else {
                continue;
            };
            let mut variable = json!({ "name": name, "isSecret": is_secret, "isRequired": is_secret });
            // An example may look like a secret; it is a placeholder at most.
            if let Some(example) = item.get("example").and_then(Value::as_str) {
                variable["placeholder"] = json!(example);
            }
            variables.push(variable);
        }
    }
    if !variables.is_empty() {
        package["environmentVariables"] = Value::Array(variables);
    }
    let command: Vec<Value> = list(&["run", "command"])
        .iter()
        .filter_map(Value::as_str)
        .map(|value| json!({ "type": "positional", "value": value }))
        .collect();
    if !command.is_empty() {
        package["packageArguments"] = Value::Array(command);
    }
    package
}
