//! The `server.json` that `server add NAME --url URL` registers, and the one that `--file` names.

use std::path::Path;

use serde_json::{Value, json};

use super::Failure;

/// The schema that the document claims to follow.
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
/// Longest file that is read; the server's own limit is lower.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// A remote server with as much as people need to say; without a URL, one whose deployments are named beside it.
pub(super) fn remote(name: &str, url: Option<&str>, description: Option<&str>, version: &str) -> Value {
    let short = name.rsplit('/').next().unwrap_or(name);
    let description = description.map_or_else(|| format!("The MCP server {short}"), str::to_owned);
    let mut document = json!({
        "$schema": SCHEMA,
        "name": name,
        "description": description,
        "version": version,
    });
    if let (Some(url), Some(fields)) = (url, document.as_object_mut()) {
        let remotes = json!([{ "type": "streamable-http", "url": url }]);
        fields.insert("remotes".to_owned(), remotes);
    }
    document
}

/// The document in a file.
pub(super) fn from_file(file: &Path) -> Result<Value, Failure> {
    let shown = file.display();
    let failed = |reason: &dyn std::fmt::Display| Failure::new(format!("cannot read `{shown}`: {reason}"));
    let size = std::fs::metadata(file).map_err(|error| failed(&error))?.len();
    if size > FILE_BYTES {
        return Err(failed(&"it is larger than 4 MiB")
            .hint("a server.json has a few kilobytes: is it the right file?"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match serde_json::from_str::<Value>(text) {
        Ok(document) if document.is_object() => Ok(document),
        Ok(_) => Err(failed(&"it is JSON, but not an object").hint("name a server.json file")),
        Err(error) => Err(failed(&error).hint("name a server.json file")),
    }
}

/// The name in a document, for the messages that come before the server has read it.
pub(super) fn name(document: &Value) -> &str {
    document.get("name").and_then(Value::as_str).unwrap_or_default()
}
