//! Packages: what a host runs by itself. Portreeve never does; it only checks that the words are safe to hand on.
//!
//! Before: a `packages` item of a document. After: `registry::install` makes a command of it.

use serde_json::{Map, Value};

use super::inputs::{self, Input, KeyValue};
use super::{Notes, cut, is_http_url, list, text};

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// `npm`, `pypi`, `nuget`, `oci`, `mcpb`, `cargo`, ...
    pub registry_type: String,
    /// Its name there, or its URL.
    pub identifier: String,
    /// Its version there.
    pub version: Option<String>,
    /// The runtime that its publisher proposes.
    pub runtime_hint: Option<String>,
    /// Arguments of the runtime, before the identifier.
    pub runtime_arguments: Vec<Argument>,
    /// Arguments of the server, after the identifier.
    pub package_arguments: Vec<Argument>,
    /// Environment variables.
    pub environment: Vec<KeyValue>,
    /// `stdio`, `streamable-http` or `sse`.
    pub transport: String,
}

/// One argument of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The flag with its dashes; `None` for a positional argument.
    pub name: Option<String>,
    /// The name of a positional argument's value.
    pub value_hint: Option<String>,
    /// The value.
    pub input: Input,
}

const REGISTRIES: [&str; 6] = ["npm", "pypi", "nuget", "oci", "mcpb", "cargo"];

/// Reads one package.
pub(crate) fn read(path: &str, raw: &Map<String, Value>, notes: &mut Notes) -> Option<Package> {
    let Some(registry_type) = either(raw, "registryType", "registry_type") else {
        notes.problem(format!("{path}.registryType"), "it is required");
        return None;
    };
    if !REGISTRIES.contains(&registry_type) {
        let known = REGISTRIES.join("`, `");
        let message = format!("`{}` is none of `{known}`", cut(registry_type, 60));
        notes.warning(format!("{path}.registryType"), message);
    }
    let identifier = read_identifier(path, raw, notes)?;
    check_base_url(path, raw, notes);
    check_version(path, raw, notes);
    check_hash(path, registry_type, raw, notes);
    Some(Package {
        registry_type: registry_type.to_owned(),
        identifier: identifier.to_owned(),
        version: text(raw, "version").map(str::to_owned),
        runtime_hint: either(raw, "runtimeHint", "runtime_hint").map(str::to_owned),
        runtime_arguments: arguments(path, raw, ["runtimeArguments", "runtime_arguments"], notes),
        package_arguments: arguments(path, raw, ["packageArguments", "package_arguments"], notes),
        environment: environment(path, raw, notes),
        transport: read_transport(path, raw, notes),
    })
}

/// An identifier becomes one word of a command, so it must not be able to become anything else.
fn read_identifier<'a>(path: &str, raw: &'a Map<String, Value>, notes: &mut Notes) -> Option<&'a str> {
    let Some(identifier) = text(raw, "identifier").filter(|identifier| !identifier.is_empty()) else {
        notes.problem(format!("{path}.identifier"), "it is required");
        return None;
    };
    if identifier.starts_with('-') || identifier.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let message = "it may not begin with `-`, or have blanks or control characters";
        notes.problem(format!("{path}.identifier"), message);
    }
    Some(identifier)
}

fn check_base_url(path: &str, raw: &Map<String, Value>, notes: &mut Notes) {
    for key in ["registryBaseUrl", "registry_base_url"] {
        match raw.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::String(url)) if url.is_empty() || is_http_url(url) => {}
            Some(_) => notes.problem(format!("{path}.{key}"), "it must be an http or https URL"),
        }
    }
}

fn check_version(path: &str, raw: &Map<String, Value>, notes: &mut Notes) {
    match raw.get("version") {
        None => {}
        Some(Value::String(version)) if version == "latest" => {
            notes.problem(
                format!("{path}.version"),
                "`latest` is not a version: name the version itself",
            );
        }
        Some(Value::String(version)) if version.chars().any(char::is_control) => {
            notes.problem(format!("{path}.version"), "control characters are not allowed");
        }
        Some(Value::String(_)) => {}
        Some(_) => notes.problem(format!("{path}.version"), "it must be a text"),
    }
}

fn check_hash(path: &str, registry_type: &str, raw: &Map<String, Value>, notes: &mut Notes) {
    let hash = either(raw, "fileSha256", "file_sha256");
    let is_hash = |hash: &str| {
        hash.len() == 64
            && hash
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    match hash {
        Some(hash) if !is_hash(hash) => {
            notes.problem(
                format!("{path}.fileSha256"),
                "it must be 64 lower-case hex digits",
            );
        }
        None if registry_type == "mcpb" => {
            notes.problem(
                format!("{path}.fileSha256"),
                "it is required for a package of type `mcpb`",
            );
        }
        _ => {}
    }
}

fn read_transport(path: &str, raw: &Map<String, Value>, notes: &mut Notes) -> String {
    let Some(Value::Object(transport)) = raw.get("transport") else {
        notes.problem(
            format!("{path}.transport"),
            "it is required, and must be an object",
        );
        return String::new();
    };
    let kind = text(transport, "type").unwrap_or_default();
    match kind {
        "stdio" => {}
        "streamable-http" | "sse" => match text(transport, "url") {
            Some(url) if is_http_url(url) || url.starts_with('{') => {}
            _ => notes.problem(format!("{path}.transport.url"), "it must be an http or https URL"),
        },
        other => {
            let message = format!("`{}` is not `stdio`, `streamable-http` or `sse`", cut(other, 60));
            notes.problem(format!("{path}.transport.type"), message);
        }
    }
    kind.to_owned()
}

fn arguments(path: &str, raw: &Map<String, Value>, keys: [&str; 2], notes: &mut Notes) -> Vec<Argument> {
    let key = if raw.contains_key(keys[0]) {
        keys[0]
    } else {
        keys[1]
    };
    let mut inner = Notes::default();
    let mut found = Vec::new();
    for (place, item) in list(raw, key, &mut inner) {
        let name = text(item, "name").filter(|name| !name.is_empty());
        if text(item, "type") == Some("named") && name.is_none() {
            inner.problem(format!("{place}.name"), "it is required for a named argument");
            continue;
        }
        found.push(Argument {
            name: name
                .filter(|_| text(item, "type") != Some("positional"))
                .map(str::to_owned),
            value_hint: either(item, "valueHint", "value_hint").map(str::to_owned),
            input: Input::read(item),
        });
    }
    notes.adopt(path, inner);
    found
}

fn environment(path: &str, raw: &Map<String, Value>, notes: &mut Notes) -> Vec<KeyValue> {
    let snake = "environment_variables";
    let key = if raw.contains_key(snake) {
        snake
    } else {
        "environmentVariables"
    };
    inputs::key_values(raw, key, path, notes)
}

fn either<'a>(raw: &'a Map<String, Value>, camel: &str, snake: &str) -> Option<&'a str> {
    text(raw, camel)
        .or_else(|| text(raw, snake))
        .filter(|text| !text.is_empty())
}
